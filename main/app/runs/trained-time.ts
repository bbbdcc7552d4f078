import type { TrainerEvent } from '../../base/run-folder/protocol.ts'
import { readEvents } from '../../base/run-folder/events.ts'

/**
 * The time in which a run trained: the sum of its sessions. A session is the life of one training process, from its
 * start to its last event; what lies between two sessions belongs to none.
 */
export interface TrainedTime {
  readonly trainedMs: number
  /** Up to when the last session is counted; null when it said that it ended, or there was none yet. */
  readonly trainedToMs: number | null
}

export const NO_TIME: TrainedTime = { trainedMs: 0, trainedToMs: null }

/** Each event adds what passed since the one before. A clock that was set back adds nothing, and takes nothing. */
export function addTime(time: TrainedTime, event: TrainerEvent): TrainedTime {
  const fromMs = beginOf(time, event)
  const trainedMs = fromMs === null ? time.trainedMs : time.trainedMs + Math.max(0, event.atMs - fromMs)
  const ends = event.type === 'done' || event.type === 'failed'
  return { trainedMs, trainedToMs: ends ? null : event.atMs }
}

/** Null where the time before the event is no session's. */
function beginOf({ trainedToMs }: TrainedTime, event: TrainerEvent): number | null {
  if (event.type === 'ready') return event.startedAtMs
  // A later process than that of the session before, which may have crashed long ago.
  if (event.type === 'failed' && event.beforeReady === true) return null
  return trainedToMs
}

/** From the log alone, over the events up to `lastSeq`. */
export function readTime(file: string, lastSeq: number): TrainedTime {
  let time = NO_TIME
  let seq = 0
  for (let offset = 0; ;) {
    const batch = readEvents(file, offset)
    if (batch.offset === offset) return time
    for (const event of batch.events) {
      if (event.seq <= seq || event.seq > lastSeq) continue
      seq = event.seq
      time = addTime(time, event)
    }
    offset = batch.offset
  }
}
