import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { LabelFilter } from '../../shared/contract/labels.ts'
import type { AnnotatorId, DatasetId } from '../../shared/domain.ts'
import { client } from '../api/client.ts'
import { useConnection } from '../api/events.ts'
import { queryClient } from '../api/queries.ts'
import type { LabelItem } from '../../shared/contract/labels.ts'
import { alignItem, isCompared } from './content.ts'
import type { Session } from './session.ts'
import { createSessionStore, type SessionStore } from './session-store.ts'

/** Aligning a long pair takes longer than a frame has, so it is done while the pair before is read. */
function prepare(item: LabelItem): void {
  if (isCompared(item)) requestIdleCallback(() => alignItem(item), { timeout: 500 })
}

/** One person at one data set, for as long as the page is open. */
export function useLabelSession(
  datasetId: DatasetId,
  annotatorId: AnnotatorId,
  filter: LabelFilter,
): readonly [Session, SessionStore] {
  const [store] = useState(() =>
    createSessionStore({
      client,
      datasetId,
      annotatorId,
      filter,
      nowMs: () => performance.now(),
      newKey: () => crypto.randomUUID(),
      onStored: () => void queryClient.invalidateQueries({ queryKey: ['labels.history', { datasetId, annotatorId }] }),
      onAhead: prepare,
    }),
  )
  const session = useSyncExternalStore(store.subscribe, store.get)
  useEffect(() => {
    const onVisibility = (): void =>
      store.send({ type: document.hidden ? 'hidden' : 'visible', nowMs: performance.now() })
    document.addEventListener('visibilitychange', onVisibility)
    return () => document.removeEventListener('visibilitychange', onVisibility)
  }, [store])
  // An answer that Pairlab never got, because it had ended, is handed over once that is back.
  const connection = useConnection()
  const wasLost = useRef(false)
  useEffect(() => {
    if (connection === 'open' && wasLost.current && store.get().failure !== null) store.retry()
    wasLost.current = connection === 'lost'
  }, [connection, store])
  return [session, store]
}
