// Package app builds the program out of its parts and runs it. It is the only
// package that knows everyone; it holds no rule of its own, and only the
// command line calls it.
package app

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/config"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/httpvendor"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/queue"
	"github.com/connect-processor/connect-processor/processor"
)

// Options are what every command needs.
type Options struct {
	Config config.Config

	// Vendor is what was written in Go; its nil handlers are filled from the
	// configuration.
	Vendor processor.Vendor

	Version string
	Log     *slog.Logger
	Now     func() time.Time
}

// Times that hold for every installation.
const (
	leaseTime     = 9 * time.Second // an asset's, and the leading poller's
	templateCache = 10 * time.Minute
	maxIdleConns  = 256
)

// store is what is kept in Redis, and the ways to it.
type store struct {
	redis   *connections
	rdb     redis.UniversalClient // a connection for queue.Producer
	journal *journal.Journal
	leases  *limit.Leases
	queue   *queue.Queue
}

// openStore opens the connections. Nothing is sent yet.
func openStore(o Options) (*store, error) {
	connections := &connections{url: o.Config.Redis.URL.Reveal()}
	rdb, err := connections.connect(queue.Producer, 0)
	if err != nil {
		return nil, err
	}
	s := &store{
		redis: connections, rdb: rdb,
		journal: journal.New(rdb, o.Now),
		leases:  limit.NewLeases(rdb, leaseTime, o.Now),
	}
	s.queue = queue.New(queue.Config{Redis: rdb, Journal: s.journal, TaskTimeout: o.Config.Worker.TaskTimeout})
	return s, nil
}

// parts are the pieces that more than one role uses.
type parts struct {
	*store
	options Options
	name    string // of this process
	connect *connect.Client
	vendors vendors
}

// assemble builds the pieces. It opens connections but sends nothing.
func assemble(o Options) (*parts, error) {
	vendors, err := newVendors(o)
	if err != nil {
		return nil, err
	}
	client, err := newConnect(o)
	if err != nil {
		return nil, err
	}
	store, err := openStore(o)
	if err != nil {
		return nil, err
	}
	return &parts{store: store, options: o, name: processName(), connect: client, vendors: vendors}, nil
}

func (p *parts) close() {
	p.connect.CloseIdleConnections()
	p.vendors.http.CloseIdleConnections()
	p.redis.close()
}

func newConnect(o Options) (*connect.Client, error) {
	cfg := o.Config.Connect
	client, err := connect.New(connect.Config{
		Endpoint:    cfg.Endpoint,
		APIKey:      cfg.APIKey.Reveal(),
		DialTimeout: cfg.DialTimeout,
		CallTimeout: cfg.CallTimeout,
		Transport:   &limit.Guard{Base: connect.NewTransport(cfg.DialTimeout)},
		UserAgent:   "connect-processor/" + o.Version,
	})
	if err != nil {
		return nil, fmt.Errorf("making the Connect client: %w", err)
	}
	return client, nil
}

// processName is unique among all processes that share a Redis.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), strings.ToLower(rand.Text()[:6]))
}

// vendors knows which vendor answers for which product.
type vendors struct {
	config config.Config
	own    processor.Vendor            // written in Go
	byName map[string]processor.Vendor // own, filled from each configured one
	http   *http.Client
}

// newVendors builds the configured vendors; faults in their mappings are
// reported together.
func newVendors(o Options) (vendors, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // the standard library's own type
	transport.MaxIdleConnsPerHost = maxIdleConns
	v := vendors{
		config: o.Config, own: o.Vendor, byName: make(map[string]processor.Vendor),
		http: &http.Client{Transport: &limit.Guard{Base: transport}},
	}
	for name, cfg := range o.Config.AllVendors() {
		configured, err := httpvendor.New(cfg)
		if err != nil {
			return v, fmt.Errorf("reading the mapping of vendor %q: %w", name, err)
		}
		v.byName[name] = o.Vendor.Or(configured)
	}
	return v, nil
}

// of returns the vendor that answers for the product.
func (v vendors) of(productID string) processor.Vendor {
	if !slices.ContainsFunc(v.config.Products, func(p config.Product) bool { return p.ID == productID }) {
		return processor.Vendor{} // no longer ours: its tasks end, and it stays pending
	}
	if vendor, configured := v.byName[v.config.VendorName(productID)]; configured {
		return vendor
	}
	return v.own
}

// product is what the engine needs to know of a product.
func (v vendors) product(productID string) fulfillment.Product {
	return fulfillment.Product{Vendor: v.of(productID), HTTP: v.http, Template: v.config.Template(productID)}
}

// offers reports whether anybody answers such requests of the product.
func (v vendors) offers(productID string, typ connect.RequestType, status connect.RequestStatus) bool {
	return fulfillment.Offers(v.of(productID), typ, status)
}

// missing names the types of requests that nobody answers for the product.
func (v vendors) missing(productID string) []string {
	var types []string
	for _, typ := range connect.RequestTypes() {
		if !v.offers(productID, typ, connect.StatusPending) {
			types = append(types, string(typ))
		}
	}
	return types
}

// lanes returns the lanes of the configured products, each with how many requests
// a process carries out in it at a time.
func lanes(cfg config.Config) map[string]int {
	result := make(map[string]int)
	for _, name := range cfg.LaneNames() {
		result[name] = cfg.LaneConcurrency(name)
	}
	return result
}
