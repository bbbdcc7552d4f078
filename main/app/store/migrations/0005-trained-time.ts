import type { Migration } from '../migrate.ts'

/**
 * How long a run trained, without what passed between its processes. The times that are there do not say it: rows of
 * before have NULL until their logs are read (see rebuild.ts).
 */
export const trainedTime: Migration = {
  version: 5,
  name: 'trained-time',
  sql: `
ALTER TABLE runs ADD COLUMN trained_ms REAL;
ALTER TABLE runs ADD COLUMN trained_to_ms REAL;
`,
}
