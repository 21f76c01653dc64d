-- +goose Up
CREATE TABLE ingest_runs (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uid             TEXT NOT NULL UNIQUE,
    namespace       TEXT NOT NULL,
    importer        TEXT NOT NULL,
    connection      TEXT NOT NULL,
    definition      TEXT NOT NULL,
    hash            TEXT NOT NULL,
    origin          TEXT NOT NULL,
    manifest        TEXT,
    dry_run         BOOLEAN NOT NULL,
    status          TEXT NOT NULL,
    reason          TEXT NOT NULL DEFAULT '',
    warnings        TEXT NOT NULL DEFAULT '[]',
    parent          BIGINT NOT NULL DEFAULT 0,
    retried_by      BIGINT NOT NULL DEFAULT 0,
    idempotency_key TEXT,
    user_id         TEXT NOT NULL DEFAULT '',
    filename        TEXT NOT NULL DEFAULT '',
    created_at      TEXT NOT NULL,
    started_at      TEXT,
    completed_at    TEXT,
    final           TEXT,
    UNIQUE (namespace, idempotency_key)
);
CREATE INDEX ingest_runs_status ON ingest_runs (namespace, status, id);
CREATE INDEX ingest_runs_importer ON ingest_runs (namespace, importer, id);

CREATE TABLE ingest_partitions (
    uid           TEXT NOT NULL,
    partition     INTEGER NOT NULL,
    next_chunk    BIGINT NOT NULL DEFAULT 1,
    closed        BOOLEAN NOT NULL DEFAULT FALSE,
    sealed_chunks BIGINT,
    sealed_rows   BIGINT,
    created       BIGINT NOT NULL DEFAULT 0,
    updated       BIGINT NOT NULL DEFAULT 0,
    unchanged     BIGINT NOT NULL DEFAULT 0,
    skipped       BIGINT NOT NULL DEFAULT 0,
    failed        BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (uid, partition)
);

CREATE TABLE ingest_chunks (
    uid       TEXT NOT NULL,
    partition INTEGER NOT NULL,
    chunk     BIGINT NOT NULL,
    first_row BIGINT NOT NULL,
    last_row  BIGINT NOT NULL,
    hash      TEXT NOT NULL,
    created   BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    skipped   BIGINT NOT NULL,
    failed    BIGINT NOT NULL,
    histogram TEXT,
    logged    BLOB,
    PRIMARY KEY (uid, partition, chunk)
);
CREATE INDEX ingest_chunks_failed ON ingest_chunks (uid, partition, chunk, failed) WHERE failed > 0;
CREATE INDEX ingest_chunks_logged ON ingest_chunks (uid, partition, chunk) WHERE logged IS NOT NULL;

-- +goose Down
DROP TABLE ingest_chunks;
DROP TABLE ingest_partitions;
DROP TABLE ingest_runs;
