package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// processes are the roots of process trees that are watched, by what they are: database, redis, coordinator, worker.
// Everything else that this process has started is the client.
type processes map[string][]int

// client is whoever asks: psql, pgloader, `ingest run`.
const client = "client"

// Sample is what one round needed.
type Sample struct {
	Seconds float64 `json:"seconds"`
	// CPU is user and system time of the whole process trees.
	CPU CPU `json:"cpu"`
	// Peak is the greatest resident size of a process meanwhile, in MiB.
	Peak map[string]float64 `json:"peak,omitempty"`
}

// CPU are seconds by process.
type CPU map[string]float64

func (c CPU) total() float64 {
	sum := 0.0
	for _, seconds := range c {
		sum += seconds
	}
	return sum
}

// measure runs something and says what it needed.
func (b *Bench) measure(watched processes, run func()) Sample {
	b.Helper()
	before := cpu(b, watched)
	for _, pids := range watched {
		for _, pid := range pids {
			// 5 sets the peak back to what is resident now. A kernel that refuses leaves the peak since the process began.
			_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
		}
	}
	began := time.Now()
	run()
	sample := Sample{Seconds: time.Since(began).Seconds(), CPU: cpu(b, watched), Peak: map[string]float64{}}
	for name := range sample.CPU {
		sample.CPU[name] -= before[name]
	}
	for name, pids := range watched {
		for _, pid := range pids {
			sample.Peak[name] = max(sample.Peak[name], peak(b, pid))
		}
	}
	return sample
}

// ticks is USER_HZ, which is 100 on every Linux that Go knows.
const ticks = 100

// stat is a process of /proc: its parent, its own time and that of its ended children.
type stat struct {
	parent    int
	own, dead float64
}

// cpu returns the CPU seconds so far. Whoever ends meanwhile is counted by its parent, which has waited for it.
func cpu(b *Bench, watched processes) CPU {
	b.Helper()
	all := map[int]stat{}
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, of, err := parse(string(text))
		if err != nil {
			b.Fatal(err)
		}
		all[pid] = of
	}
	roots := map[int]string{os.Getpid(): client}
	used := CPU{client: 0}
	for name, pids := range watched {
		used[name] = 0
		for _, pid := range pids {
			roots[pid] = name
		}
	}
	for pid, of := range all {
		for at := pid; at > 1; at = all[at].parent {
			if name, root := roots[at]; root {
				used[name] += of.dead
				if pid != os.Getpid() { // what measures does not count
					used[name] += of.own
				}
				break
			}
		}
	}
	return used
}

// parse reads a line of /proc/PID/stat. The name in it may hold anything.
func parse(text string) (pid int, of stat, err error) {
	begin, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return 0, of, fmt.Errorf("no line of /proc/PID/stat: %q", text)
	}
	pid, err = strconv.Atoi(strings.TrimSpace(text[:begin]))
	if err != nil {
		return 0, of, fmt.Errorf("no line of /proc/PID/stat: %q", text)
	}
	const parent, user, last = 1, 11, 15 // behind the name: state, parent, …, utime, stime, cutime, cstime
	columns := strings.Fields(text[end+1:])
	if len(columns) < last {
		return 0, of, fmt.Errorf("no line of /proc/PID/stat: %q", text)
	}
	var times [last - user]float64
	for n := range times {
		if times[n], err = strconv.ParseFloat(columns[user+n], 64); err != nil {
			return 0, of, fmt.Errorf("no line of /proc/PID/stat: %q", text)
		}
	}
	of.parent, err = strconv.Atoi(columns[parent])
	of.own, of.dead = (times[0]+times[1])/ticks, (times[2]+times[3])/ticks
	return pid, of, err
}

// peak is the greatest resident size of a process, in MiB.
func peak(t testing.TB, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib / 1024
		}
	}
	t.Fatal("the kernel tells no VmHWM")
	return 0
}

// run runs a program to its end and returns what it printed.
func run(t testing.TB, input, program string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", program, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}
