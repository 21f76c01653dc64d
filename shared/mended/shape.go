package mended

import (
	"slices"
	"strings"

	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// shapes judges rows that failed for their shape: a file may have other columns than the original, in another order.
type shapes struct {
	// places are where the original's columns stand in the file, -1 for those that it does not have.
	places []int
	// message is where the file says why its rows failed, -1 where it does not.
	message int
}

func newShapes(header, names []string) shapes {
	meant := pipeline.Meant(header)
	s := shapes{message: pipeline.MessageAt(header)}
	for _, name := range names {
		s.places = append(s.places, slices.IndexFunc(header, func(cell string) bool {
			return name != "" && strings.TrimSpace(meant(cell)) == name
		}))
	}
	return s
}

// judge makes a row that is not mended fail again, with a message that asks to be emptied: the next file does not know the
// header it failed under. One that is mended forgets why it failed, so that nobody judges it by the columns of the file.
func (s shapes) judge(r *row.Row, failed string) {
	emptied := s.message >= 0 && s.message < len(r.Cells) && r.Cells[s.message] == ""
	if why := pipeline.Unmended(failed, func(from, to int) bool {
		from, to = min(from, len(s.places)), min(to, len(s.places))
		return slices.ContainsFunc(s.places[from:to], func(at int) bool {
			return at >= 0 && at < len(r.Cells) && r.Cells[at] != ""
		})
	}); why != "" && !emptied {
		r.Fault = pipeline.Emptied(why)
		return
	}
	if s.message >= 0 && s.message < len(r.Cells) {
		r.Cells[s.message] = ""
	}
}
