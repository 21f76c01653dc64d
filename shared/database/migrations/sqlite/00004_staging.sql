-- +goose Up
CREATE TABLE ingest_staged (
    uid       TEXT NOT NULL,
    partition INTEGER NOT NULL,
    chunk     BIGINT NOT NULL,
    payload   BLOB NOT NULL,
    PRIMARY KEY (uid, partition, chunk)
);

-- +goose Down
DROP TABLE ingest_staged;
