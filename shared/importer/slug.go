package importer

import "fmt"

// CheckSlug answers why a text cannot be the name of an importer, nil when it can.
func CheckSlug(text string) error {
	if !slugPattern.MatchString(text) {
		return fmt.Errorf("the slug %q must be lower-case letters, digits, - and _, beginning with a letter or a digit", text)
	}
	return nil
}
