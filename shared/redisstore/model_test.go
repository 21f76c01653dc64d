package redisstore

import "ingest/shared/run"

// model is a run as the scripts should keep it, made of nothing but values.
type model struct {
	ref                 Ref
	known, finished     bool
	stopping, splitDone bool
	failure             string
	splitOwner          string
	splitExpired        bool
	parts               []lane
	errors              map[string]int64
}

type lane struct {
	emitted, acked, sealed, epoch, attempts, crashes int64
	owner                                            string
	expired, taken                                   bool
	counts                                           run.Counts
	entries                                          map[int64]bool
}

func (m *model) gone() bool { return !m.known || m.finished }
func (m *model) held() bool { return m.stopping || m.failure != "" }

func (m *model) inFlight() (sum int64) {
	for p, l := range m.parts {
		for n := range l.entries {
			sum += int64(len(payload(p, n)))
		}
	}
	return sum
}

func (m *model) restore(heads []Head) bool {
	if m.known {
		return false
	}
	*m = model{ref: m.ref, known: true, errors: map[string]int64{}}
	for _, h := range heads {
		m.parts = append(m.parts, lane{emitted: h.Acked, acked: h.Acked, sealed: h.Sealed, counts: h.Counts, entries: map[int64]bool{}})
	}
	return true
}

func (m *model) emit(p int, n, limit int64) Code {
	if m.gone() {
		return Gone
	}
	l := &m.parts[p]
	switch flying := m.inFlight(); {
	case m.held():
		return Stopped
	case n <= l.emitted:
		return Dup
	case l.sealed >= 0 && n > l.sealed:
		return Sealed
	case n > l.emitted+1:
		return Gap
	case flying > 0 && flying+int64(len(payload(p, n))) > limit:
		return Full
	}
	l.emitted, l.entries[n] = n, true
	return OK
}

func (m *model) seal(chunks []int64, later bool) Code {
	if m.gone() {
		return Gone
	}
	if m.held() {
		return Stopped
	}
	for p, l := range m.parts {
		if l.emitted != chunks[p] && !(later && p == len(m.parts)-1) {
			return Gap
		}
	}
	for p := range m.parts {
		m.parts[p].sealed = chunks[p]
	}
	m.splitDone = true
	return OK
}

func (m *model) lease(verb, owner string) Code {
	switch {
	case m.gone():
		return Gone
	case verb == "leave":
		if m.splitOwner == owner {
			m.splitOwner = ""
		}
		return OK
	case m.held():
		return Stopped
	case verb == "keep" && m.splitOwner != owner:
		return Held
	case verb == "take" && m.splitDone:
		return Done
	case verb == "take" && m.splitOwner != "" && m.splitOwner != owner && !m.splitExpired:
		return Held
	}
	m.splitOwner, m.splitExpired = owner, false
	return OK
}

func (m *model) acquire(owner string) (Claim, Entry, Code) {
	if m.gone() {
		return Claim{}, Entry{}, Gone
	}
	if m.held() {
		return Claim{}, Entry{}, Stopped
	}
	own, best, free := -1, -1, 0
	for p := range m.parts {
		l := &m.parts[p]
		switch todo := l.emitted - l.acked; {
		case l.owner == owner && todo > 0:
			own = p
		case l.owner == owner:
			l.giveBack()
		case (l.owner == "" || l.expired) && todo > 0:
			free++
			if best < 0 || todo > m.parts[best].emitted-m.parts[best].acked {
				best = p
			}
		}
	}
	switch {
	case own >= 0:
		best = own
	case best < 0:
		return Claim{}, Entry{}, Empty
	default:
		l := &m.parts[best]
		if l.taken = l.owner != ""; l.taken {
			l.crashes++
		}
		l.owner = owner
		l.epoch++
		free--
	}
	l := &m.parts[best]
	l.expired = false
	claim := Claim{Partition: best, Owner: owner, Epoch: l.epoch, Taken: l.taken, Acked: l.acked, Others: free > 0}
	if !l.entries[l.acked+1] {
		return claim, Entry{}, Lost
	}
	l.attempts++
	return claim, m.entry(best), OK
}

func (l *lane) giveBack() { l.owner, l.taken, l.expired = "", false, false }

// entry is what can be handed out.
func (m *model) entry(p int) Entry {
	l := &m.parts[p]
	return Entry{
		Number: l.acked + 1, Payload: payload(p, l.acked+1), Attempts: l.attempts, Crashes: l.crashes, More: l.emitted > l.acked+1,
	}
}

func (m *model) ack(a Ack) (Code, *Entry) {
	if m.gone() {
		return Gone, nil
	}
	l := &m.parts[a.Partition]
	if a.Number > l.acked+1 {
		return Gap, nil
	}
	code := Dup
	if a.Number == l.acked+1 {
		code = OK
		l.acked, l.emitted = a.Number, max(l.emitted, a.Number)
		l.counts, l.attempts, l.crashes = a.Totals, 0, 0
		for message, n := range a.Errors {
			m.errors[message] += n
		}
	}
	delete(l.entries, a.Number)
	if a.Claim == nil || a.Claim.Owner != l.owner || a.Claim.Epoch != l.epoch {
		return code, nil
	}
	if m.held() || !l.entries[l.acked+1] {
		l.giveBack()
		return code, nil
	}
	l.expired = false
	l.attempts = max(l.attempts, 1)
	entry := m.entry(a.Partition)
	return code, &entry
}

func (m *model) renew(c Claim) Code {
	if m.gone() {
		return Gone
	}
	l := &m.parts[c.Partition]
	if l.owner != c.Owner || l.epoch != c.Epoch {
		return NotOwner
	}
	l.expired = false
	if m.stopping {
		return Stopped
	}
	return OK
}

func (m *model) release(c Claim) Code {
	if m.gone() {
		return Gone
	}
	l := &m.parts[c.Partition]
	if l.epoch != c.Epoch || (l.owner != c.Owner && l.owner != "") {
		return NotOwner
	}
	l.giveBack()
	return OK
}

func (m *model) reset(p int, h Head) Code {
	if m.gone() {
		return Gone
	}
	if m.stopping {
		return Stopped
	}
	m.parts[p] = lane{
		emitted: h.Acked, acked: h.Acked, sealed: h.Sealed, epoch: m.parts[p].epoch + 1, counts: h.Counts, entries: map[int64]bool{},
	}
	m.splitDone = false
	return OK
}
