import type { Migration } from '../migrate.ts'

/**
 * Records live in `datasets/<id>/records.jsonl`; `pairs` says where each one lies. Label events are only ever added.
 * `answers` and `undone_answers` are folded from them and could be rebuilt.
 */
export const initial: Migration = {
  version: 1,
  name: 'initial',
  sql: `
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE annotators (
  annotator_id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  imported INTEGER NOT NULL CHECK (imported IN (0, 1)),
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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
CREATE UNIQUE INDEX pairs_by_pair_id ON pairs (dataset_id, pair_id);

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
CREATE INDEX label_events_by_annotator ON label_events (dataset_id, annotator_id, label_id);
CREATE INDEX label_events_answers ON label_events (dataset_id, annotator_id, label_id) WHERE kind = 'answer';
CREATE INDEX label_events_by_pair ON label_events (dataset_id, pair_idx, label_id);
CREATE UNIQUE INDEX label_events_by_client_key ON label_events (dataset_id, annotator_id, client_key) WHERE client_key IS NOT NULL;

CREATE TRIGGER label_events_never_change BEFORE UPDATE ON label_events
BEGIN SELECT RAISE(ABORT, 'label events are only ever added'); END;
CREATE TRIGGER label_events_never_go BEFORE DELETE ON label_events
WHEN EXISTS (SELECT 1 FROM datasets WHERE dataset_id = OLD.dataset_id)
BEGIN SELECT RAISE(ABORT, 'label events are only ever added'); END;

CREATE TABLE answers (
  dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
  pair_idx INTEGER NOT NULL,
  annotator_id TEXT NOT NULL,
  label_id INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  strength TEXT,
  PRIMARY KEY (dataset_id, pair_idx, annotator_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE undone_answers (
  label_id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
  annotator_id TEXT NOT NULL,
  undo_id INTEGER NOT NULL,
  redoable INTEGER NOT NULL CHECK (redoable IN (0, 1))
) STRICT;
CREATE INDEX undone_answers_redoable ON undone_answers (dataset_id, annotator_id, undo_id) WHERE redoable = 1;

CREATE TABLE flags (
  dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
  annotator_id TEXT NOT NULL,
  pair_idx INTEGER NOT NULL,
  PRIMARY KEY (dataset_id, annotator_id, pair_idx)
) STRICT, WITHOUT ROWID;
`,
}
