package run

import "fmt"

// Counts are numbers of rows by outcome. The zero value counts nothing.
type Counts struct {
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Skipped   int64 `json:"skipped"`
	Failed    int64 `json:"failed"`
}

// Successful is the number of rows that did not fail.
func (c Counts) Successful() int64 { return c.Created + c.Updated + c.Unchanged + c.Skipped }

// Processed is the number of rows that have an outcome.
func (c Counts) Processed() int64 { return c.Successful() + c.Failed }

// Add returns the sum of both.
func (c Counts) Add(o Counts) Counts {
	return Counts{
		Created: c.Created + o.Created, Updated: c.Updated + o.Updated, Unchanged: c.Unchanged + o.Unchanged,
		Skipped: c.Skipped + o.Skipped, Failed: c.Failed + o.Failed,
	}
}

// Balance returns an error unless total = processed + notProcessed and no number is negative.
func (c Counts) Balance(total, notProcessed int64) error {
	for name, n := range map[string]int64{
		"created": c.Created, "updated": c.Updated, "unchanged": c.Unchanged, "skipped": c.Skipped,
		"failed": c.Failed, "not processed": notProcessed,
	} {
		if n < 0 {
			return fmt.Errorf("numbers do not balance: %s is %d", name, n)
		}
	}
	if c.Processed()+notProcessed != total {
		return fmt.Errorf("numbers do not balance: %d processed + %d not processed, but %d rows in total",
			c.Processed(), notProcessed, total)
	}
	return nil
}
