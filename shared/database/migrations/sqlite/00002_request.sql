-- +goose Up
ALTER TABLE ingest_runs ADD COLUMN request TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE ingest_runs DROP COLUMN request;
