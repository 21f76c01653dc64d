package redisstore

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/lifecycle"
	"ingest/shared/run"
)

// await fails the test when no wake-up comes.
func await(t testing.TB, heard <-chan struct{}) {
	t.Helper()
	select {
	case <-heard:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody woke us")
	}
}

func still(t testing.TB, heard <-chan struct{}) {
	t.Helper()
	select {
	case <-heard:
		t.Fatal("woken without a reason")
	default:
	}
}

func testFail(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	claim, _ := s.acquire(t, ref, "a")
	heard, end := s.Listen(t.Context(), Runs)
	defer end()
	await(t, heard)
	for _, reason := range []string{"first", "second"} {
		must(t, s.Fail(t.Context(), ref, reason))
		await(t, heard)
	}
	if got := s.progress(t, ref); got.Failure != "first" || got.Stopping {
		t.Errorf("%+v", got)
	}
	want(t, Stopped)(s.refused(t, ref, "a"))
	want(t, OK)(s.Renew(t.Context(), ref, claim, hour))
}

func testStop(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	claim, _ := s.acquire(t, ref, "a")
	for range 2 {
		must(t, s.Stop(t.Context(), ref, run.Cancelling))
	}
	if got := s.progress(t, ref); !got.Stopping || got.Status != run.Cancelling {
		t.Errorf("%+v", got)
	}
	want(t, Stopped)(s.offer(t, ref, 0, 2))
	want(t, Stopped)(s.Renew(t.Context(), ref, claim, hour))
	code, _, err := s.Ack(t.Context(), ref, Ack{Number: 1, Totals: run.Counts{Created: 1}, Claim: &claim})
	want(t, OK)(code, err)
	want(t, OK)(s.Release(t.Context(), ref, claim))

	// A run that is restored while it is being cancelled hands out nothing either.
	st := s.state(1)
	st.Status = run.Cancelling
	if _, err := s.Restore(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	want(t, Stopped)(s.offer(t, st.Ref, 0, 1))
}

func testFinish(t *testing.T, s *site) {
	ref := s.begin(t, 2)
	s.emit(t, ref, 0, 1)
	code, _, err := s.Ack(t.Context(), ref, Ack{Number: 1, Errors: map[string]int64{"e": 1}})
	want(t, OK)(code, err)
	s.emit(t, ref, 1, 1)
	bare := Ref{ID: ref.ID, UID: ref.UID} // the caller need not know how many partitions there are
	// What was counted before gives way to the final numbers.
	final := run.Final{
		Total: 9, Counts: run.Counts{Created: 1, Updated: 2, Unchanged: 3, Skipped: 1, Failed: 2},
		Errors:     []run.MessageCount{{Message: "final", Count: 2}},
		Validation: []run.MessageCount{{Message: "v", Count: 4}, {Message: "w", Count: 1}},
	}
	ended, end := s.Listen(t.Context(), Ended)
	defer end()
	await(t, ended)
	must(t, s.Finish(t.Context(), bare, run.Failed, final))
	await(t, ended)
	must(t, s.Finish(t.Context(), bare, run.Completed, run.Final{}))
	still(t, ended)
	if keys := s.dump(t, ref); len(keys) != 3 {
		t.Errorf("keys: %v", keys)
	}
	for _, key := range []string{s.keys.run(ref.ID), s.keys.errors(ref.ID), s.keys.validation(ref.ID)} {
		if ttl := s.client.TTL(t.Context(), key).Val(); ttl < 23*hour || ttl > keep {
			t.Errorf("%s lives %v", key, ttl)
		}
	}
	got := s.progress(t, ref)
	if got.Status != run.Failed || len(got.Partitions) != 0 || got.InFlight != 0 || got.Counts != final.Counts || got.Total != 9 {
		t.Errorf("%+v", got)
	}
	errors, validation, err := s.Histograms(t.Context(), ref.ID)
	if err != nil || !slices.Equal(errors, final.Errors) || !slices.Equal(validation, final.Validation) {
		t.Error(errors, validation, err)
	}
	if _, found, err := s.Definition(t.Context(), ref.ID); err != nil || found {
		t.Error("workers see an ended run", err)
	}
	st := s.state(2)
	st.Ref = ref
	if created, err := s.Restore(t.Context(), st); err != nil || created {
		t.Error("an ended run came back", err)
	}
	if active, err := s.Active(t.Context()); err != nil || len(active) != 0 {
		t.Error(active, err)
	}
}

func testDescribe(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	if _, found, err := s.Described(t.Context(), ref.ID); err != nil || found {
		t.Errorf("a run nobody described: %v", err)
	}
	r := run.Run{
		ID: ref.ID, UID: ref.UID, Importer: "users", Connection: "warehouse", User: "ops", Filename: "ü.csv", DryRun: true,
		Parent: 3, StartedAt: time.UnixMicro(1_769_508_000_123_456).UTC(), Definition: []byte("{}"), Final: &run.Final{},
	}
	must(t, s.Describe(t.Context(), r))
	got, found, err := s.Described(t.Context(), ref.ID)
	r.Definition, r.Final = nil, nil
	if err != nil || !found || !reflect.DeepEqual(got, r) {
		t.Errorf("%v %v\n%+v", found, err, got)
	}
	r.UID = "another"
	must(t, s.Describe(t.Context(), r))
	if got, _, err := s.Described(t.Context(), ref.ID); err != nil || got.UID != ref.UID {
		t.Errorf("another run was described: %+v %v", got, err)
	}
}

func testForget(t *testing.T, s *site) {
	ref, other := s.begin(t, 2), s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	for range 2 {
		must(t, s.Forget(t.Context(), ref.ID))
		if keys := s.dump(t, ref); len(keys) != 0 {
			t.Errorf("keys: %v", keys)
		}
	}
	if _, found, err := s.Progress(t.Context(), ref.ID); err != nil || found {
		t.Error(found, err)
	}
	// Somebody else may have restored another run between our look at the keys and the script.
	code, _, err := s.run(t.Context(), s.scripts.forget, s.keys.all(other.ID, 1), ref.UID)
	want(t, Other)(code, err)
	if keys := s.dump(t, other); len(keys) == 0 {
		t.Error("another run was deleted")
	}
	active, err := s.Active(t.Context())
	if must(t, err); !slices.Equal(active, []int64{other.ID}) {
		t.Error(active)
	}
}

func testReports(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	since := time.UnixMilli(1700000000000)
	for i := range 2 {
		must(t, s.SetStatus(t.Context(), ref, run.Pending))
		// Whoever says it again, or says it better, does not know since when.
		must(t, s.SetWaiting(t.Context(), ref, "Waiting: no worker", since.Add(time.Duration(i)*time.Hour)))
		must(t, s.Split(t.Context(), ref, SplitProgress{Rows: 1, Bytes: 2, BytesTotal: 3}))
	}
	want(t, OK)(s.TakeSplit(t.Context(), ref, "c", hour))
	got := s.progress(t, ref)
	got.FirstSeen = time.Time{}
	wanted := Progress{
		UID: ref.UID, Status: run.Pending, Waiting: "Waiting: no worker", WaitingSince: since, SplitRows: 1, SplitBytes: 2,
		BytesTotal: 3, SplitOwner: "c", Partitions: []PartitionState{{Sealed: -1}},
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
	must(t, s.SetWaiting(t.Context(), ref, "", time.Time{}))
	if got := s.progress(t, ref); got.Waiting != "" || !got.WaitingSince.IsZero() {
		t.Errorf("%+v", got)
	}
	if _, found, err := s.Definition(t.Context(), 999999); err != nil || found {
		t.Error(found, err)
	}
}

func testProcesses(t *testing.T, s *site) {
	at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC) // a process whose clock is wrong lives all the same
	worker := Process{ID: "w", Host: "h", PID: 7, Version: "1", Role: "worker", Slots: []string{"idle"}, At: at}
	coordinator := Process{ID: "c", Role: "coordinator", Spools: []string{"s"}, At: at}
	for _, p := range []Process{worker, coordinator, {ID: "dead", Role: "worker", At: at}, worker} {
		must(t, s.Heartbeat(t.Context(), p))
	}
	must(t, s.client.HSet(t.Context(), s.keys.workers(), "dead", `1700000000000 {"id":"dead"}`).Err())
	got, err := s.Processes(t.Context())
	must(t, err)
	if diff := cmp.Diff([]Process{coordinator, worker}, got); diff != "" {
		t.Error(diff)
	}
	if s.client.HExists(t.Context(), s.keys.workers(), "dead").Val() {
		t.Error("the dead process is remembered")
	}
}

func testEvents(t *testing.T, s *site) {
	must(t, s.Event(t.Context(), "1-failed", map[string]string{"status": "failed", "run": "1"}))
	must(t, s.Event(t.Context(), "2-completed", nil))
	got := s.client.XRange(t.Context(), s.keys.events(), "-", "+").Val()
	if len(got) != 2 {
		t.Fatalf("%d events", len(got))
	}
	if diff := cmp.Diff(map[string]any{"id": "1-failed", "status": "failed", "run": "1"}, got[0].Values); diff != "" {
		t.Error(diff)
	}
}

func testWake(t *testing.T, s *site) {
	work, endWork := s.Listen(t.Context(), Work)
	runs, endRuns := s.Listen(t.Context(), Runs)
	defer endRuns()
	await(t, work)
	await(t, runs)
	must(t, s.Wake(t.Context(), Work))
	await(t, work)
	still(t, runs)

	ref := s.begin(t, 2)
	s.emit(t, ref, 0, 1)
	await(t, work)
	s.emit(t, ref, 0, 2)
	s.emit(t, ref, 1, 1)
	await(t, work)

	endWork()
	endWork()
	tasks := lifecycle.NewTasks(t.Context())
	_, endWithContext := s.Listen(tasks.Context(), Work)
	tasks.Stop()
	endWithContext()
	must(t, tasks.Wait())
}

// testReasons counts the wake-ups of coordinators: one when the limit of failed rows is passed, one when the run is
// sealed, one with its last chunk, and no others.
func testReasons(t *testing.T, s *site) {
	subscription := s.client.Subscribe(t.Context(), s.keys.wake(Runs))
	defer func() { must(t, subscription.Close()) }()
	if _, err := subscription.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	woken := func(times int) {
		t.Helper()
		must(t, s.client.Publish(t.Context(), s.keys.wake(Runs), "end").Err())
		for got := 0; ; got++ {
			message, err := subscription.ReceiveMessage(t.Context())
			must(t, err)
			if message.Payload == "end" {
				if got != times {
					t.Fatalf("woken %d times, not %d", got, times)
				}
				return
			}
		}
	}
	ref := s.begin(t, 3)
	ack := func(p int, n, failed int64) {
		t.Helper()
		_, _, err := s.Ack(t.Context(), ref, Ack{Partition: p, Number: n, Totals: run.Counts{Failed: failed}, FailedLimit: 5})
		must(t, err)
	}
	s.emit(t, ref, 0, 1)
	s.emit(t, ref, 1, 1)
	s.emit(t, ref, 2, 1)
	ack(0, 1, 5)
	woken(0)
	ack(0, 2, 6)
	woken(1)
	ack(0, 2, 6)
	ack(0, 3, 7)
	woken(0)
	s.emit(t, ref, 0, 4)
	want(t, OK)(s.Seal(t.Context(), ref, []int64{4, 1, 1}, 5, false))
	woken(1)
	ack(0, 4, 8)
	woken(0)
	ack(2, 1, 0)
	woken(1)
	ack(1, 1, 0)
	woken(1)
	ack(1, 1, 0)
	woken(0)
}

func testFlush(t *testing.T, shared *site) {
	s := &site{Store: shared.alone(t), name: shared.name}
	ref := s.begin(t, 1)
	for n := int64(1); n <= 20; n++ {
		must(t, s.client.ScriptFlush(t.Context()).Err())
		s.emit(t, ref, 0, n)
	}
}
