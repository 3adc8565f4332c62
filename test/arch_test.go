// Package test holds what concerns the program as a whole: who may import
// whom, and the program run from end to end.
package test_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/connect-processor/connect-processor"

// arrows says which packages of ours each package may import. The same table
// is drawn in ARCHITECTURE.md.
func arrows() map[string][]string {
	return map[string][]string{
		"cmd/connect-processor": {"processor", "processor/cli"},
		"processor/cli":         {"internal/app", "internal/config", "internal/observability", "processor"},
		"internal/app": {
			"connect", "deployments/config", "processor",
			"internal/admin", "internal/config", "internal/emulator", "internal/fulfillment", "internal/httpvendor",
			"internal/journal", "internal/limit", "internal/poller", "internal/queue", "internal/worker",
		},

		// What a vendor sees.
		"connect":   {},
		"processor": {"connect"},

		// What happens to a request.
		"internal/fulfillment": {"connect", "processor"},
		"internal/httpvendor":  {"connect", "processor"},

		// How it gets there.
		"internal/admin":  {},
		"internal/poller": {"connect", "internal/limit", "internal/queue"},
		"internal/worker": {"connect", "internal/fulfillment", "internal/journal", "internal/limit", "internal/queue", "processor"},

		// What they stand on.
		"internal/config":        {"internal/httpvendor"},
		"internal/journal":       {"processor"},
		"internal/limit":         {"processor"},
		"internal/observability": {},
		"internal/queue":         {"internal/journal", "processor"},

		// Two servers to try the program against. They share no type with it:
		// a fake with the client's own structs would prove nothing.
		"internal/emulator": {},
		"test/minimal":      {},

		"deployments/config": {},

		// For tests only.
		"internal/redistest": {},
	}
}

func TestPackagesImportOnlyWhatTheirArrowsAllow(t *testing.T) {
	arrows := arrows()
	for name, imports := range importsOfEveryPackage(t) {
		allowed, known := arrows[name]
		if !known {
			t.Errorf("%s: the table does not know this package: add it with its arrows", name)
			continue
		}
		for _, imported := range imports {
			ours, isOurs := strings.CutPrefix(imported, module+"/")
			if isOurs && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s, which its arrows do not allow", name, ours)
			}
		}
	}
}

func TestAsynqIsKnownToQueueWorkerAndAdminOnly(t *testing.T) {
	knows := []string{"internal/admin", "internal/queue", "internal/worker"}
	for name, imports := range importsOfEveryPackage(t) {
		for _, imported := range imports {
			if strings.HasPrefix(imported, "github.com/hibiken/asynq") && !slices.Contains(knows, name) {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

func TestPublicPackagesAndServersNeedTheStandardLibraryOnly(t *testing.T) {
	packages := importsOfEveryPackage(t)
	for _, name := range []string{"connect", "processor", "internal/emulator", "test/minimal"} {
		imports, found := packages[name]
		if !found {
			t.Errorf("there is no package %s", name)
		}
		for _, imported := range imports {
			first, _, _ := strings.Cut(imported, "/")
			if strings.Contains(first, ".") && !strings.HasPrefix(imported, module+"/") {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

// importsOfEveryPackage reads what the module's packages import outside their
// tests, by path within the module. The files are parsed here rather than
// asked of the go command, so that a cached result is dropped when one of
// them changes, and files for other systems are read too.
func importsOfEveryPackage(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	tree := os.DirFS("..")
	err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipForeign(tree, file)
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, content, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name := path.Dir(file)
		if found[name] == nil {
			found[name] = map[string]bool{}
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[name][imported] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sorted := map[string][]string{}
	for name, imports := range found {
		sorted[name] = slices.Sorted(maps.Keys(imports))
	}
	return sorted
}

// skipForeign skips folders that the go command does not count to the module.
func skipForeign(tree fs.FS, folder string) error {
	if folder == "." {
		return nil
	}
	name := path.Base(folder)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(tree, path.Join(folder, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}
