import type { Migration } from '../migrate.ts'

/**
 * Names keep their case, and people who came with a file are people of that file: two Bobs are two. `name_key` is the
 * name as it is compared (see annotators.ts). Events of a data set that is no longer listed may go a few at a time.
 */
export const people: Migration = {
  version: 4,
  name: 'people',
  sql: `
CREATE TABLE annotators_of_before (
  annotator_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  imported INTEGER NOT NULL CHECK (imported IN (0, 1)),
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO annotators_of_before SELECT annotator_id, name, imported, created_at_ms FROM annotators;
DROP TABLE annotators;
CREATE TABLE annotators (
  annotator_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  imported INTEGER NOT NULL CHECK (imported IN (0, 1)),
  dataset_id TEXT,
  created_at_ms INTEGER NOT NULL,
  CHECK (imported = 1 OR dataset_id IS NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO annotators SELECT annotator_id, name, name, imported, NULL, created_at_ms FROM annotators_of_before;
DROP TABLE annotators_of_before;
CREATE INDEX annotators_by_key ON annotators (name_key);
CREATE UNIQUE INDEX annotators_here ON annotators (name_key) WHERE imported = 0;
CREATE UNIQUE INDEX annotators_of_file ON annotators (dataset_id, name_key) WHERE imported = 1;

DROP TRIGGER label_events_never_go;
CREATE TRIGGER label_events_never_go BEFORE DELETE ON label_events
WHEN EXISTS (SELECT 1 FROM datasets WHERE dataset_id = OLD.dataset_id AND ready = 1)
BEGIN SELECT RAISE(ABORT, 'label events are only ever added'); END;
`,
}
