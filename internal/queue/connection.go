package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Role says what a connection is for, since the two want opposite patience.
type Role int

// The roles of a connection.
const (
	// Producer connections give up after a few tries: their caller tries again.
	Producer Role = iota
	// Worker connections try for as long as a short outage lasts: a finished
	// task that cannot be acknowledged runs twice.
	Worker
)

// Schemes of a Redis URL, beside redis, rediss and unix.
const (
	clusterScheme  = "redis-cluster"
	sentinelScheme = "redis-sentinel"
)

// Connect opens a connection to the Redis that rawURL names. Nothing is sent
// yet. The forms are
//
//	redis://user:password@host:6379/0            one server (rediss:// for TLS)
//	unix:///run/redis.sock?db=0                  one server, by socket
//	redis-sentinel://user:password@s1:26379,s2:26379/0?master_name=main
//	redis-cluster://user:password@n1:6379,n2:6379
//
// The last two take rediss-sentinel and rediss-cluster for TLS. User and
// password are those of the Redis servers; sentinels that want their own get
// them by the query parameters sentinel_username and sentinel_password. Other
// parameters are those of go-redis: pool_size, dial_timeout, read_timeout and
// so on. Errors name no password.
func Connect(rawURL string, role Role, poolSize int) (redis.UniversalClient, error) {
	scheme, rest, found := strings.Cut(rawURL, "://")
	if !found {
		return nil, errors.New("reading the Redis URL: no scheme in it, such as redis://")
	}
	plain := strings.TrimSuffix(strings.TrimSuffix(scheme, "-cluster"), "-sentinel")
	switch strings.Replace(scheme, "rediss", "redis", 1) {
	case clusterScheme:
		options, err := redis.ParseClusterURL(manyHosts(plain, rest, "6379"))
		if err != nil {
			return nil, hideURL(err)
		}
		patience(role, poolSize, &options.MaxRetries, &options.MinRetryBackoff, &options.MaxRetryBackoff, &options.PoolSize)
		return redis.NewClusterClient(options), nil
	case sentinelScheme:
		options, err := parseSentinel(manyHosts(plain, rest, "26379"))
		if err != nil {
			return nil, hideURL(err)
		}
		patience(role, poolSize, &options.MaxRetries, &options.MinRetryBackoff, &options.MaxRetryBackoff, &options.PoolSize)
		return redis.NewFailoverClient(options), nil
	default:
		options, err := redis.ParseURL(rawURL)
		if err != nil {
			return nil, hideURL(err)
		}
		patience(role, poolSize, &options.MaxRetries, &options.MinRetryBackoff, &options.MaxRetryBackoff, &options.PoolSize)
		return redis.NewClient(options), nil
	}
}

// parseSentinel reads a failover URL, whose user is, unlike in go-redis, that
// of the Redis servers.
func parseSentinel(rawURL string) (*redis.FailoverOptions, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	query := u.Query()
	user, password := query.Get("sentinel_username"), query.Get("sentinel_password")
	query.Del("sentinel_username")
	query.Del("sentinel_password")
	u.RawQuery = query.Encode()
	options, err := redis.ParseFailoverURL(u.String())
	if err != nil {
		return nil, err
	}
	options.Username, options.Password = options.SentinelUsername, options.SentinelPassword
	options.SentinelUsername, options.SentinelPassword = user, password
	if options.MasterName == "" {
		return nil, errors.New("a redis-sentinel URL needs ?master_name=")
	}
	return options, nil
}

// patience sets what a URL has left open.
func patience(role Role, poolSize int, retries *int, minBackoff, maxBackoff *time.Duration, pool *int) {
	if *pool == 0 {
		*pool = poolSize
	}
	if role == Worker && *retries == 0 {
		*retries, *minBackoff, *maxBackoff = 30, 100*time.Millisecond, time.Second
	}
}

// manyHosts rewrites scheme://user@a,b/0?q as scheme://user@a/0?q&addr=b, the
// form that go-redis reads.
func manyHosts(scheme, rest, defaultPort string) string {
	address, path := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		address, path = rest[:i], rest[i:]
	}
	user, hosts := "", address
	if i := strings.LastIndex(address, "@"); i >= 0 {
		user, hosts = address[:i+1], address[i+1:]
	}
	var addresses []string
	for host := range strings.SplitSeq(hosts, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), defaultPort)
		}
		addresses = append(addresses, host)
	}
	if len(addresses) == 1 {
		return scheme + "://" + user + addresses[0] + path
	}
	others := url.Values{"addr": addresses[1:]}.Encode()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return scheme + "://" + user + addresses[0] + path + separator + others
}

// hideURL drops what a parsing error quotes of the URL, which may be part of
// the password.
func hideURL(err error) error {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return errors.New("reading the Redis URL: it is no URL such as redis://user:password@host:6379/0; signs like / and @ in a password are written %2F and %40")
	}
	return fmt.Errorf("reading the Redis URL: %w", err)
}

// Ping asks Redis whether it is there.
func Ping(ctx context.Context, rdb redis.UniversalClient) error {
	if err := rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("reaching Redis: %w", err)
	}
	return nil
}
