package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/connect-processor/connect-processor/internal/httpvendor"
)

// Need is what a command cannot do without.
type Need struct {
	Redis   bool // a URL of a Redis of its own
	Connect bool // an endpoint, a key, products, and what is done with them
}

// productID is what Connect's product IDs look like.
var productID = regexp.MustCompile(`^PRD-[\w-]+$`)

// Validate returns every fault of the configuration, one line each with a
// hint; but not again those that Load has reported.
func (c Config) Validate(need Need) error {
	v := &validator{config: c}
	if need.Connect {
		v.connect(c.Connect)
	}
	v.redis(c.Redis.URL.Reveal(), need.Redis)
	if need.Connect {
		v.products()
		v.environments()
		v.vendors()
		v.numbers()
		v.ports(c.Admin)
	}
	if !slices.Contains([]string{"auto", "text", "json"}, c.Log.Format) {
		v.add("log.format", "%q is none of auto, text, json", c.Log.Format)
	}
	return errors.Join(v.faults...)
}

// validator collects faults.
type validator struct {
	config Config
	faults []error
}

// add notes a fault, unless Load has reported one of the same key.
func (v *validator) add(key, format string, args ...any) {
	if !v.config.isUnread(key) {
		v.faults = append(v.faults, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
}

// missing notes that there is nothing under a key.
func (v *validator) missing(key, format string, args ...any) {
	if !v.config.lacks(key) {
		v.add(key, format, args...)
	}
}

// connect never shows the endpoint: it may hold a password, or be the key in
// the wrong place.
func (v *validator) connect(c Connect) {
	const key = "connect.endpoint"
	switch u, err := url.Parse(strings.TrimSpace(c.Endpoint)); {
	case c.Endpoint == "":
		v.missing(key, "is missing: set CONNECT_ENDPOINT, such as %s", endpointExample)
	case strings.Contains(c.Endpoint, "@"):
		v.add(key, "must not hold a user name or password: the key goes into connect.api_key (CONNECT_API_KEY)")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		v.add(key, "is not a URL such as %s", endpointExample)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		v.add(key, "must not hold a query or a fragment: it is a URL such as %s", endpointExample)
	}
	v.apiKey(c.APIKey.Reveal())
	v.atLeast("connect.dial_timeout", c.DialTimeout, time.Millisecond)
	v.atLeast("connect.call_timeout", c.CallTimeout, time.Millisecond)
}

func (v *validator) apiKey(text string) {
	const key = "connect.api_key"
	text = strings.TrimSpace(text)
	if scheme, rest, _ := strings.Cut(text, " "); strings.EqualFold(scheme, "ApiKey") {
		text = strings.TrimSpace(rest)
	}
	switch {
	case text == "":
		v.missing(key, "is missing: set CONNECT_API_KEY or CONNECT_API_KEY_FILE")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		v.add(key, "holds a blank, a line break or a letter that no key has: was it copied whole, and nothing else?")
	}
}

func (v *validator) products() {
	c := v.config
	if len(c.Products) == 0 {
		v.missing("products", "is empty: set PRODUCTS to the IDs whose requests are to be processed, with commas between")
	}
	seen := make(map[string]bool)
	for i, p := range c.Products {
		unread := p.ID == "" && c.lacks(fmt.Sprintf("products[%d]", i))
		if !productID.MatchString(p.ID) && !unread {
			v.add("products", "%q is not a product ID, such as PRD-100-200-300", p.ID)
		}
		if seen[p.ID] && !unread {
			v.add("products", "%s is named twice", p.ID)
		}
		seen[p.ID] = true
		if _, known := c.Lanes[p.Lane]; !known && p.Lane != "" && p.Lane != DefaultLane && !c.lacks("lanes."+p.Lane) {
			v.add("products", "%s names lane %q, which is not in lanes", p.ID, p.Lane)
		}
		if _, known := c.AllVendors()[p.Vendor]; !known && p.Vendor != "" && !c.lacks("vendors."+p.Vendor) {
			v.add("products", "%s names vendor %q, which is not in vendors", p.ID, p.Vendor)
		}
	}
}

func (v *validator) environments() {
	const key = "environments"
	for _, environment := range v.config.Environments {
		if !slices.Contains(environments(), environment) {
			v.add(key, "%q is none of %s", environment, strings.Join(environments(), ", "))
		}
	}
	if len(v.config.Environments) == 0 {
		v.missing(key, "is empty: name some of %s", strings.Join(environments(), ", "))
	}
}

func (v *validator) vendors() {
	c := v.config
	if _, twice := c.Vendors[defaultVendor]; twice && c.hasVendor() {
		v.add("vendor", "is short for vendors.default, which is there too: drop one")
	}
	all := c.AllVendors()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		key := "vendors." + name
		if name == defaultVendor && c.hasVendor() {
			key = "vendor"
		}
		_, err := httpvendor.New(all[name])
		if err == nil {
			continue
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			v.vendor(key, line, name == defaultVendor)
		}
	}
}

// callName is what a fault of a mapping adds to the number of a call.
var callName = regexp.MustCompile(` \([^)]*\):`)

// vendor notes a fault of a mapping, which begins with the path of what is
// wrong.
func (v *validator) vendor(key, fault string, isDefault bool) {
	path := key + "." + strings.ReplaceAll(callName.ReplaceAllString(fault, ":"), ": ", ".")
	if v.config.isUnread(path) {
		return
	}
	where, text, _ := strings.Cut(fault, ": ")
	if isDefault && where == "base_url" {
		text += " (set VENDOR_BASE_URL)"
	}
	v.add(key+"."+where, "%s", text)
}

// handlerMargin is how long before its task's end package worker tells a handler
// to stop.
const handlerMargin = 30 * time.Second

func (v *validator) numbers() {
	c := v.config
	v.atLeast("poller.interval", c.Poller.Interval, 100*time.Millisecond)
	v.count("poller.page_size", c.Poller.PageSize)
	v.count("worker.concurrency", c.Worker.Concurrency)
	if c.Worker.TaskTimeout < 2*handlerMargin {
		v.add("worker.task_timeout", "%s is less than %s: a handler is told to stop %s before it", c.Worker.TaskTimeout, 2*handlerMargin, handlerMargin)
	}
	v.atLeast("worker.shutdown_timeout", c.Worker.ShutdownTimeout, time.Second)
	for _, name := range slices.Sorted(maps.Keys(c.Lanes)) {
		v.count("lanes."+name+".concurrency", c.Lanes[name].Concurrency)
	}
	if len(c.Retry.Schedule) == 0 {
		v.missing("retry.schedule", "is empty: name at least one delay, such as 5s")
	}
	for _, delay := range c.Retry.Schedule {
		v.atLeast("retry.schedule", delay, 10*time.Millisecond)
	}
	v.count("retry.max_attempts", c.Retry.MaxAttempts)
	v.atLeast("retry.max_wait", c.Retry.MaxWait, time.Minute)
}

func (v *validator) ports(admin Admin) {
	v.address("web.addr", v.config.Web.Addr)
	v.address("admin.addr", admin.Addr)
	if v.config.lacks("admin.username") || v.config.lacks("admin.password") {
		return // what follows depends on both
	}
	if (admin.Username == "") != (admin.Password == "") {
		v.add("admin", "username and password belong together: set both or none (ADMIN_USERNAME, ADMIN_PASSWORD)")
	}
	if admin.Password == "" && !loopback(admin.Addr) {
		v.add("admin.addr", "%q is reachable from other machines: set admin.username and admin.password (ADMIN_USERNAME, ADMIN_PASSWORD), or listen on 127.0.0.1", admin.Addr)
	}
}

func (v *validator) atLeast(key string, d, least time.Duration) {
	if d < least {
		v.add(key, "%s is less than %s", d, least)
	}
}

// most is the greatest number that makes sense anywhere: of a page's requests,
// which Connect bounds by it, of workers and of attempts.
const most = 1000

func (v *validator) count(key string, n int) {
	if n < 1 || n > most {
		v.add(key, "%d is not between 1 and %d", n, most)
	}
}
