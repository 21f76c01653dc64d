package split

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/lifecycle"
	"ingest/shared/redisstore"
	"ingest/shared/run"
	"ingest/shared/spool"
)

// pin fixes the manifest, fetching the source first where it has to be. A fetched file stays only if the run names it then.
func (s *Splitter) pin(ctx context.Context, r run.Run, db *database.DB) (fixed run.Run, err error) {
	if r.Origin.Fetch && r.Origin.Path == "" {
		if r.Origin, err = s.fetch(ctx, r); err != nil {
			return r, err
		}
		defer func() {
			if err == nil && fixed.Origin.Path == r.Origin.Path {
				return
			}
			if removeErr := s.spool.Remove(r.Origin.Path); removeErr != nil {
				s.log.Warn("a fetched source that is not needed was not removed", zap.Int64("run", r.ID), zap.Error(removeErr))
			}
		}()
	}
	m, err := s.prepare(ctx, r, db)
	if err != nil {
		return r, err
	}
	if fixed, err = s.registry.Fix(ctx, r.ID, m, r.Origin); err != nil {
		return r, fmt.Errorf("fix the manifest: %w", err)
	}
	return fixed, nil
}

// fetch stores what the run's source sends in the spool and says where it lies.
func (s *Splitter) fetch(ctx context.Context, r run.Run) (run.Origin, error) {
	stream, err := s.stream(r)
	if err != nil {
		return r.Origin, err
	}
	s.waiting(ctx, r, "Waiting: the source is fetched.", time.Time{})
	path, err := s.bring(ctx, stream)
	s.waiting(ctx, r, "", time.Time{})
	if err != nil {
		return r.Origin, err
	}
	o := r.Origin
	o.Path, o.Spool, o.Spooled = path, s.spool.ID(), true
	return o, nil
}

// waiting tells what the run waits for. It only informs: the source is not fetched again because it was not heard.
func (s *Splitter) waiting(ctx context.Context, r run.Run, text string, since time.Time) {
	ref := redisstore.Ref{ID: r.ID, UID: r.UID}
	if err := s.redis.SetWaiting(context.WithoutCancel(ctx), ref, text, since); err != nil {
		s.log.Debug("what the run waits for was not told", zap.Int64("run", r.ID), zap.Error(err))
	}
}

func (s *Splitter) stream(r run.Run) (extend.Stream, error) {
	d, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return extend.Stream{}, err
	}
	own, ok := s.extensions.Source(d.Source.Type)
	if !ok {
		return extend.Stream{}, &failure{reason: fmt.Sprintf("This coordinator does not have the source '%s'.", d.Source.Type)}
	}
	options, err := d.SourceOptions()
	if err != nil {
		return extend.Stream{}, &failure{reason: err.Error()}
	}
	stream, err := own.Build(options)
	if err != nil {
		return stream, &failure{reason: fmt.Sprintf("The source of the importer is wrong: %v.", err)}
	}
	return stream, nil
}

// bring opens a stream and stores it. It ends with ctx, and fails the run when nothing comes for too long.
func (s *Splitter) bring(ctx context.Context, stream extend.Stream) (path string, err error) {
	from := &watched{}
	tasks := lifecycle.NewTasks(ctx)
	tasks.Go("watch the source", func(ctx context.Context) error {
		for seen := int64(-1); seen != from.moved.Load(); {
			seen = from.moved.Load()
			if lifecycle.Wait(ctx, s.settings.SourceTimeout, nil) != nil {
				return nil
			}
		}
		return &failure{reason: fmt.Sprintf("The source sent nothing for %s (source_timeout).", s.settings.SourceTimeout)}
	})
	tasks.Go("store the source", func(ctx context.Context) (err error) {
		defer tasks.Stop()
		path, err = s.store(ctx, stream, from)
		return err
	})
	err = tasks.Wait()
	if err != nil && path != "" {
		err = errors.Join(err, s.spool.Remove(path))
	}
	if err == nil && path == "" || err != nil && ctx.Err() != nil {
		return "", ctx.Err() // whatever the source says of it
	}
	return path, err
}

func (s *Splitter) store(ctx context.Context, stream extend.Stream, from *watched) (string, error) {
	opened, err := stream.Open(ctx)
	if err != nil {
		return "", &failure{reason: "The source could not be opened: " + extend.Message(err)}
	}
	from.r = opened
	// A read that waits for bytes hears of the end by this, too.
	closing := context.AfterFunc(ctx, func() { _ = opened.Close() })
	path, err := s.spool.Store(ctx, from, int64(s.settings.MaxSource))
	if closing() {
		if closeErr := opened.Close(); err == nil && closeErr != nil {
			from.err = closeErr
			err = errors.Join(closeErr, s.spool.Remove(path))
		}
	}
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, spool.ErrTooLarge):
		return "", &failure{reason: fmt.Sprintf("The source is larger than the limit of %s (max_source).", s.settings.MaxSource)}
	case from.err != nil:
		return "", &failure{reason: "The source could not be read: " + extend.Message(from.err)}
	default:
		return "", err
	}
}

// watched tells how much came and keeps why no more does.
type watched struct {
	r     io.Reader
	moved atomic.Int64
	err   error
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.moved.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}
