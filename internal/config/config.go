// Package config reads the configuration: a YAML file, then the environment,
// then the command line. It checks everything and reports all faults together;
// what comes out of it needs no further look.
//
// It is the only package that knows the names of environment variables: the
// path of a key in the file, in capitals and with underscores.
package config

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/connect-processor/connect-processor/internal/httpvendor"
)

// Config is the whole configuration. deployments/config/connect-processor.yaml
// shows every key.
type Config struct {
	Connect      Connect  `yaml:"connect"`
	Redis        Redis    `yaml:"redis"`
	Products     Products `yaml:"products"`
	Environments List     `yaml:"environments"`

	// Vendor is short for the one of Vendors that is named default.
	Vendor  httpvendor.Config            `yaml:"vendor"`
	Vendors map[string]httpvendor.Config `yaml:"vendors"`

	Poller Poller          `yaml:"poller"`
	Worker Worker          `yaml:"worker"`
	Lanes  map[string]Lane `yaml:"lanes"`
	Retry  Retry           `yaml:"retry"`
	Web    Web             `yaml:"web"`
	Admin  Admin           `yaml:"admin"`
	Log    Log             `yaml:"log"`

	unread []string // keys that Load has reported as faults
}

// Connect is the platform.
type Connect struct {
	Endpoint    string        `yaml:"endpoint" env:"ENDPOINT"` // including /public/v1
	APIKey      Secret        `yaml:"api_key" env:"API_KEY"`
	DialTimeout time.Duration `yaml:"dial_timeout" env:"DIAL_TIMEOUT"`
	CallTimeout time.Duration `yaml:"call_timeout" env:"CALL_TIMEOUT"`
}

// Redis is where the queue lives. Its URL may hold a password.
type Redis struct {
	URL Secret `yaml:"url" env:"URL"`
}

// Product is a product whose requests are processed.
type Product struct {
	ID       string `yaml:"id"`
	Vendor   string `yaml:"vendor,omitempty"`   // of vendors; empty: the default one
	Lane     string `yaml:"lane,omitempty"`     // of lanes; empty: the default one
	Template string `yaml:"template,omitempty"` // activation template, by name or ID
}

// Poller finds what is pending.
type Poller struct {
	Interval time.Duration `yaml:"interval" env:"INTERVAL"`
	PageSize int           `yaml:"page_size" env:"PAGE_SIZE"`
}

// Worker carries requests out.
type Worker struct {
	Concurrency     int           `yaml:"concurrency" env:"CONCURRENCY"` // of each lane, unless the lane says otherwise
	TaskTimeout     time.Duration `yaml:"task_timeout" env:"TASK_TIMEOUT"`
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout" env:"SHUTDOWN_TIMEOUT"`
}

// Lane is a queue of its own, for products that must not wait for others.
type Lane struct {
	Concurrency int `yaml:"concurrency"`
}

// Retry says how often and when a request is tried again.
type Retry struct {
	Schedule    Durations     `yaml:"schedule" env:"SCHEDULE"`
	MaxAttempts int           `yaml:"max_attempts" env:"MAX_ATTEMPTS"`
	MaxWait     time.Duration `yaml:"max_wait" env:"MAX_WAIT"`
}

// Web is the public port.
type Web struct {
	Addr string `yaml:"addr" env:"ADDR"`
}

// Admin is the operator's port.
type Admin struct {
	Addr     string `yaml:"addr" env:"ADDR"`
	Username string `yaml:"username" env:"USERNAME"`
	Password Secret `yaml:"password" env:"PASSWORD"`
}

// Log is how the process tells of itself.
type Log struct {
	Level  slog.Level `yaml:"level" env:"LEVEL"`
	Format string     `yaml:"format" env:"FORMAT"` // auto, text or json
}

// DefaultLane is the lane of products that name none.
const DefaultLane = "default"

// defaultVendor is the name of the vendor under the key vendor.
const defaultVendor = "default"

// endpointExample is what an endpoint looks like.
const endpointExample = "https://api.connect.cloudblue.com/public/v1"

// Default returns the configuration where nothing is configured.
func Default() Config {
	return Config{
		Connect:      Connect{DialTimeout: 15 * time.Second, CallTimeout: 30 * time.Second},
		Environments: environments(),
		Poller:       Poller{Interval: 15 * time.Second, PageSize: 500},
		Worker:       Worker{Concurrency: 10, TaskTimeout: 5 * time.Minute, ShutdownTimeout: 30 * time.Second},
		Retry: Retry{
			Schedule: Durations{
				5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour,
				3 * time.Hour, 8 * time.Hour, 12 * time.Hour,
			},
			MaxAttempts: 10, // the last of them after 24 h 21 min
			MaxWait:     30 * 24 * time.Hour,
		},
		Web:   Web{Addr: ":8080"},
		Admin: Admin{Addr: "127.0.0.1:8081"},
		Log:   Log{Level: slog.LevelInfo, Format: "auto"},
	}
}

// environments are the types of connections that orders come by.
func environments() List { return List{"preview", "test", "production"} }

// product returns the entry of a product, a plain one for one not configured.
func (c Config) product(id string) Product {
	for _, p := range c.Products {
		if p.ID == id {
			return p
		}
	}
	return Product{ID: id}
}

// Lane returns the lane of a product.
func (c Config) Lane(productID string) string {
	return cmp.Or(c.product(productID).Lane, DefaultLane)
}

// Template returns the activation template of a product, by name or ID, "" for
// the default one.
func (c Config) Template(productID string) string { return c.product(productID).Template }

// LaneNames returns the lanes of the configured products.
func (c Config) LaneNames() []string {
	names := make(map[string]bool)
	for _, p := range c.Products {
		names[c.Lane(p.ID)] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// LaneConcurrency returns how many requests of a lane a process carries out at
// a time.
func (c Config) LaneConcurrency(lane string) int {
	return cmp.Or(c.Lanes[lane].Concurrency, c.Worker.Concurrency)
}

// AllVendors returns the configured vendors by name.
func (c Config) AllVendors() map[string]httpvendor.Config {
	all := maps.Clone(c.Vendors)
	if all == nil {
		all = make(map[string]httpvendor.Config)
	}
	if c.hasVendor() {
		all[defaultVendor] = c.Vendor
	}
	return all
}

// hasVendor reports whether anything is under the key vendor.
func (c Config) hasVendor() bool { return c.Vendor.BaseURL != "" || len(c.Vendor.Operations) > 0 }

// VendorName returns the name of the vendor that answers for a product.
func (c Config) VendorName(productID string) string {
	return cmp.Or(c.product(productID).Vendor, defaultVendor)
}

// Warnings names what is allowed and probably not meant.
func (c Config) Warnings() []string {
	var warnings []string
	if !strings.HasSuffix(strings.TrimRight(c.Connect.Endpoint, "/"), "/public/v1") {
		warnings = append(warnings, "connect.endpoint does not end in /public/v1: "+c.Connect.Endpoint)
	}
	return warnings
}
