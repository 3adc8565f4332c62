// Package deploy checks the deployment files with the parsers of those who
// will read them. It is a module of its own because those parsers bring
// dependencies that the processor does not need.
package deploy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

const root = "../.."

func loadCompose(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func mustService(t *testing.T, project *types.Project, name string) types.ServiceConfig {
	t.Helper()
	service, ok := project.Services[name]
	if !ok {
		t.Fatalf("docker-compose.yml has no service %s", name)
	}
	return service
}

// flag returns the value after a flag of a command, or "".
func flag(command []string, name string) string {
	if i := slices.Index(command, name); i >= 0 && i+1 < len(command) {
		return command[i+1]
	}
	return ""
}

func TestComposeHasTheServicesOfOneMachine(t *testing.T) {
	project := loadCompose(t)
	want := []string{"emulator", "poller", "redis", "web", "worker"}
	if got := project.ServiceNames(); !slices.Equal(got, want) {
		t.Errorf("services are %v, want %v", got, want)
	}
	poller := mustService(t, project, "poller")
	if replicas := poller.GetScale(); replicas != 2 {
		t.Errorf("%d pollers, want 2: one leads, one takes over", replicas)
	}
}

func TestComposeWorkerCanBeScaled(t *testing.T) {
	worker := mustService(t, loadCompose(t), "worker")
	if worker.ContainerName != "" {
		t.Errorf("container_name %q allows one worker only", worker.ContainerName)
	}
	if len(worker.Ports) > 0 {
		t.Errorf("published ports %v allow one worker only", worker.Ports)
	}
	if worker.StopGracePeriod == nil || worker.StopGracePeriod.String() != "1m0s" {
		t.Errorf("stop_grace_period is %v, want 60s: longer than the drain", worker.StopGracePeriod)
	}
}

func TestComposeRedisKeepsWhatItIsGiven(t *testing.T) {
	redis := mustService(t, loadCompose(t), "redis")
	if got := flag(redis.Command, "--appendonly"); got != "yes" {
		t.Errorf("--appendonly is %q, want yes", got)
	}
	if got := flag(redis.Command, "--maxmemory-policy"); got != "noeviction" {
		t.Errorf("--maxmemory-policy is %q, want noeviction", got)
	}
	onVolume := func(v types.ServiceVolumeConfig) bool { return v.Type == types.VolumeTypeVolume && v.Target == "/data" }
	if !slices.ContainsFunc(redis.Volumes, onVolume) {
		t.Errorf("/data is on no volume: %v", redis.Volumes)
	}
	if redis.HealthCheck == nil {
		t.Error("no health check for the others to wait for")
	}
}

func TestComposeCommandsAreKnown(t *testing.T) {
	for name, service := range loadCompose(t).Services {
		if service.Build == nil {
			continue
		}
		switch command := service.Command; {
		case len(command) == 0:
			t.Errorf("%s has no command", name)
		case command[0] == "emulator":
		case command[0] != "serve":
			t.Errorf("%s runs the unknown command %q", name, command[0])
		case flag(command, "--role") != name:
			t.Errorf("%s serves the role %q", name, flag(command, "--role"))
		case !slices.Contains([]string{"web", "poller", "worker"}, name):
			t.Errorf("%s is no role of the processor", name)
		}
	}
}

func TestComposeContainersHaveNoRights(t *testing.T) {
	for name, service := range loadCompose(t).Services {
		if !service.ReadOnly {
			t.Errorf("%s may write to its root", name)
		}
		if !slices.Equal(service.CapDrop, []string{"ALL"}) {
			t.Errorf("%s keeps capabilities: drops only %v", name, service.CapDrop)
		}
		if !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain privileges", name)
		}
		if service.Restart != types.RestartPolicyUnlessStopped {
			t.Errorf("%s restarts %q, want %q", name, service.Restart, types.RestartPolicyUnlessStopped)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes port %s on %q, want loopback", name, port.Published, port.HostIP)
			}
		}
	}
}

func TestComposeEnvironmentIsKnownToTheConfiguration(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "deployments/config/connect-processor.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var reference map[string]any
	if err := yaml.Unmarshal(content, &reference); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	addVariables(known, "", reference)
	if len(known) == 0 {
		t.Fatal("the annotated configuration has no keys")
	}
	for name, service := range loadCompose(t).Services {
		for variable := range service.Environment {
			if !known[strings.TrimSuffix(variable, "_FILE")] {
				t.Errorf("%s sets %s, which no configuration key reads", name, variable)
			}
		}
	}
}

// addVariables names the environment variable of every key: its path in
// capitals with underscores.
func addVariables(known map[string]bool, prefix string, section map[string]any) {
	for key, value := range section {
		variable := prefix + strings.ToUpper(key)
		if inner, ok := value.(map[string]any); ok {
			addVariables(known, variable+"_", inner)
			continue
		}
		known[variable] = true
	}
}
