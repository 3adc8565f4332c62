package deploy_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

func loadDockerfile(t *testing.T) []instructions.Stage {
	t.Helper()
	file, err := os.Open(filepath.Join(root, "deployments/docker/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	parsed, err := parser.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range parsed.Warnings {
		t.Error(warning.Short)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(stages) != 2 {
		t.Fatalf("%d stages, want one that builds and one that runs", len(stages))
	}
	return stages
}

// find returns the last instruction of type T in a stage.
func find[T instructions.Command](t *testing.T, stage instructions.Stage) T {
	t.Helper()
	for _, command := range slices.Backward(stage.Commands) {
		if found, ok := command.(T); ok {
			return found
		}
	}
	var missing T
	t.Fatalf("stage from %s has no %T", stage.BaseName, missing)
	return missing
}

func TestImageRunsWithoutRootAndShell(t *testing.T) {
	final := loadDockerfile(t)[1]
	if !strings.Contains(final.BaseName, "distroless/static") {
		t.Errorf("base %s is not the distroless static image", final.BaseName)
	}
	if user := find[*instructions.UserCommand](t, final).User; !strings.HasPrefix(user, "nonroot") {
		t.Errorf("runs as %q, want nonroot", user)
	}
	if find[*instructions.EntrypointCommand](t, final).PrependShell {
		t.Error("the entry point needs a shell, and the image has none")
	}
}

func TestImageIsBuiltWithTheGoOfTheModule(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, version, found := strings.Cut(loadDockerfile(t)[0].BaseName, "golang:")
	if !found || !strings.Contains(string(module), "\ngo "+version+".") {
		t.Errorf("build stage has Go %q, go.mod asks for another", version)
	}
}

func TestImageHasTheConfigurationThatComposeNames(t *testing.T) {
	var copied []string
	for _, command := range loadDockerfile(t)[1].Commands {
		files, ok := command.(*instructions.CopyCommand)
		if !ok || files.From != "" {
			continue
		}
		copied = append(copied, files.DestPath)
		for _, source := range files.SourcePaths {
			if _, err := os.Stat(filepath.Join(root, source)); err != nil {
				t.Error(err)
			}
		}
	}
	for name, service := range loadCompose(t).Services {
		if path := flag(service.Command, "--config"); path != "" && !slices.Contains(copied, path) {
			t.Errorf("%s reads %s, the image has %v", name, path, copied)
		}
	}
}

func TestBuildContextHasEverySourceAndNothingPrivate(t *testing.T) {
	ignored := loadIgnored(t)
	for _, path := range []string{".git/config", ".env", "bin/connect-processor", "connect-processor.yaml", "tools/go.mod"} {
		if ok, err := ignored.MatchesOrParentMatches(path); err != nil || !ok {
			t.Errorf("%s reaches the build context (%v)", path, err)
		}
	}

	context := t.TempDir()
	copyContext(t, context, ignored)
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/connect-processor")
	list.Dir = context
	var faults strings.Builder
	list.Stderr = &faults
	if err := list.Run(); err != nil {
		t.Errorf("listing what the image is built from: %v\n%s", err, &faults)
	}
}

func loadIgnored(t *testing.T) *patternmatcher.PatternMatcher {
	t.Helper()
	file, err := os.Open(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return matcher
}

// copyContext copies what an image build would be sent.
func copyContext(t *testing.T, target string, ignored *patternmatcher.PatternMatcher) {
	t.Helper()
	source := os.DirFS(root)
	err := fs.WalkDir(source, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if path == ".git" || path == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		if skip, err := ignored.MatchesOrParentMatches(path); err != nil || skip {
			return err
		}
		content, err := fs.ReadFile(source, path)
		if err != nil {
			return err
		}
		file := filepath.Join(target, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}
