package redisstore

import "strconv"

// keys names every key; the value is the namespace. All keys of run 42 carry the hash tag {42}, so that one script
// may touch all of them in a cluster.
type keys string

func (k keys) active() string  { return string(k) + ":active" }
func (k keys) workers() string { return string(k) + ":workers" }
func (k keys) events() string  { return string(k) + ":events" }

func (k keys) wake(t Topic) string { return string(k) + ":wake:" + string(t) }

func (k keys) of(id int64, name string) string {
	return string(k) + ":{" + strconv.FormatInt(id, 10) + "}:" + name
}

func (k keys) run(id int64) string        { return k.of(id, "run") }
func (k keys) errors(id int64) string     { return k.of(id, "errors") }
func (k keys) validation(id int64) string { return k.of(id, "validation") }

func (k keys) partition(id int64, p int) string { return k.of(id, "partition:"+strconv.Itoa(p)) }
func (k keys) chunks(id int64, p int) string    { return k.of(id, "chunks:"+strconv.Itoa(p)) }
func (k keys) payloads(id int64, p int) string  { return k.of(id, "payloads:"+strconv.Itoa(p)) }

// throttle are the bucket of an importer and what a partition of one of its runs has taken. Their hash tag is the importer's.
func (k keys) throttle(importer, uid string, p int) []string {
	bucket := string(k) + ":throttle:{" + importer + "}"
	return []string{bucket, bucket + ":" + uid + ":" + strconv.Itoa(p)}
}

// lane is what most scripts about one partition need.
func (k keys) lane(id int64, p int) []string {
	return []string{k.run(id), k.partition(id, p), k.chunks(id, p), k.payloads(id, p)}
}

// partitions is the run followed by its partitions.
func (k keys) partitions(id int64, count int) []string {
	all := []string{k.run(id)}
	for p := range count {
		all = append(all, k.partition(id, p))
	}
	return all
}

// lanes is the run followed by what its partitions have.
func (k keys) lanes(id int64, count int) []string {
	all := []string{k.run(id)}
	for p := range count {
		all = append(all, k.partition(id, p), k.chunks(id, p), k.payloads(id, p))
	}
	return all
}

// all is every key of a run.
func (k keys) all(id int64, count int) []string {
	return append([]string{k.run(id), k.errors(id), k.validation(id)}, k.lanes(id, count)[1:]...)
}
