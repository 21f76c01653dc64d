package expression

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// Prefixed is an expression whose columns stand behind a prefix: row.sku becomes row["line_item"].sku, which names the
// column line_item.sku. A text that cannot be read is returned as it is.
func Prefixed(text, prefix string) (prefixed string) {
	defer func() {
		if recover() != nil {
			prefixed = text
		}
	}()
	// The tokens are enough, and unlike the tree they are no more than the text.
	tokens, err := lexer.Lex(file.NewSource(text))
	if err != nil {
		return text
	}
	var b strings.Builder
	before := 0
	for i := 0; i+1 < len(tokens); i++ {
		member := i > 0 && tokens[i-1].Is(lexer.Operator, ".", "?.")
		owner := tokens[i+1].Is(lexer.Operator, ".", "?.") || tokens[i+1].Is(lexer.Bracket, "[")
		if member || !owner || !tokens[i].Is(lexer.Identifier, "row") {
			continue
		}
		end := offset(text, tokens[i].To)
		b.WriteString(text[before:end] + "[" + strconv.Quote(prefix) + "]")
		before = end
	}
	return b.String() + text[before:]
}
