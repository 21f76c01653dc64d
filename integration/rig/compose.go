package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ComposeOptions say what the system in containers reads.
type ComposeOptions struct {
	Images Images
	// Importers are definitions by file name.
	Importers map[string]string
	// Tokens is the tokens file.
	Tokens string
}

// Compose is the system of compose.yaml under a project name of its own, on ports nobody else has. It is brought down
// with its volumes when the test ends.
type Compose struct {
	t       testing.TB
	dir     string
	project string
	command []string
	env     []string
}

// StartCompose brings the system up and returns when all of it is healthy.
func StartCompose(t testing.TB, o ComposeOptions) *Compose {
	t.Helper()
	c := &Compose{t: t, dir: t.TempDir(), command: composeCommand(t)}
	c.project = "ingest" + namespace(c.dir)
	c.env = append(os.Environ(),
		"INGEST_CONFIGS="+filepath.Join(c.dir, "configs"), "INGEST_FILES="+filepath.Join(c.dir, "files"),
		"INGEST_IMAGE="+o.Images.Ingest, "REDIS_IMAGE="+o.Images.Redis, "POSTGRES_IMAGE="+o.Images.Postgres,
		"INGEST_PUBLISH=127.0.0.1:0",
	)
	for name, text := range o.Importers {
		c.write(filepath.Join("configs", "importers", name), text)
	}
	c.write(filepath.Join("configs", "tokens.yaml"), o.Tokens)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("output of the containers:\n%s", tail(c.run("logs", "--no-color"), 200))
		}
		c.run("down", "--volumes", "--remove-orphans", "--timeout", "5")
	})
	c.run("up", "--detach")
	for _, service := range []string{"redis", "postgres", "coordinator", "worker"} {
		c.AwaitHealthy(service)
	}
	return c
}

// composeCommand is the plug-in, or the program that was before it.
func composeCommand(t testing.TB) []string {
	t.Helper()
	if _, err := tryDocker(t.Context(), "compose", "version"); err == nil {
		return []string{"docker", "compose"}
	}
	path, err := exec.LookPath("docker-compose")
	if err != nil {
		t.Fatal("the Docker engine is there, but neither `docker compose` nor `docker-compose`: apt-get install docker-compose")
	}
	return []string{path}
}

// write makes a file that the containers' user may read.
func (c *Compose) write(name, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c *Compose) run(args ...string) string {
	c.t.Helper()
	root, err := Root()
	if err != nil {
		c.t.Fatal(err)
	}
	// Bringing it down happens after the test's own context has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.t.Context()), commandLimit)
	defer cancel()
	all := append(c.command[1:len(c.command):len(c.command)], "--project-name", c.project)
	command := exec.CommandContext(ctx, c.command[0], append(all, args...)...)
	command.Dir, command.Env = root, c.env
	output, err := command.CombinedOutput()
	if err != nil {
		c.t.Errorf("compose %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// Scale makes a service have that many containers.
func (c *Compose) Scale(service string, count int) {
	c.t.Helper()
	c.run("up", "--detach", "--no-recreate", "--no-deps", "--scale", fmt.Sprintf("%s=%d", service, count), service)
}

// Containers are the ids of the containers of a service that run.
func (c *Compose) Containers(service string) []string {
	c.t.Helper()
	return strings.Fields(docker(c.t, "container", "ls", "--quiet",
		"--filter", "label=com.docker.compose.project="+c.project, "--filter", "label=com.docker.compose.service="+service))
}

// Kill kills a container.
func (c *Compose) Kill(container string) { c.t.Helper(); docker(c.t, "kill", container) }

// AwaitHealthy blocks until every container of a service is healthy by its own check.
func (c *Compose) AwaitHealthy(service string) {
	c.t.Helper()
	Until(c.t, commandLimit, service+" becoming healthy", func() bool {
		containers := c.Containers(service)
		for _, container := range containers {
			if docker(c.t, "container", "inspect", "--format", "{{.State.Health.Status}}", container) != "healthy" {
				return false
			}
		}
		return len(containers) > 0
	})
}

// Published is host:port of a service on this machine.
func (c *Compose) Published(service string, port int) string {
	c.t.Helper()
	return docker(c.t, "container", "port", c.first(service), fmt.Sprint(port))
}

// Address is host:port of a service in the network of the containers, which this machine reaches.
func (c *Compose) Address(service string, port int) string {
	c.t.Helper()
	ip := docker(c.t, "container", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", c.first(service))
	return fmt.Sprintf("%s:%d", ip, port)
}

func (c *Compose) first(service string) string {
	c.t.Helper()
	containers := c.Containers(service)
	if len(containers) == 0 {
		c.t.Fatalf("no container of %s runs", service)
	}
	return containers[0]
}
