CREATE INDEX annotators_by_key ON annotators (name_key);

CREATE UNIQUE INDEX annotators_here ON annotators (name_key) WHERE imported = 0;

CREATE UNIQUE INDEX annotators_of_file ON annotators (dataset_id, name_key) WHERE imported = 1;

CREATE INDEX label_events_answers ON label_events (dataset_id, annotator_id, label_id) WHERE kind = 'answer';

CREATE INDEX label_events_by_annotator ON label_events (dataset_id, annotator_id, label_id);

CREATE UNIQUE INDEX label_events_by_client_key ON label_events (dataset_id, annotator_id, client_key) WHERE client_key IS NOT NULL;

CREATE INDEX label_events_by_pair ON label_events (dataset_id, pair_idx, label_id);

CREATE INDEX label_events_in_order ON label_events (dataset_id, label_id);

CREATE UNIQUE INDEX pairs_by_pair_id ON pairs (dataset_id, pair_id);

CREATE INDEX runs_by_group ON runs (group_hash);

CREATE INDEX runs_by_state ON runs (state);

CREATE INDEX undone_answers_redoable ON undone_answers (dataset_id, annotator_id, undo_id) WHERE redoable = 1;

CREATE TABLE annotators (
  annotator_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  imported INTEGER NOT NULL CHECK (imported IN (0, 1)),
  dataset_id TEXT,
  created_at_ms INTEGER NOT NULL,
  CHECK (imported = 1 OR dataset_id IS NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (
  dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
  pair_idx INTEGER NOT NULL,
  annotator_id TEXT NOT NULL,
  label_id INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  strength TEXT,
  PRIMARY KEY (dataset_id, pair_idx, annotator_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE dataset_sides (
  dataset_id TEXT PRIMARY KEY REFERENCES datasets ON DELETE CASCADE,
  sides BLOB NOT NULL
) STRICT;

CREATE TABLE datasets (
  dataset_id TEXT PRIMARY KEY,
  ready INTEGER NOT NULL CHECK (ready IN (0, 1)),
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  source TEXT NOT NULL,
  licence TEXT,
  created_at_ms INTEGER NOT NULL,
  pair_count INTEGER NOT NULL,
  prompt_count INTEGER NOT NULL,
  rejected_row_count INTEGER NOT NULL,
  warning_count INTEGER NOT NULL,
  mapping TEXT NOT NULL,
  guideline TEXT NOT NULL,
  question TEXT NOT NULL,
  split_seed INTEGER NOT NULL,
  split_validation REAL NOT NULL,
  split_test REAL NOT NULL,
  shown_seed TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE flags (
  dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
  annotator_id TEXT NOT NULL,
  pair_idx INTEGER NOT NULL,
  PRIMARY KEY (dataset_id, annotator_id, pair_idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE label_events (
  label_id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
  annotator_id TEXT NOT NULL REFERENCES annotators,
  kind TEXT NOT NULL CHECK (kind IN ('answer', 'undo', 'redo', 'flag', 'unflag')),
  pair_idx INTEGER NOT NULL,
  outcome TEXT CHECK (outcome IN ('a', 'b', 'tie', 'both-bad', 'skip')),
  strength TEXT CHECK (strength IN ('slightly', 'clearly', 'far')),
  comment TEXT NOT NULL,
  shown_order TEXT CHECK (shown_order IN ('ab', 'ba')),
  duration_ms REAL,
  target_id INTEGER,
  client_key TEXT,
  created_at_ms INTEGER NOT NULL,
  CHECK ((kind = 'answer') = (outcome IS NOT NULL)),
  CHECK ((kind IN ('undo', 'redo')) = (target_id IS NOT NULL))
) STRICT;

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

CREATE TABLE models (
  model_id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  place TEXT NOT NULL,
  source TEXT NOT NULL,
  origin_run_id TEXT,
  hash TEXT NOT NULL,
  facts TEXT NOT NULL,
  files TEXT NOT NULL,
  verified TEXT,
  added_at_ms REAL NOT NULL
) STRICT;

CREATE TABLE pairs (
  dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
  idx INTEGER NOT NULL,
  pair_id TEXT NOT NULL,
  line INTEGER NOT NULL,
  byte_offset INTEGER NOT NULL,
  byte_length INTEGER NOT NULL,
  prompt_hash TEXT NOT NULL,
  a_words INTEGER NOT NULL,
  b_words INTEGER NOT NULL,
  a_empty INTEGER NOT NULL CHECK (a_empty IN (0, 1)),
  b_empty INTEGER NOT NULL CHECK (b_empty IN (0, 1)),
  title TEXT NOT NULL,
  split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
  PRIMARY KEY (dataset_id, idx)
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

CREATE TABLE run_samples (
  run_no INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  branch INTEGER NOT NULL,
  step INTEGER NOT NULL,
  items TEXT NOT NULL,
  discarded INTEGER NOT NULL CHECK (discarded IN (0, 1)),
  PRIMARY KEY (run_no, branch, step)
) STRICT, WITHOUT ROWID;

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
, trained_ms REAL, trained_to_ms REAL) STRICT;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE undone_answers (
  label_id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
  annotator_id TEXT NOT NULL,
  undo_id INTEGER NOT NULL,
  redoable INTEGER NOT NULL CHECK (redoable IN (0, 1))
) STRICT;

CREATE TRIGGER label_events_never_change BEFORE UPDATE ON label_events
BEGIN SELECT RAISE(ABORT, 'label events are only ever added'); END;

CREATE TRIGGER label_events_never_go BEFORE DELETE ON label_events
WHEN EXISTS (SELECT 1 FROM datasets WHERE dataset_id = OLD.dataset_id AND ready = 1)
BEGIN SELECT RAISE(ABORT, 'label events are only ever added'); END;
