package extend

// Value is a text or NULL.
type Value struct {
	Text string
	Null bool
}

// Transform changes the value of a field before it is converted for its column: `transform: [{NAME: {OPTION: …}}]`.
type Transform struct {
	Name string
	// Options are the names it takes; `{NAME: text}` is short for the first.
	Options []string
	// New judges the options, when an importer is read and for every run, and returns what changes values. Its error goes on
	// after the name: "needs a country of two letters".
	//
	// What it returns sees valid text without NUL characters, or NULL, never an absent column. Its error fails the row,
	// and the error's text is the message, in which :attribute stands for the field: "The :attribute field must be an
	// IBAN." – without the value, because messages are counted.
	New func(o *Options) (func(v Value) (Value, error), error)
}

// Transform is the one of that name.
func (x Extensions) Transform(name string) (Transform, bool) {
	return find(x.Transforms, func(t Transform) bool { return t.Name == name })
}

// Build gives the transform its options. The error is for the author of an importer.
func (t Transform) Build(given map[string]any) (func(Value) (Value, error), error) {
	return build("transform", t.Name, t.Options, given, t.New)
}
