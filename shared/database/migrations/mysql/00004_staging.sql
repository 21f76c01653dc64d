-- +goose Up
CREATE TABLE IF NOT EXISTS ingest_staged (
    uid         CHAR(32) NOT NULL,
    "partition" INTEGER NOT NULL,
    chunk       BIGINT NOT NULL,
    payload     LONGBLOB NOT NULL,
    PRIMARY KEY (uid, "partition", chunk)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS ingest_staged;
