-- +goose Up
CREATE TABLE IF NOT EXISTS ingest_locks (
    name VARCHAR(512) NOT NULL PRIMARY KEY
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE ingest_locks;
