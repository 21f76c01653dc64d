package extend

// Validator judges what the transforms of a field made of it: `validate: [{NAME: {OPTION: …}}]`.
type Validator struct {
	Name string
	// Options are the names it takes; `{NAME: text}` is short for the first.
	Options []string
	// New judges the options, when an importer is read and for every run, and returns what judges texts. Its error goes on
	// after the name: "needs a country of two letters".
	//
	// What it returns is not asked about NULL and empty text. Its error fails the row, and the error's text is the message,
	// without the value, because messages are counted.
	New func(o *Options) (func(text string) error, error)
}

// Validator is the one of that name.
func (x Extensions) Validator(name string) (Validator, bool) {
	return find(x.Validators, func(v Validator) bool { return v.Name == name })
}

// Build gives the validator its options. The error is for the author of an importer.
func (v Validator) Build(given map[string]any) (func(text string) error, error) {
	return build("validator", v.Name, v.Options, given, v.New)
}
