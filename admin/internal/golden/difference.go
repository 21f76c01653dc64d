package golden

import "strings"

const (
	// around is how many equal lines are shown beside a different one.
	around = 3
	// comparable bounds the work of finding the lines that two texts share.
	comparable = 4 << 20
)

// difference shows the lines that only one of two texts has, - for want and + for got, with some lines around them.
func difference(want, got string) string {
	a, b := strings.Split(strings.TrimSuffix(want, "\n"), "\n"), strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	var out strings.Builder
	marks := compared(a, b)
	hidden := false
	for i, m := range marks {
		if m.sign == ' ' && !near(marks, i) {
			if !hidden {
				out.WriteString("  …\n")
			}
			hidden = true
			continue
		}
		hidden = false
		out.WriteByte(m.sign)
		out.WriteString(" " + m.line + "\n")
	}
	return out.String()
}

// mark is a line of one text or of both.
type mark struct {
	sign byte
	line string
}

func near(marks []mark, i int) bool {
	for _, m := range marks[max(0, i-around):min(len(marks), i+around+1)] {
		if m.sign != ' ' {
			return true
		}
	}
	return false
}

// compared puts two texts together by a longest common subsequence of their lines.
func compared(a, b []string) []mark {
	var head, tail []mark
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head = append(head, mark{' ', a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append([]mark{{' ', a[len(a)-1]}}, tail...)
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	// longest[i][j] is the length of what a[i:] and b[j:] share.
	longest := make([][]int32, len(a)+1)
	for i := range longest {
		if len(a)*len(b) <= comparable {
			longest[i] = make([]int32, len(b)+1)
		}
	}
	if len(a)*len(b) <= comparable {
		for i := len(a) - 1; i >= 0; i-- {
			for j := len(b) - 1; j >= 0; j-- {
				if a[i] == b[j] {
					longest[i][j] = longest[i+1][j+1] + 1
				} else {
					longest[i][j] = max(longest[i+1][j], longest[i][j+1])
				}
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			head = append(head, mark{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && (longest[i] == nil || longest[i+1][j] >= longest[i][j+1]):
			head = append(head, mark{'-', a[i]})
			i++
		default:
			head = append(head, mark{'+', b[j]})
			j++
		}
	}
	return append(head, tail...)
}
