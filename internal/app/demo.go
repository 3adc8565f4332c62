package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	examples "github.com/connect-processor/connect-processor/deployments/config"
	"github.com/connect-processor/connect-processor/internal/config"
	"github.com/connect-processor/connect-processor/internal/emulator"
)

// DemoReport is what a demo came to.
type DemoReport struct {
	Requests int     `json:"requests"`
	Approved int     `json:"approved"`
	Failed   int     `json:"failed"`
	Inquired int     `json:"inquired"`
	Parked   int     `json:"parked"`
	Waiting  int     `json:"waiting"`
	Seconds  float64 `json:"seconds"`
	Vendor   struct {
		Tenants    int `json:"tenants"`
		Duplicates int `json:"duplicates"`
	} `json:"vendor"`
}

// DemoOptions are what Demo needs beside Options, whose Config it ignores.
type DemoOptions struct {
	// Progress, when not nil, is told how far the requests are, whenever that
	// has changed.
	Progress func(Progress)

	// Stay, when not nil, is called when the stories have ended; the demo goes
	// on until it returns.
	Stay func(context.Context, DemoReport, Addresses)
}

// Progress counts the demo's requests by type and standing: pending, approved,
// failed, inquiring or parked.
type Progress map[string]map[string]int

// demoTimeout ends a demo that does not come to its end by itself.
const demoTimeout = 5 * time.Minute

// Demo runs the whole program on loopback, against an emulated Connect and
// vendor and with a Redis in memory, and plays about 60 requests. The error
// tells of the first request that did not end as its story says.
func Demo(ctx context.Context, o Options, d DemoOptions) (DemoReport, error) {
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return DemoReport{}, fmt.Errorf("starting the emulator: %w", err)
	}
	base := "http://" + listener.Addr().String()
	if o.Config, err = demoConfig(base); err != nil {
		return DemoReport{}, err
	}
	var report DemoReport
	started := make(chan Addresses, 1)
	actors := []actor{
		server("emulator", listener, emulator.New(emulator.Config{Log: o.Log, Now: o.Now}), o.Log),
		{"processor", func(ctx context.Context) error {
			return Serve(ctx, o, ServeOptions{Roles: AllRoles(), Dev: true, Started: func(a Addresses) { started <- a }})
		}},
		{"stories", func(ctx context.Context) error {
			var err error
			report, err = d.play(ctx, base, started, o.Now)
			return err
		}},
	}
	err = runActors(ctx, o.Log, actors)
	return report, err
}

// play plays the stories once the processor has started, and stays if asked
// to.
func (d DemoOptions) play(ctx context.Context, base string, started <-chan Addresses, now func() time.Time) (DemoReport, error) {
	addresses, err := waitFor(ctx, started)
	if err != nil {
		return DemoReport{}, err
	}
	t := theater{stage: stage{base: base, http: &http.Client{}}, parked: addresses.parked, progress: d.Progress}
	bounded, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	report, err := t.play(bounded, stories(), now)
	if err == nil && d.Stay != nil {
		d.Stay(ctx, report, addresses)
	}
	return report, err
}

// waitFor returns what is sent, or the context's error.
func waitFor(ctx context.Context, sent <-chan Addresses) (Addresses, error) {
	select {
	case a := <-sent:
		return a, nil
	case <-ctx.Done():
		return Addresses{}, fmt.Errorf("waiting for the processor to start: %w", ctx.Err())
	}
}

// demoConfig is the shipped example, with its addresses and with retries that
// are quick enough to watch.
func demoConfig(base string) (config.Config, error) {
	cfg, err := config.Load(config.Source{
		File: examples.ProcessorExample(),
		Environ: []string{
			"CONNECT_ENDPOINT=" + base + "/public/v1",
			"CONNECT_API_KEY=" + emulator.APIKey,
			"VENDOR_BASE_URL=" + base + "/vendor",
			"PRODUCTS=" + emulator.ProductID,
			"ENVIRONMENTS=preview,test,production",
			"POLLER_INTERVAL=500ms",
			"RETRY_SCHEDULE=1s",
			"RETRY_MAX_ATTEMPTS=5",
			"WORKER_SHUTDOWN_TIMEOUT=5s",
			"ADMIN_ADDR=127.0.0.1:0",
			"WEB_ADDR=127.0.0.1:0",
		},
	})
	if err != nil {
		return cfg, fmt.Errorf("reading the shipped example: %w", err)
	}
	return cfg, nil
}

// maxParked bounds how many parked requests the demo looks at.
const maxParked = 1000

// parked returns the IDs of the parked requests.
func (p *parts) parked(ctx context.Context) (map[string]bool, error) {
	records, err := p.journal.Parked(ctx, maxParked)
	parked := make(map[string]bool, len(records))
	for _, r := range records {
		parked[r.ID] = true
	}
	return parked, err
}
