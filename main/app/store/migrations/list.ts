import type { Migration } from '../migrate.ts'
import { initial } from './0001-initial.ts'
import { runs } from './0002-runs.ts'
import { models } from './0003-models.ts'
import { people } from './0004-people.ts'
import { trainedTime } from './0005-trained-time.ts'
import { sides } from './0006-sides.ts'
import { eventsInOrder } from './0007-events-in-order.ts'

/** In order. A step that was released is never edited; test/integration/migrations.test.ts keeps its hash. */
export const migrations: readonly Migration[] = [initial, runs, models, people, trainedTime, sides, eventsInOrder]
