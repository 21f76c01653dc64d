package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// The scripts. Each says in its header what its keys, arguments and replies are.
var (
	//go:embed scripts/deliver.lua
	deliverText string
	//go:embed scripts/restore.lua
	restoreText string
	//go:embed scripts/emit.lua
	emitText string
	//go:embed scripts/seal.lua
	sealText string
	//go:embed scripts/lease.lua
	leaseText string
	//go:embed scripts/acquire.lua
	acquireText string
	//go:embed scripts/ack.lua
	ackText string
	//go:embed scripts/try.lua
	tryText string
	//go:embed scripts/renew.lua
	renewText string
	//go:embed scripts/release.lua
	releaseText string
	//go:embed scripts/throttle.lua
	throttleText string
	//go:embed scripts/reset.lua
	resetText string
	//go:embed scripts/note.lua
	noteText string
	//go:embed scripts/fail.lua
	failText string
	//go:embed scripts/stop.lua
	stopText string
	//go:embed scripts/finish.lua
	finishText string
	//go:embed scripts/forget.lua
	forgetText string
	//go:embed scripts/heartbeat.lua
	heartbeatText string
)

type scripts struct {
	restore, emit, seal, lease, acquire, ack, try, renew, release, throttle, reset, note, fail, stop, finish, forget,
	heartbeat *redis.Script
}

// newScripts prepares the scripts. The embedded server does not understand the #! line, which says what a script may
// do when Redis is out of memory; it has no memory limit either.
func newScripts(lenient bool) scripts {
	script := func(text, shared string) *redis.Script {
		head, body, _ := strings.Cut(text, "\n")
		if lenient {
			return redis.NewScript(shared + body)
		}
		return redis.NewScript(head + "\n" + shared + body)
	}
	return scripts{
		restore: script(restoreText, ""), emit: script(emitText, ""), seal: script(sealText, ""),
		lease: script(leaseText, ""), acquire: script(acquireText, deliverText), ack: script(ackText, deliverText),
		try: script(tryText, ""), renew: script(renewText, ""), release: script(releaseText, deliverText),
		throttle: script(throttleText, ""), reset: script(resetText, deliverText), note: script(noteText, ""),
		fail: script(failText, ""), stop: script(stopText, ""), finish: script(finishText, ""), forget: script(forgetText, ""),
		heartbeat: script(heartbeatText, ""),
	}
}

// run runs a script and returns its code and what follows it.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (Code, []string, error) {
	return replyOf(script.Run(ctx, s.client, keys, args...))
}

// replyOf is the code that a script returned and what follows it.
func replyOf(of *redis.Cmd) (Code, []string, error) {
	reply, err := of.StringSlice()
	if err != nil {
		return Gone, nil, err
	}
	if len(reply) == 0 {
		return Gone, nil, fmt.Errorf("empty reply of a script")
	}
	code, err := codeOf(reply[0])
	return code, reply[1:], err
}

// numbers reads a reply's numbers.
func numbers(reply []string, count int) ([]int64, error) {
	if len(reply) < count {
		return nil, fmt.Errorf("reply of %d values instead of %d", len(reply), count)
	}
	out := make([]int64, count)
	for i := range out {
		n, err := strconv.ParseInt(reply[i], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("reply value %d is no number", i+1)
		}
		out[i] = n
	}
	return out, nil
}
