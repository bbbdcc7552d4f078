import type { Migration } from '../migrate.ts'

/**
 * An index of the run folders: all of it can be built again from them. Every resume begins a new branch; what an
 * earlier branch had past the checkpoint is flagged, so that a curve never runs backwards.
 */
export const runs: Migration = {
  version: 2,
  name: 'runs',
  sql: `
CREATE TABLE runs (
  run_no INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  method TEXT NOT NULL,
  method_name TEXT NOT NULL,
  main_metric TEXT,
  dataset_id TEXT NOT NULL,
  dataset_name TEXT NOT NULL,
  seed INTEGER NOT NULL,
  group_hash TEXT NOT NULL,
  engine TEXT NOT NULL,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  phase TEXT NOT NULL,
  queue_order REAL,
  step INTEGER NOT NULL,
  total_steps INTEGER NOT NULL,
  created_at_ms REAL NOT NULL,
  started_at_ms REAL,
  ended_at_ms REAL,
  last_event_at_ms REAL,
  pid INTEGER,
  pid_started TEXT,
  cursor_offset INTEGER NOT NULL,
  cursor_seq INTEGER NOT NULL,
  branch INTEGER NOT NULL,
  steps_per_sec REAL,
  rss_bytes REAL,
  tensor_count INTEGER,
  disk_bytes REAL NOT NULL,
  facts TEXT NOT NULL,
  summary TEXT NOT NULL,
  warnings TEXT NOT NULL,
  discarded TEXT NOT NULL,
  error TEXT,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_group ON runs (group_hash);
CREATE INDEX runs_by_state ON runs (state);

CREATE TABLE metric_names (
  name_no INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE metrics (
  run_no INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  name_no INTEGER NOT NULL REFERENCES metric_names,
  branch INTEGER NOT NULL,
  step INTEGER NOT NULL,
  wall_ms REAL NOT NULL,
  value REAL,
  discarded INTEGER NOT NULL CHECK (discarded IN (0, 1)),
  PRIMARY KEY (run_no, name_no, branch, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_samples (
  run_no INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  branch INTEGER NOT NULL,
  step INTEGER NOT NULL,
  items TEXT NOT NULL,
  discarded INTEGER NOT NULL CHECK (discarded IN (0, 1)),
  PRIMARY KEY (run_no, branch, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_checkpoints (
  run_no INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  step INTEGER NOT NULL,
  path TEXT NOT NULL,
  size_bytes REAL NOT NULL,
  sha256 TEXT NOT NULL,
  best INTEGER NOT NULL CHECK (best IN (0, 1)),
  at_ms REAL NOT NULL,
  PRIMARY KEY (run_no, step)
) STRICT, WITHOUT ROWID;
`,
}
