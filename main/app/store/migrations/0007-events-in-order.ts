import type { Migration } from '../migrate.ts'

/**
 * The events of a data set in their order, as its journal has them: without this index the first label of a data set
 * looked through every event of all the others.
 */
export const eventsInOrder: Migration = {
  version: 7,
  name: 'events-in-order',
  sql: `
CREATE INDEX label_events_in_order ON label_events (dataset_id, label_id);
`,
}
