-- +goose Up
CREATE TABLE ingest_dry_rows (
    uid  TEXT NOT NULL,
    id   TEXT NOT NULL,
    row  BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (uid, id, row)
);
CREATE TABLE ingest_dry_forms (
    uid  TEXT NOT NULL,
    form BIGINT NOT NULL,
    id   TEXT NOT NULL,
    PRIMARY KEY (uid, form, id)
);
CREATE INDEX ingest_dry_forms_id ON ingest_dry_forms (uid, id);

-- +goose Down
DROP TABLE ingest_dry_forms;
DROP TABLE ingest_dry_rows;
