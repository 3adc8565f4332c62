package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// faults returns all faults of a configuration, as a command reports them.
func faults(src Source) []string {
	cfg, err := Load(src)
	if err = errors.Join(err, cfg.Validate(Need{Redis: true, Connect: true})); err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestEachFaultIsOneLineWithItsKeyAndItsPlace(t *testing.T) {
	for _, test := range []struct {
		name, file string
		environ    []string // beside one where everything is in order
		want       []string
	}{
		{
			name: "unknown keys",
			file: "poller:\n  pace: 3\nspeed: 1\nvendor: {operations: {purchase: {calls: [{name: a, metod: GET}]}}}\nproducts: [{id: PRD-1-1, lnae: x}]\n",
			want: []string{
				"poller.pace: is not a known key (line 2); known here: interval, page_size",
				"speed: is not a known key (line 3); known here: admin, connect, environments, lanes, log, poller, products, redis, retry, vendor, vendors, web, worker",
				"vendor.operations.purchase.calls[0].metod: is not a known key (line 4); known here: body, done, idempotency, method, name, path, save",
				"products[0].lnae: is not a known key (line 5); known here: id, lane, template, vendor",
				"vendor.base_url: is missing (set VENDOR_BASE_URL)",
				`vendor.operations.purchase.calls[0] (a): method: "" is none of GET, POST, PUT, PATCH, DELETE`,
				"vendor.operations.purchase.calls[0] (a): idempotency: is missing: what happens when the call is made twice? (key, repeatable or none)",
				`vendor.operations.purchase.calls[0] (a): path: "" does not begin with a slash`,
			},
		},
		{
			name: "wrong types",
			file: "connect: {call_timeout: 30}\npoller: fast\nworker: {concurrency: many}\nlanes: {slow: 5, fast: {concurrency: [1]}}\n" +
				"retry: {schedule: [1s, soon], max_wait: 1}\nlog: {level: loud}\nenvironments: {a: b}\nproducts: {a: b}\n",
			want: []string{
				`connect.call_timeout: "30" is not a time with a unit, such as 15s (line 1)`,
				"poller: is not a block of keys (line 2)",
				`worker.concurrency: "many" is not a whole number (line 3)`,
				"lanes.slow: is not a block of keys (line 4)",
				"lanes.fast.concurrency: is not a whole number (line 4)",
				"retry.schedule: is not a list of times with units, such as 5s,15s,1m (line 5)",
				`retry.max_wait: "1" is not a time with a unit, such as 15s (line 5)`,
				`log.level: "loud" is not one of debug, info, warn, error (line 6)`,
				"environments: is not a list (line 7)",
				"products: is not a list (line 8)",
			},
		},
		{
			name:    "what cannot be read is not missing, too",
			file:    "connect: {api_key: [a], endpoint: {a: b}}\nredis: redis://u:hush@h\nproducts: [[a], {id: [b], lane: slow}]\nlanes: {slow: 1}\nadmin: {addr: ':1', password: [x], username: u}\n",
			environ: []string{"CONNECT_ENDPOINT=", "CONNECT_API_KEY=", "REDIS_URL=", "PRODUCTS="},
			want: []string{
				"connect.api_key: is not a text (line 1)",
				"connect.endpoint: is not a text (line 1)",
				"redis: is not a block of keys (line 2)",
				"products[0]: is not a block of keys (line 3)",
				"products[1].id: is not a text (line 3)",
				"lanes.slow: is not a block of keys (line 4)",
				"admin.password: is not a text (line 5)",
			},
		},
		{
			name:    "what the environment overrides is looked at",
			file:    "connect: [a]\n",
			environ: []string{"CONNECT_ENDPOINT=nowhere"},
			want: []string{
				"connect: is not a block of keys (line 1)",
				"connect.endpoint: is not a URL such as https://api.connect.cloudblue.com/public/v1",
			},
		},
		{
			name: "all faults of the products",
			file: "products: [PRD-1-1, PRD-1-1, 'PRD-#', {id: PRD-2-2, lane: slow, vendor: acme}, {id: PRD-3, nam: x, tmplate: y}, [z], ~]\n",
			environ: []string{
				"PRODUCTS=",
			},
			want: []string{
				"products[4].nam: is not a known key (line 1); known here: id, lane, template, vendor",
				"products[4].tmplate: is not a known key (line 1); known here: id, lane, template, vendor",
				"products[5]: is not a block of keys (line 1)",
				"products[6]: is empty (line 1)",
				"products: PRD-1-1 is named twice",
				`products: "PRD-#" is not a product ID, such as PRD-100-200-300`,
				`products: PRD-2-2 names lane "slow", which is not in lanes`,
				`products: PRD-2-2 names vendor "acme", which is not in vendors`,
			},
		},
		{
			name: "keys given twice, and two documents",
			file: "web: {addr: ':1'}\nweb: {addr: ':2'}\n---\nlog: {level: warn}\n",
			want: []string{
				"configuration: holds more than one YAML document: keep one, and drop the line ---",
				"web: is given a second time, after line 1 (line 2)",
			},
		},
		{
			name:    "no YAML at all",
			file:    "poller: {interval: 1s\nworker: 3",
			environ: []string{"POLLER_INTERVAL=15", "CONNECT_ENDPOINT=nowhere", "CONNECT_API_KEY="},
			want: []string{
				"configuration: is not YAML: near line 1: did not find expected ',' or '}'; is the indentation right, and is what holds a colon in quotes?",
				`POLLER_INTERVAL: "15" is not a time with a unit, such as 15s`,
				"connect.endpoint: is not a URL such as https://api.connect.cloudblue.com/public/v1",
			},
		},
		{
			name: "a block that takes over itself",
			file: "vendors: {a: &a {<<: *a, base: x}}\n",
			want: []string{
				"vendors.a.base: is not a known key (line 1); known here: base_url, operations, timeout",
				"configuration: cannot be read as a configuration; is an alias (*) used within what it stands for?",
			},
		},
		{
			name: "no block of keys",
			file: "[a, b]\n",
			want: []string{"configuration: is not a block of keys (line 1)"},
		},
		{
			name:    "variables",
			environ: []string{"POLLER_INTERVAL=15", "POLLER_PAGE_SIZE=0", "RETRY_SCHEDULE=1s,soon", "LOG_LEVEL=loud", "WORKER_CONCURRENCY=many", "WORKER_TASK_TIMEOUT=45s"},
			want: []string{
				`LOG_LEVEL: "loud" is not one of debug, info, warn, error`,
				`POLLER_INTERVAL: "15" is not a time with a unit, such as 15s`,
				`RETRY_SCHEDULE: "1s,soon" is not a list of times with units, such as 5s,15s,1m`,
				`WORKER_CONCURRENCY: "many" is not a whole number`,
				"poller.page_size: 0 is not between 1 and 1000",
				"worker.task_timeout: 45s is less than 1m0s: a handler is told to stop 30s before it",
			},
		},
		{
			name: "a named vendor has no variable",
			file: "vendors:\n  zeta: {operations: {cancel: {calls: []}}}\n  acme: {base_url: 'https://user:hush@acme.example'}\n",
			want: []string{
				"vendors.acme.base_url: must not hold a user name or password",
				"vendors.zeta.base_url: is missing",
				"vendors.zeta.operations.cancel.calls: is empty: nothing would be done, and every request approved",
			},
		},
		{
			name: "the default vendor twice",
			file: "vendor: {base_url: 'https://a.example'}\nvendors: {default: {base_url: 'https://b.example'}}\n",
			want: []string{"vendor: is short for vendors.default, which is there too: drop one"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := faults(Source{File: []byte(test.file), Environ: working(test.environ...)})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultsNameTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, []byte("web: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{"web: is not a block of keys (line 1 of " + path + ")"}
	if diff := cmp.Diff(want, faults(Source{Path: path, Environ: working()})); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestFileThatIsNotThereIsTheOnlyFault(t *testing.T) {
	folder := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(folder, "none.yaml"): "there is no such file: is the path right, seen from this folder?",
		folder:                             "is a folder; name the file in it",
	} {
		want := []string{"--config " + path + ": " + want}
		if diff := cmp.Diff(want, faults(Source{Path: path})); diff != "" {
			t.Errorf("faults (-want +got):\n%s", diff)
		}
	}
}

func TestNoFaultRepeatsASecret(t *testing.T) {
	for name, src := range map[string]Source{
		"key is a list":               {File: []byte("connect: {api_key: [hush]}")},
		"key is a block":              {File: []byte("connect: {api_key: {a: hush}}")},
		"key has a tag":               {File: []byte("connect: {api_key: !!int hush}")},
		"key is an alias":             {File: []byte("connect: {api_key: *hush}")},
		"key in place of its section": {File: []byte("connect: hush")},
		"key holds a blank":           {Environ: working("CONNECT_API_KEY=hush hush")},
		"password in the endpoint":    {Environ: working("CONNECT_ENDPOINT=https://u:hush@connect.example/public/v1")},
		"key in place of it":          {Environ: working("CONNECT_ENDPOINT=SU-1:hush")},
		"password and no scheme":      {Environ: working("CONNECT_ENDPOINT=u:hush@connect.example")},
		"password and a bad escape":   {Environ: working("CONNECT_ENDPOINT=https://u:hush%zz@connect.example")},
		"password of the vendor":      {Environ: working("VENDOR_BASE_URL=https://u:hush@vendor.example")},
		"vendor's and a bad escape":   {Environ: working("VENDOR_BASE_URL=https://u:hush%zz@vendor.example")},
		"Redis without a scheme":      {Environ: working("REDIS_URL=u:hush@localhost")},
		"Redis with a bad scheme":     {Environ: working("REDIS_URL=http://u:hush@localhost")},
		"slash in Redis's password":   {Environ: working("REDIS_URL=redis://u:hush/hush@localhost")},
		"digits and a slash in it":    {Environ: working("REDIS_URL=redis://u:1/hush@localhost")},
		"bad escape in it":            {Environ: working("REDIS_URL=redis://u:%hush@localhost")},
		"section of Redis is its URL": {File: []byte("redis: redis://u:hush@localhost")},
		"username missing":            {Environ: working("ADMIN_PASSWORD=hush")},
		"the key twice":               {File: []byte("connect: {api_key: hush, api_key: hush}")},
	} {
		got := faults(src)
		if len(got) == 0 {
			t.Errorf("%s: no fault", name)
		}
		if text := strings.Join(got, "\n"); strings.Contains(text, "hu") {
			t.Errorf("%s: shows a secret:\n%s", name, text)
		}
	}
}

func TestRedisURLs(t *testing.T) {
	for _, url := range []string{
		"redis://localhost", "redis://localhost:6379/0", "rediss://user:p%2Fw@host:6379/0?pool_size=3", "redis://:pw@[::1]:6379",
		"unix:///run/redis.sock?db=0", "redis-sentinel://user:password@s1:26379,s2:26379/0?master_name=main", "rediss-cluster://u:p@n1:6379,n2",
	} {
		if got := faults(Source{Environ: working("REDIS_URL=" + url)}); len(got) > 0 {
			t.Errorf("%s: %q", url, got)
		}
	}
}

func TestVariableReachesTheDefaultVendorUnderEitherName(t *testing.T) {
	const operations = "{operations: {cancel: {calls: [{name: a, method: DELETE, path: /a, idempotency: repeatable}]}}}"
	for _, file := range []string{"vendor: " + operations, "vendors: {default: " + operations + "}"} {
		src := Source{File: []byte(file), Environ: working("VENDOR_BASE_URL=https://vendor.example")}
		if got := faults(src); len(got) > 0 {
			t.Errorf("%s: %q", file, got)
		}
		cfg := mustLoad(t, src)
		if got := cfg.AllVendors()[cfg.VendorName("PRD-1-1")]; got.BaseURL != "https://vendor.example" || len(got.Operations) != 1 {
			t.Errorf("%s: the vendor of a product is %+v", file, got)
		}
	}
}

func TestBlocksMayBeTakenOverFromElsewhere(t *testing.T) {
	cfg := mustLoad(t, Source{File: []byte("vendors:\n  a: &a {base_url: 'https://a.example', timeout: 3s}\n  b: {<<: *a, base_url: 'https://b.example'}\n")})
	if b := cfg.Vendors["b"]; b.BaseURL != "https://b.example" || b.Timeout != cfg.Vendors["a"].Timeout {
		t.Errorf("vendor %+v", b)
	}
}

func TestWhatACommandDoesNotNeedMayBeMissing(t *testing.T) {
	cfg := mustLoad(t, Source{Environ: []string{"REDIS_URL=redis://localhost"}})
	if err := cfg.Validate(Need{Redis: true}); err != nil {
		t.Error(err)
	}
	cfg = mustLoad(t, Source{Environ: working("REDIS_URL=")})
	if err := cfg.Validate(Need{Connect: true}); err != nil {
		t.Error(err)
	}
	if err := cfg.Validate(Need{Redis: true}); err == nil {
		t.Error("a Redis is needed, and there is none")
	}
}

func TestFaultsComeInTheSameOrder(t *testing.T) {
	src := Source{
		File:    []byte("vendors: {a: {timeout: -1s}, b: {timeout: -1s}, c: {timeout: -1s}}\nlanes: {a: {}, b: {}, c: {}}\n"),
		Environ: []string{"POLLER_INTERVAL=x", "WORKER_CONCURRENCY=x", "RETRY_MAX_ATTEMPTS=x", "LOG_LEVEL=x"},
	}
	first := faults(src)
	for range 20 {
		if again := faults(src); !slices.Equal(first, again) {
			t.Fatalf("the order changes (-first +again):\n%s", cmp.Diff(first, again))
		}
	}
}
