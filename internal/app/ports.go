package app

import (
	"context"
	"net/http"

	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/admin"
	"github.com/connect-processor/connect-processor/internal/queue"
)

// adminPort opens the operator's port.
func (p *parts) adminPort(ctx context.Context, checks []admin.Check) (actor, Addresses, error) {
	cfg := p.options.Config.Admin
	listener, err := listen(ctx, "admin.addr", cfg.Addr)
	if err != nil {
		return actor{}, Addresses{}, err
	}
	handler := admin.New(admin.Config{
		Redis: func() redis.UniversalClient {
			client, err := queue.Connect(p.options.Config.Redis.URL.Reveal(), queue.Producer, 0)
			if err != nil { // the same URL has been read before
				panic(err)
			}
			return client
		},
		Ready: checks, Username: cfg.Username, Password: cfg.Password.Reveal(),
	})
	serve := server("operator's port", listener, handler, p.options.Log)
	addresses := Addresses{Admin: listener.Addr().String(), parked: p.parked}
	return actor{serve.name, func(ctx context.Context) error {
		err := serve.run(ctx)
		_ = handler.Close()
		return err
	}}, addresses, nil
}

// publicPort is where Connect's own calls will arrive; today it tells that the
// process is alive.
func (p *parts) publicPort(ctx context.Context) (actor, string, error) {
	listener, err := listen(ctx, "web.addr", p.options.Config.Web.Addr)
	if err != nil {
		return actor{}, "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return server("public port", listener, mux, p.options.Log), listener.Addr().String(), nil
}
