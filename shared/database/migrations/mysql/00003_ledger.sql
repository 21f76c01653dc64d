-- +goose Up
-- DDL commits at once here, so every statement can be repeated. Names of the engine are compared byte by byte.
CREATE TABLE IF NOT EXISTS ingest_runs (
    id              BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    uid             CHAR(32) NOT NULL UNIQUE,
    namespace       VARCHAR(255) NOT NULL,
    importer        VARCHAR(255) NOT NULL,
    connection      VARCHAR(255) NOT NULL,
    definition      LONGTEXT NOT NULL,
    hash            VARCHAR(255) NOT NULL,
    origin          LONGTEXT NOT NULL,
    manifest        LONGTEXT,
    dry_run         BOOLEAN NOT NULL,
    status          VARCHAR(32) NOT NULL,
    reason          LONGTEXT NOT NULL DEFAULT (''),
    warnings        LONGTEXT NOT NULL DEFAULT ('[]'),
    parent          BIGINT NOT NULL DEFAULT 0,
    retried_by      BIGINT NOT NULL DEFAULT 0,
    idempotency_key VARCHAR(512),
    request         LONGTEXT NOT NULL DEFAULT (''),
    user_id         LONGTEXT NOT NULL DEFAULT (''),
    filename        LONGTEXT NOT NULL DEFAULT (''),
    created_at      VARCHAR(32) NOT NULL,
    started_at      VARCHAR(32),
    completed_at    VARCHAR(32),
    final           LONGTEXT,
    UNIQUE INDEX ingest_runs_key (namespace, idempotency_key),
    INDEX ingest_runs_status (namespace, status, id),
    INDEX ingest_runs_importer (namespace, importer, id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ingest_partitions (
    uid           CHAR(32) NOT NULL,
    "partition"   INTEGER NOT NULL,
    next_chunk    BIGINT NOT NULL DEFAULT 1,
    closed        BOOLEAN NOT NULL DEFAULT FALSE,
    sealed_chunks BIGINT,
    sealed_rows   BIGINT,
    created       BIGINT NOT NULL DEFAULT 0,
    updated       BIGINT NOT NULL DEFAULT 0,
    unchanged     BIGINT NOT NULL DEFAULT 0,
    skipped       BIGINT NOT NULL DEFAULT 0,
    failed        BIGINT NOT NULL DEFAULT 0,
    -- who has the chunk transaction that moved next_chunk; read by others before it is committed
    session       BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (uid, "partition")
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ingest_chunks (
    uid         CHAR(32) NOT NULL,
    "partition" INTEGER NOT NULL,
    chunk       BIGINT NOT NULL,
    first_row   BIGINT NOT NULL,
    last_row    BIGINT NOT NULL,
    hash        VARCHAR(255) NOT NULL,
    created     BIGINT NOT NULL,
    updated     BIGINT NOT NULL,
    unchanged   BIGINT NOT NULL,
    skipped     BIGINT NOT NULL,
    failed      BIGINT NOT NULL,
    histogram   LONGTEXT,
    logged      LONGBLOB,
    PRIMARY KEY (uid, "partition", chunk),
    INDEX ingest_chunks_failed (uid, failed)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ingest_dry_rows (
    uid   CHAR(32) NOT NULL,
    id    VARCHAR(512) NOT NULL,
    "row" BIGINT NOT NULL,
    body  LONGTEXT NOT NULL,
    PRIMARY KEY (uid, id, "row")
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ingest_dry_forms (
    uid  CHAR(32) NOT NULL,
    form BIGINT NOT NULL,
    id   VARCHAR(512) NOT NULL,
    PRIMARY KEY (uid, form, id),
    INDEX ingest_dry_forms_id (uid, id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Whoever inserts a name, or finds it there, holds it until the transaction ends.
CREATE TABLE IF NOT EXISTS ingest_locks (
    name VARCHAR(512) NOT NULL PRIMARY KEY
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS ingest_locks, ingest_dry_forms, ingest_dry_rows, ingest_chunks, ingest_partitions, ingest_runs;
