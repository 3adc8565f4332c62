package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/config"
	"github.com/connect-processor/connect-processor/internal/queue"
)

// connections opens and closes every connection to one Redis.
type connections struct {
	url string

	mu   sync.Mutex
	open []redis.UniversalClient
}

// connect opens a connection that lives until close.
func (c *connections) connect(role queue.Role, poolSize int) (redis.UniversalClient, error) {
	client, err := queue.Connect(c.url, role, poolSize)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, client)
	return client, nil
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, client := range c.open {
		_ = client.Close() // nothing is under way any more
	}
}

// reachTimeout bounds the first call to Redis.
const reachTimeout = 5 * time.Second

// reach asks Redis whether it is there, with a hint for whoever starts us.
func reach(ctx context.Context, rdb redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if err := queue.Ping(ctx, rdb); err != nil {
		return fmt.Errorf("%w; is it running, and is redis.url (REDIS_URL) right? `serve --dev` needs none", err)
	}
	return nil
}

// embedded is a Redis in this process's memory. Its clock does not run by
// itself; startEmbedded drives it.
type embedded struct {
	server *miniredis.Miniredis
	stop   func()
}

// clockTick is how exact the embedded Redis's times to live are.
const clockTick = 100 * time.Millisecond

func startEmbedded(now func() time.Time) (*embedded, error) {
	server, err := miniredis.Run()
	if err != nil {
		return nil, fmt.Errorf("starting the embedded Redis: %w", err)
	}
	done := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		tick := time.NewTicker(clockTick)
		defer tick.Stop()
		last := now()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				at := now()
				server.FastForward(at.Sub(last))
				last = at
			}
		}
	})
	return &embedded{server: server, stop: func() {
		close(done)
		ticking.Wait()
		server.Close()
	}}, nil
}

func (e *embedded) url() config.Secret { return config.Secret("redis://" + e.server.Addr()) }

// errNoRedis is what a serve without REDIS_URL ends with.
var errNoRedis = errors.New("redis.url is missing: set REDIS_URL, or use `serve --dev` to try things out with a Redis in memory")
