package split

import (
	"context"

	"ingest/shared/chunk"
	"ingest/shared/lifecycle"
	"ingest/shared/redisstore"
)

// ahead is how many chunks may be cut and not yet emitted.
const ahead = 4

// queue is where chunks wait for their emission, in order: the source is read on while one is encoded and on its way to
// Redis. Its memory is that of a few chunks, used again and again.
type queue struct {
	out    *emitter
	filled chan filled
	empty  chan chunk.Builder
	// payload is memory for the chunk that is on its way.
	payload []byte
	// progress is that of who reads.
	progress redisstore.SplitProgress
}

// filled is a chunk that was cut, and how far the source had been read by then.
type filled struct {
	partition int
	number    int64
	rows      chunk.Builder
	progress  redisstore.SplitProgress
}

// newQueue returns a queue of chunks of that many partitions. These fill at about the same time, and then need new memory in
// quick succession.
func newQueue(out *emitter, partitions int) *queue {
	return &queue{out: out, filled: make(chan filled, ahead), empty: make(chan chunk.Builder, ahead+partitions)}
}

// fill calls read, which puts chunks, and blocks until all of them are emitted, also those in front of what ended the
// reading with an error: where a source is broken does not depend on how quick Redis is.
func (q *queue) fill(ctx context.Context, read func(ctx context.Context) error) error {
	var broken error
	tasks := lifecycle.NewTasks(ctx)
	tasks.Go("emit", q.emit)
	tasks.Go("read", func(ctx context.Context) error {
		defer close(q.filled)
		broken = read(ctx)
		return nil
	})
	if err := tasks.Wait(); err != nil {
		return err
	}
	if broken != nil {
		return broken
	}
	return ctx.Err() // tasks that it ends are no errors of theirs
}

// put hands over the chunk of a partition. It blocks while too many wait.
func (q *queue) put(ctx context.Context, cut *cutter, p int) error {
	var next chunk.Builder
	select {
	case next = <-q.empty:
	default:
	}
	number, rows := cut.take(p, next)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case q.filled <- filled{partition: p, number: number, rows: rows, progress: q.progress}:
		return nil
	}
}

func (q *queue) emit(ctx context.Context) error {
	for c := range q.filled {
		q.out.progress = c.progress
		encode := func() []byte {
			q.payload = c.rows.AppendPayload(q.payload[:0])
			return q.payload
		}
		if err := q.out.emit(ctx, c.partition, c.number, encode); err != nil {
			return err
		}
		c.rows.Reset()
		select {
		case q.empty <- c.rows:
		default:
		}
	}
	return nil
}

// tell tells how far the source was read, when nobody reads any more.
func (q *queue) tell(ctx context.Context) error {
	q.out.progress = q.progress
	return q.out.tellAll(ctx)
}
