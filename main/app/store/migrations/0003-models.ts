import type { Migration } from '../migrate.ts'

/** An index of `models/*\/model.json`: all of it can be built again from those files. */
export const models: Migration = {
  version: 3,
  name: 'models',
  sql: `
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
`,
}
