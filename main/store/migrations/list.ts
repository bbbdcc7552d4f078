import type { Migration } from '../migrate.ts'
import { initial } from './0001-initial.ts'

/** In order. A step that was released is never edited; test/integration/migrations.test.ts keeps its hash. */
export const migrations: readonly Migration[] = [initial]
