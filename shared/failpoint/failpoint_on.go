//go:build failpoint && linux

// Package failpoint kills, freezes or hangs the process where it is told to.
package failpoint

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Setting is the variable that says what happens where: NAME:K:ACTION, the K-th time that NAME is met. ACTION is sigkill,
// sigstop or hang.
const Setting = "FAILPOINT"

type plan struct {
	name, action string
	mu           sync.Mutex
	left         int
}

// planned is read once: the environment of a process does not change.
var planned = sync.OnceValue(func() *plan {
	parts := strings.Split(os.Getenv(Setting), ":")
	if len(parts) != 3 {
		return &plan{}
	}
	left, err := strconv.Atoi(parts[1])
	if err != nil {
		return &plan{}
	}
	return &plan{name: parts[0], left: left, action: parts[2]}
})

// Hit does what the environment says of this place, and says so before.
func Hit(name string) {
	p := planned()
	if p.name != name || !p.due() {
		return
	}
	fmt.Fprintf(os.Stderr, "failpoint %s: %s\n", name, p.action)
	switch p.action {
	case "sigstop":
		// Sent to this thread, which cannot go on before it has taken it; another might take it a moment later.
		runtime.LockOSThread()
		_ = syscall.Tgkill(os.Getpid(), syscall.Gettid(), syscall.SIGSTOP)
		runtime.UnlockOSThread()
	case "hang":
		select {}
	default:
		die()
	}
}

func (p *plan) due() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left--
	return p.left == 0
}

// Row kills the process at a row with the cell KILL, and panics at one with the cell PANIC: there is no other way to show
// that such rows are isolated.
func Row(cells []string) {
	if slices.Contains(cells, "PANIC") {
		panic("the cells are " + cells[0])
	}
	if slices.Contains(cells, "KILL") {
		die()
	}
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
