package pipeline

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrorMessage is the column in which a file of failed rows says why each of them failed.
const ErrorMessage = "_error_message"

var (
	// shapeMessage is of a row with too few or too many cells, faultMessage of one that could not be read as cells.
	shapeMessage = regexp.MustCompile(`^The row has (\d+) columns?, the header has (\d+)\.`)
	faultMessage = regexp.MustCompile(`^(line \d+: text after a closing quote|The row is larger than )`)
)

// emptied is what has to be done where nothing else can show that a row was mended.
const emptied = " (mend the row and empty its _error_message)"

// messageAt is where the header of a file of failed rows has their messages; -1 for other files.
func messageAt(header []string) int {
	if !guarded(header) {
		return -1
	}
	return slices.IndexFunc(header, func(name string) bool { return strings.TrimSpace(name) == ErrorMessage })
}

// unmended is why a row of a file of failed rows must not go in as it stands there: it failed for its shape, and the file
// gives every row the shape of its header. A short row is filled up there, so it is mended once one of the cells it
// lacked has a text; of other rows a part is lost, which only who empties the message can know to be back.
func (p *Program) unmended(cells []string) *Failure {
	if p.messageAt < 0 || p.messageAt >= len(cells) || cells[p.messageAt] == "" {
		return nil
	}
	message := unguarded(cells[p.messageAt])
	if faultMessage.MatchString(message) {
		return &Failure{Message: strings.TrimSuffix(message, emptied) + emptied}
	}
	found := shapeMessage.FindStringSubmatch(message)
	if found == nil {
		return nil
	}
	had, few := strconv.Atoi(found[1])
	header, many := strconv.Atoi(found[2])
	if few != nil || many != nil {
		return nil
	}
	if had > header {
		return &Failure{Message: strings.TrimSuffix(message, emptied) + emptied}
	}
	for i := had; i < min(header, p.messageAt); i++ {
		if cells[i] != "" {
			return nil
		}
	}
	return &Failure{Message: message}
}
