-- +goose Up
CREATE TABLE ingest_staged (
    uid       TEXT NOT NULL,
    partition INTEGER NOT NULL,
    chunk     BIGINT NOT NULL,
    payload   BYTEA NOT NULL,
    PRIMARY KEY (uid, partition, chunk)
);
ALTER TABLE ingest_staged ALTER COLUMN payload SET STORAGE EXTERNAL;

-- +goose Down
DROP TABLE ingest_staged;
