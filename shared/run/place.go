package run

// Place is where a row of a run is: a partition and the number of the chunk in it.
type Place struct {
	Partition int
	Chunk     int64
}
