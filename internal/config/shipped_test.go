package config

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"github.com/connect-processor/connect-processor/deployments/config"
)

const reference = "../../deployments/config/connect-processor.yaml"

func mustLoad(t *testing.T, src Source) Config {
	t.Helper()
	cfg, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestProcessorExampleNeedsSixVariablesOnly(t *testing.T) {
	cfg := mustLoad(t, Source{File: examples.ProcessorExample(), Environ: []string{
		"CONNECT_ENDPOINT=https://connect.example/public/v1",
		"CONNECT_API_KEY=ApiKey SU-1:key",
		"VENDOR_BASE_URL=https://vendor.example/api",
		"PRODUCTS=PRD-100-200-300",
		"ENVIRONMENTS=preview",
		"REDIS_URL=redis://localhost:6379",
	}})
	if err := cfg.Validate(Need{Redis: true, Connect: true}); err != nil {
		t.Fatal(err)
	}
	want := []string{"cancel", "change", "purchase", "resume", "suspend"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(cfg.Vendor.Operations))); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestReferenceShowsTheDefaults(t *testing.T) {
	want := Default()
	want.Connect.Endpoint = "https://api.connect.cloudblue.com/public/v1"
	want.Vendor.Timeout = 30 * time.Second // httpvendor.DefaultTimeout
	got := mustLoad(t, Source{Path: reference})
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("the reference differs from the defaults (-default +reference):\n%s", diff)
	}
}

func TestDefaultRetriesTakeAboutADay(t *testing.T) {
	retry := Default().Retry
	var total time.Duration
	for attempt := range retry.MaxAttempts - 1 {
		total += retry.Schedule[min(attempt, len(retry.Schedule)-1)]
	}
	if total < 22*time.Hour || total > 26*time.Hour {
		t.Errorf("%d attempts take %s", retry.MaxAttempts, total)
	}
}

func TestReferenceShowsEveryKey(t *testing.T) {
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	var shown map[string]any
	if err := yaml.Unmarshal(data, &shown); err != nil {
		t.Fatal(err)
	}
	for _, path := range leaves("", reflect.TypeFor[Config]()) {
		var at any = shown
		for key := range strings.SplitSeq(path, ".") {
			section, isSection := at.(map[string]any)
			value, found := section[key]
			if !isSection || !found {
				t.Errorf("%s is not shown", path)
				break
			}
			at = value
		}
	}
}

func TestEveryKeyHasItsVariableAndEveryVariableItsKey(t *testing.T) {
	// What has a name of the operator's choice in its path, or is a mapping,
	// is written in the file only.
	fileOnly := []string{"lanes", "vendors", "vendor.operations"}
	var want []string
	for _, path := range leaves("", reflect.TypeFor[Config]()) {
		if !slices.Contains(fileOnly, path) {
			want = append(want, strings.ToUpper(strings.ReplaceAll(path, ".", "_")))
		}
	}
	slices.Sort(want)
	got := slices.DeleteFunc(allVariables(), func(name string) bool { return strings.HasSuffix(name, "_FILE") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-by key +read):\n%s", diff)
	}
}

func TestEveryVariableIsRead(t *testing.T) {
	for _, name := range allVariables() {
		if strings.HasSuffix(name, "_FILE") {
			continue
		}
		read := slices.ContainsFunc([]string{"7s", "7", "warn", "PRD-1"}, func(value string) bool {
			cfg, err := Load(Source{Environ: []string{name + "=" + value}})
			return err == nil && !cmp.Equal(cfg, Default(), cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Config{}))
		})
		if !read {
			t.Errorf("%s changes nothing", name)
		}
	}
}
