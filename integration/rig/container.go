package rig

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// server is Redis or PostgreSQL while it runs: a process of this machine, or a container with INGEST_TEST_CONTAINERS=1.
// Tests are the same either way.
type server interface {
	// Kill9 kills it and returns when it is gone; Stop freezes it, Cont lets it go on.
	Kill9()
	Stop()
	Cont()
	// Term asks it to end and returns its exit code.
	Term() int
	Ended() bool
	// Output is what it has written so far.
	Output() string
	// PID is that of a process of this machine, also for a container.
	PID() int
}

var (
	_ server = (*Process)(nil)
	_ server = (*contained)(nil)
)

// inContainers says whether servers are to run in containers, and how: once per test process, because testcontainers
// reads the environment once.
var inContainers = sync.OnceValue(func() bool {
	if os.Getenv("INGEST_TEST_CONTAINERS") != "1" {
		return false
	}
	// Its reaper would be one more image, and from a registry. What a killed test process leaves behind has the label
	// org.testcontainers.
	return os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true") == nil
})

// image is what a server's containers are made of: that of `make images`, unless a variable names another.
type image struct{ variable, local, name string }

var (
	redisImage    = image{"INGEST_TEST_REDIS_IMAGE", "ingest-redis:local", "redis"}
	postgresImage = image{"INGEST_TEST_POSTGRES_IMAGE", "ingest-postgres:local", "postgres"}
)

// building keeps two tests from building the same image.
var building sync.Mutex

// get returns the image and builds it when it is the local one and not there.
func (i image) get(t testing.TB) string {
	t.Helper()
	if named := os.Getenv(i.variable); named != "" {
		return named
	}
	if reason := noEngine(t.Context()); reason != "" {
		t.Fatalf("INGEST_TEST_CONTAINERS is set, but there is no Docker engine: %s", reason)
	}
	building.Lock()
	defer building.Unlock()
	if _, err := tryDocker(t.Context(), "image", "inspect", i.local); err != nil {
		buildImages(t, "local", i.name)
	}
	return i.local
}

// contained is a server in a container.
type contained struct {
	t         testing.TB
	name      string
	container *testcontainers.DockerContainer
}

// box says how to run one.
type box struct {
	image   image
	command []string
	env     map[string]string
	// port is the same inside and on loopback, and stays over restarts.
	port int
	// data is a directory of this machine or a volume, mounted at target: it stays over restarts, too.
	data, target string
	// user is whom the server runs as; empty lets the image decide.
	user string
}

func (b box) start(t testing.TB) *contained {
	t.Helper()
	port, err := network.ParsePort(strconv.Itoa(b.port) + "/tcp")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), startLimit)
	defer cancel()
	c, err := testcontainers.Run(ctx, b.image.get(t),
		testcontainers.WithCmd(b.command...), testcontainers.WithEnv(b.env), testcontainers.WithLogger(log.TestLogger(t)),
		testcontainers.WithExposedPorts(port.String()),
		testcontainers.WithConfigModifier(func(config *container.Config) { config.User = b.user }),
		testcontainers.WithHostConfigModifier(func(config *container.HostConfig) {
			config.PortBindings = network.PortMap{port: {{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), HostPort: strconv.Itoa(b.port)}}}
			config.Binds = []string{b.data + ":" + b.target}
		}),
	)
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatalf("start %s in a container: %v", b.image.name, err)
	}
	s := &contained{t: t, name: b.image.name, container: c}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("output of the container of %s:\n%s", s.name, tail(s.Output(), 200))
		}
	})
	return s
}

func (c *contained) id() string { return c.container.GetContainerID() }

// Kill9 also removes what is left, so that a successor can have the port.
func (c *contained) Kill9() {
	c.t.Helper()
	docker(c.t, "container", "rm", "--force", c.id())
}

func (c *contained) Stop() { c.t.Helper(); docker(c.t, "container", "pause", c.id()) }
func (c *contained) Cont() { c.t.Helper(); docker(c.t, "container", "unpause", c.id()) }

func (c *contained) Term() int {
	c.t.Helper()
	docker(c.t, "container", "stop", "--time", strconv.Itoa(int(patience/time.Second)), c.id())
	code, err := strconv.Atoi(c.inspect("{{.State.ExitCode}}"))
	if err != nil {
		c.t.Fatalf("ask for the exit code of %s: %v", c.name, err)
	}
	return code
}

func (c *contained) Ended() bool { return c.inspect("{{.State.Running}}") != "true" }

func (c *contained) Output() string { return c.print("logs", c.id()) }

func (c *contained) PID() int {
	pid, err := strconv.Atoi(c.inspect("{{.State.Pid}}"))
	if err != nil {
		return 0
	}
	return pid
}

func (c *contained) inspect(format string) string {
	return c.print("container", "inspect", "--format", format, c.id())
}

// print is empty for a container that was removed.
func (c *contained) print(args ...string) string {
	output, err := tryDocker(context.WithoutCancel(c.t.Context()), args...)
	if err != nil {
		return ""
	}
	return output
}

// ourselves is the test's own user, which has to remove what a server writes into a directory. Root can do that anyway.
func ourselves() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())
}
