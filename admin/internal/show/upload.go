package show

import (
	"fmt"
	"time"
)

// redraw is how often a line is drawn anew at most.
const redraw = 100 * time.Millisecond

// Upload prints how much of a file was sent, to Err: on a terminal one line that is drawn anew, else a line for every
// tenth. It is not safe for concurrent use.
type Upload struct {
	screen Screen
	name   string
	size   int64
	began  time.Time
	at     time.Time
	tenth  int
}

// NewUpload returns the progress of a file of size bytes, -1 when that is not known. It has printed nothing yet.
func NewUpload(s Screen, name string, size int64, now time.Time) *Upload {
	return &Upload{screen: s, name: name, size: size, began: now}
}

// Sent says that so many bytes were sent until now.
func (u *Upload) Sent(bytes int64, now time.Time) {
	if u.screen.Quiet {
		return
	}
	live := u.screen.Live
	if live == nil {
		if tenth := percent(bytes, u.size) / 10; u.size > 0 && tenth > u.tenth {
			u.tenth = tenth
			fmt.Fprintln(u.screen.Err, u.line(bytes, now))
		}
		return
	}
	if now.Sub(u.at) < redraw && bytes != u.size {
		return
	}
	u.at = now
	live.Draw(func(int) []string { return []string{u.line(bytes, now)} })
}

// End clears the line on a terminal. It may be called more than once.
func (u *Upload) End() {
	if live := u.screen.Live; live != nil && !u.screen.Quiet {
		live.Clear()
	}
}

func (u *Upload) line(sent int64, now time.Time) string {
	text := fmt.Sprintf("Uploading %s ", clean(u.name))
	if u.size > 0 {
		text += fmt.Sprintf("%d%% of %s", percent(sent, u.size), bytesOf(u.size))
	} else {
		text += bytesOf(sent)
	}
	if u.size > 0 && u.screen.Live != nil {
		text = bar(sent, u.size, barWidth) + " " + text
	}
	if taken := now.Sub(u.began).Seconds(); taken > 0.5 {
		text += fmt.Sprintf(" · %s/s", bytesOf(int64(float64(sent)/taken)))
	}
	return text
}

// bytesOf is a number of bytes for people.
func bytesOf(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	size, names := float64(n)/unit, "KMGT"
	i := 0
	for size >= unit && i < len(names)-1 {
		size, i = size/unit, i+1
	}
	return fmt.Sprintf("%.1f %ciB", size, names[i])
}
