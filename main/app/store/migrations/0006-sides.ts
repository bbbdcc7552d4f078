import type { Migration } from '../migrate.ts'

/**
 * Which side of the split each pair is on since somebody changed the split: one byte a pair, replaced whole, so that a
 * million pairs change sides at one moment. Without a row, `pairs.split` holds, as it was imported.
 */
export const sides: Migration = {
  version: 6,
  name: 'sides',
  sql: `
CREATE TABLE dataset_sides (
  dataset_id TEXT PRIMARY KEY REFERENCES datasets ON DELETE CASCADE,
  sides BLOB NOT NULL
) STRICT;
`,
}
