package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// working is an environment with which everything is in order.
func working(more ...string) []string {
	return append([]string{
		"CONNECT_ENDPOINT=https://connect.example/public/v1",
		"CONNECT_API_KEY=SU-1:key",
		"PRODUCTS=PRD-1-1",
		"REDIS_URL=redis://localhost:6379",
	}, more...)
}

func TestEnvironmentGoesBeforeTheFile(t *testing.T) {
	cfg := mustLoad(t, Source{
		File:    []byte("poller: {interval: 1m, page_size: 7}\nenvironments: test\n"),
		Environ: []string{"POLLER_INTERVAL=2s", "RETRY_SCHEDULE=1s, 2s", "ENVIRONMENTS=preview, production"},
	})
	if cfg.Poller.Interval != 2*time.Second || cfg.Poller.PageSize != 7 {
		t.Errorf("poller %+v, want the interval of the environment and the page size of the file", cfg.Poller)
	}
	if diff := cmp.Diff(Durations{time.Second, 2 * time.Second}, cfg.Retry.Schedule); diff != "" {
		t.Errorf("schedule (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(List{"preview", "production"}, cfg.Environments); diff != "" {
		t.Errorf("environments (-want +got):\n%s", diff)
	}
}

func TestEnvironmentsMayBeOneWord(t *testing.T) {
	cfg := mustLoad(t, Source{File: []byte("environments: preview\n")})
	if diff := cmp.Diff(List{"preview"}, cfg.Environments); diff != "" {
		t.Errorf("environments (-want +got):\n%s", diff)
	}
}

func TestProductsOfTheEnvironmentKeepWhatTheFileSaysOfThem(t *testing.T) {
	cfg := mustLoad(t, Source{
		File:    []byte("products: [PRD-1-1, {id: PRD-2-2, lane: slow, template: Welcome}]\n"),
		Environ: []string{"PRODUCTS=PRD-2-2, PRD-3-3"},
	})
	want := Products{{ID: "PRD-2-2", Lane: "slow", Template: "Welcome"}, {ID: "PRD-3-3"}}
	if diff := cmp.Diff(want, cfg.Products); diff != "" {
		t.Errorf("products (-want +got):\n%s", diff)
	}
	if lane := cfg.Lane("PRD-3-3"); lane != DefaultLane {
		t.Errorf("lane %q, want the default one", lane)
	}
	if diff := cmp.Diff([]string{"default", "slow"}, cfg.LaneNames()); diff != "" {
		t.Errorf("lanes (-want +got):\n%s", diff)
	}
}

func TestSecretMayComeFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("SU-1:key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := mustLoad(t, Source{Environ: []string{"CONNECT_API_KEY_FILE=" + path}})
	if got := cfg.Connect.APIKey.Reveal(); got != "SU-1:key" {
		t.Errorf("key %q, want that of the file without its newline", got)
	}
	for name, environ := range map[string][]string{
		"both":    {"CONNECT_API_KEY_FILE=" + path, "CONNECT_API_KEY=x"},
		"no file": {"CONNECT_API_KEY_FILE=" + path + "-not"},
	} {
		if _, err := Load(Source{Environ: environ}); err == nil || !strings.Contains(err.Error(), "CONNECT_API_KEY_FILE") {
			t.Errorf("%s: error %v, want one that names CONNECT_API_KEY_FILE", name, err)
		}
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	cfg := mustLoad(t, Source{Environ: []string{"CONNECT_API_KEY=hush", "REDIS_URL=redis://u:hush@h", "ADMIN_PASSWORD=hush"}})
	asJSON, err := json.Marshal(map[string]any{"connect": cfg.Connect, "redis": cfg.Redis, "admin": cfg.Admin})
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("key", "key", cfg.Connect.APIKey)
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", cfg), "%+v": fmt.Sprintf("%+v", cfg), "%#v": fmt.Sprintf("%#v", cfg), "%q": fmt.Sprintf("%q", cfg.Redis),
		"JSON": string(asJSON), "YAML": string(asYAML), "log": logged.String(),
	} {
		if strings.Contains(text, "hush") || !strings.Contains(text, redacted) {
			t.Errorf("%s shows a secret, or not that there is one: %s", name, text)
		}
	}
	if got := Secret("").String(); got != "" {
		t.Errorf("a secret that is not set prints %q", got)
	}
}

func TestFaultsAreReportedTogether(t *testing.T) {
	file := `
products: [PRD-1-1, PRD-1-1, "PRD-#", {id: PRD-2-2, lane: slow, vendor: acme}]
environments: [staging]
vendor: {operations: {purchase: {calls: []}}}
poller: {page_size: 1001}
retry: {schedule: []}
admin: {addr: "0.0.0.0:8081"}
web: {addr: nowhere}
log: {format: xml}
`
	err := mustLoad(t, Source{File: []byte(file)}).Validate(Need{Redis: true, Connect: true})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"connect.endpoint: is missing: set CONNECT_ENDPOINT", "connect.api_key: is missing: set CONNECT_API_KEY", "redis.url: is missing: set REDIS_URL",
		"PRD-1-1 is named twice", `"PRD-#"`, `lane "slow"`, `vendor "acme"`, `environments: "staging"`,
		"vendor.base_url: is missing (set VENDOR_BASE_URL)", "vendor.operations.purchase.calls: is empty",
		"poller.page_size: 1001", "retry.schedule: is empty", "admin.addr:", "web.addr:", "log.format:",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the faults lack %s:\n%v", want, err)
		}
	}
}

func TestOperatorsPortBeyondLoopbackNeedsCredentials(t *testing.T) {
	for _, test := range []struct {
		addr, username, password string
		fine                     bool
	}{
		{addr: "127.0.0.1:8081", fine: true},
		{addr: "[::1]:0", fine: true},
		{addr: "localhost:8081", fine: true},
		{addr: ":8081"},
		{addr: "0.0.0.0:8081"},
		{addr: "10.0.0.1:8081", username: "ops"},
		{addr: "10.0.0.1:8081", password: "x"},
		{addr: "10.0.0.1:8081", username: "ops", password: "x", fine: true},
	} {
		cfg := mustLoad(t, Source{Environ: working("ADMIN_ADDR="+test.addr, "ADMIN_USERNAME="+test.username, "ADMIN_PASSWORD="+test.password)})
		if err := cfg.Validate(Need{Redis: true, Connect: true}); (err == nil) != test.fine {
			t.Errorf("%+v: error %v", test, err)
		}
	}
}

func TestEndpointWithoutTheVersionIsAWarning(t *testing.T) {
	cfg := mustLoad(t, Source{Environ: working("CONNECT_ENDPOINT=https://connect.example")})
	if err := cfg.Validate(Need{Redis: true, Connect: true}); err != nil || len(cfg.Warnings()) != 1 {
		t.Errorf("error %v, warnings %q; want one warning", err, cfg.Warnings())
	}
	cfg = mustLoad(t, Source{Environ: working()})
	if warnings := cfg.Warnings(); len(warnings) != 0 {
		t.Errorf("warnings %q, want none", warnings)
	}
}
