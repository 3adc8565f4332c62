package queue_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/queue"
)

func TestURLsOfEveryFormAreRead(t *testing.T) {
	type seen struct {
		addrs              []string
		user, password     string
		db, pool, maxTries int
		tls                bool
	}
	look := func(c redis.UniversalClient) seen {
		switch c := c.(type) {
		case *redis.Client:
			o := c.Options()
			return seen{addrs: []string{o.Addr}, user: o.Username, password: o.Password, db: o.DB, pool: o.PoolSize, maxTries: o.MaxRetries, tls: o.TLSConfig != nil}
		case *redis.ClusterClient:
			o := c.Options()
			return seen{addrs: o.Addrs, user: o.Username, password: o.Password, pool: o.PoolSize, maxTries: o.MaxRetries, tls: o.TLSConfig != nil}
		}
		return seen{}
	}
	for name, test := range map[string]struct {
		url  string
		role queue.Role
		want seen
	}{
		"one server":  {"redis://user:secret@host:7000/3", queue.Worker, seen{addrs: []string{"host:7000"}, user: "user", password: "secret", db: 3, pool: 50, maxTries: 30}},
		"tls":         {"rediss://host", queue.Producer, seen{addrs: []string{"host:6379"}, pool: 50, maxTries: 3, tls: true}},
		"own options": {"redis://host?pool_size=7&max_retries=5", queue.Worker, seen{addrs: []string{"host:6379"}, pool: 7, maxTries: 5}},
		"sentinel":    {"redis-sentinel://user:secret@s1,s2:7002/4?master_name=main", queue.Worker, seen{addrs: []string{"FailoverClient"}, user: "user", password: "secret", db: 4, pool: 50, maxTries: 30}},
		"cluster":     {"rediss-cluster://user:secret@n1:7001,n2", queue.Worker, seen{addrs: []string{"n1:7001", "n2:6379"}, user: "user", password: "secret", pool: 50, maxTries: 30, tls: true}},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := queue.Connect(test.url, test.role, 50)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			if diff := cmp.Diff(test.want, look(client), cmp.AllowUnexported(seen{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABadURLIsRefusedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{
		"", "host:6379", "http://user:secret@host", "redis://user:secret@host/notanumber", "redis://user:secret@ho st",
		"redis-sentinel://user:secret@s1", "redis-cluster://user:secret@n1?nonsense=1", "redis://user:secret@host:port",
	} {
		_, err := queue.Connect(url, queue.Producer, 0)
		if err == nil {
			t.Errorf("%q was taken", url)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells the password: %v", url, err)
		}
	}
}
