import type { Settings } from '../../../shared/contract/system.ts'
import type { WritableDb } from '../store/open.ts'
import { listLiveRuns, listQueue } from '../store/runs.ts'
import type { Supervisor } from './supervisor.ts'

/**
 * Starts queued runs while there are free slots, in order. The order is the database's, so that it outlives the app.
 * A run whose lost process still sits in the folder waits until that one is gone; those behind it do not.
 */
export function startQueued(
  db: WritableDb,
  supervisor: Supervisor,
  settings: Pick<Settings, 'slots' | 'queuePaused'>,
): number {
  if (settings.queuePaused) return 0
  let free = settings.slots - listLiveRuns(db).length
  let started = 0
  for (const run of free > 0 ? listQueue(db) : []) {
    if (free <= 0) break
    if (supervisor.holds(run.runId)) {
      supervisor.evict(run.runId)
      continue
    }
    supervisor.begin(run.runId)
    free -= 1
    started += 1
  }
  return started
}
