-- +goose Up
CREATE TABLE ingest_locks (
    name TEXT NOT NULL PRIMARY KEY
);

-- +goose Down
DROP TABLE ingest_locks;
