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

// MessageAt is where the header of a file of failed rows has their messages; -1 for other files.
func MessageAt(header []string) int {
	if !guarded(header) {
		return -1
	}
	return slices.IndexFunc(header, func(name string) bool { return strings.TrimSpace(name) == ErrorMessage })
}

// unmended is why a row of a file of failed rows must not go in as it stands there. The file is taken to have the columns
// of the one it comes from, in their order.
func (p *Program) unmended(cells []string) *Failure {
	if p.messageAt < 0 || p.messageAt >= len(cells) || cells[p.messageAt] == "" {
		return nil
	}
	message := Unmended(unguarded(cells[p.messageAt]), func(from, to int) bool {
		from, to = min(from, p.messageAt), min(to, p.messageAt)
		return slices.ContainsFunc(cells[from:to], func(cell string) bool { return cell != "" })
	})
	if message == "" {
		return nil
	}
	return &Failure{Message: message}
}

// Unmended is why a row fails again that failed with this message, "" when nothing is in its way: it failed for its shape, and the
// file of failed rows gives every row the shape of its header. A short row is filled up there, so it is mended once one of
// the cells it lacked is filled, those from…to of the header it failed under; of other rows a part is lost, which only who
// empties the message can know to be back.
func Unmended(message string, filled func(from, to int) bool) string {
	if faultMessage.MatchString(message) {
		return Emptied(message)
	}
	found := shapeMessage.FindStringSubmatch(message)
	if found == nil {
		return ""
	}
	had, few := strconv.Atoi(found[1])
	header, many := strconv.Atoi(found[2])
	switch {
	case few != nil || many != nil:
		return ""
	case had > header || strings.HasSuffix(message, emptied):
		return Emptied(message)
	case filled(had, header):
		return ""
	default:
		return message
	}
}

// Emptied is the message of a row that nothing but its empty message can show to be mended.
func Emptied(message string) string { return strings.TrimSuffix(message, emptied) + emptied }
