package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// engineLimit is how long the Docker engine may take to answer.
	engineLimit = 20 * time.Second
	// buildLimit is how long images may take to build.
	buildLimit = 10 * time.Minute
)

// Images are what containers of the system are made of.
type Images struct{ Ingest, Redis, Postgres string }

// BuildImages skips the test where no Docker engine answers: that is the one server a machine need not have. With an
// engine, images that cannot be built are a failure. The image of the binary is this code's and removed with the test;
// those of the servers stay.
func BuildImages(t testing.TB) Images {
	t.Helper()
	if reason := noEngine(t.Context()); reason != "" {
		t.Skipf("NOT TESTED: there is no Docker engine on this machine, so that nothing was run in containers (%s)", reason)
	}
	images := Images{
		Ingest: "ingest:" + namespace(t.TempDir()), Redis: "ingest-redis:local", Postgres: "ingest-postgres:local",
	}
	_, tag, _ := strings.Cut(images.Ingest, ":")
	buildImages(t, tag, "ingest")
	t.Cleanup(func() { docker(t, "image", "rm", "--force", images.Ingest) })
	for name, image := range map[string]string{"redis": images.Redis, "postgres": images.Postgres} {
		if _, err := tryDocker(t.Context(), "image", "inspect", image); err != nil {
			buildImages(t, "local", name)
		}
	}
	return images
}

// Run runs a command of the binary in a container of its own and returns what it prints.
func (i Images) Run(t testing.TB, args ...string) string {
	t.Helper()
	return docker(t, append([]string{"run", "--rm", "--read-only", i.Ingest}, args...)...)
}

// noEngine says why there is no Docker engine, "" when there is one.
func noEngine(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, engineLimit)
	defer cancel()
	if _, err := exec.LookPath("docker"); err != nil {
		return err.Error()
	}
	if _, err := tryDocker(ctx, "info"); err != nil {
		return err.Error()
	}
	return ""
}

func buildImages(t testing.TB, tag string, names ...string) {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), buildLimit)
	defer cancel()
	build := exec.CommandContext(ctx, filepath.Join(root, "tools", "images.sh"), names...)
	build.Env = append(os.Environ(), "INGEST_IMAGE_TAG="+tag)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the Docker engine is there, but the images %v cannot be built (make images): %v\n%s", names, err, output)
	}
}

// docker runs a command of the engine and returns what it prints; an error fails the test. It works in cleanups, too.
func docker(t testing.TB, args ...string) string {
	t.Helper()
	output, err := tryDocker(context.WithoutCancel(t.Context()), args...)
	if err != nil {
		t.Errorf("%v", err)
	}
	return output
}

func tryDocker(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	command := exec.CommandContext(ctx, "docker", args...)
	var problems buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(problems.String()))
	}
	return strings.TrimSpace(string(output)), nil
}
