package app

import (
	"context"
	"net/http"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

// EmulatorAddress is where an emulator is, and what its callers must know.
type EmulatorAddress struct {
	Base    string // http://host:port
	APIKey  string
	Product string
}

// Emulator serves a local Connect and vendor until ctx ends. It accepts the
// given keys, any when there are none. Once it listens, started is told where.
func Emulator(ctx context.Context, o Options, address string, keys []string, started func(EmulatorAddress)) error {
	listener, err := listen(ctx, "--addr", address)
	if err != nil {
		return err
	}
	var handler http.Handler = emulator.New(emulator.Config{APIKeys: keys, Log: o.Log, Now: o.Now})
	key := emulator.APIKey
	if len(keys) > 0 {
		key = keys[0]
	}
	started(EmulatorAddress{Base: "http://" + listener.Addr().String(), APIKey: key, Product: emulator.ProductID})
	return runActors(ctx, o.Log, []actor{server("emulator", listener, handler, o.Log)})
}
