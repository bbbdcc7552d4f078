import type { Input, Output } from '../../shared/contract.ts'
import type { LabelFilter, LabelItem } from '../../shared/contract/labels.ts'
import type { AnnotatorId, DatasetId } from '../../shared/domain.ts'
import type { Client } from '../../shared/rpc.ts'
import { asAppError } from '../api/app-error.ts'
import { inHandIds, isBusy, reduce, startSession, wantedPairs, type Action, type Session } from './session.ts'
import { type Verdict } from './verdicts.ts'

export interface SessionOptions {
  readonly client: Client
  readonly datasetId: DatasetId
  readonly annotatorId: AnnotatorId
  readonly filter: LabelFilter
  nowMs(): number
  newKey(): string
  /** An answer, an undo or a redo is on disk. */
  onStored(): void
  /** A pair is in hand and will be shown soon: time to prepare it. */
  onAhead(item: LabelItem): void
}

/** Runs a session: sends what the reducer decided, feeds back what came of it. Outside React, so that a key waits for nothing. */
export interface SessionStore {
  get(): Session
  subscribe(listener: () => void): () => void
  send(action: Action): void
  choose(verdict: Verdict): void
  /** Sends the answer or the step that failed once more, under the same key: done twice, it counts once. */
  retry(): void
  /** Gives up an answer that failed, and shows what is in force: it may have been stored though nobody said so. */
  dismiss(): void
  undo(): Promise<void>
  redo(): Promise<void>
  toggleFlag(): Promise<void>
  goTo(pairId: string): Promise<void>
  jump(index: number): Promise<void>
  previous(): Promise<void>
  pass(): void
  restart(filter: LabelFilter): void
}

/** A step of which nobody knows yet whether it was done. */
interface OpenStep {
  readonly kind: 'undo' | 'redo' | 'flag' | 'unflag'
  readonly pairId: string | null
  readonly clientKey: string
}

export function createSessionStore(options: SessionOptions): SessionStore {
  const { client, datasetId, annotatorId } = options
  const who = { datasetId, annotatorId }
  const listeners = new Set<() => void>()
  let session = startSession(options.filter)
  // Answers of fetches begun before a restart are dropped.
  let generation = 0
  let openStep: OpenStep | null = null
  let lastMove: (() => Promise<void>) | null = null

  function send(action: Action): void {
    const before = session
    session = reduce(session, action)
    if (session !== before) for (const listener of listeners) listener()
    refill()
  }

  function refill(): void {
    const wanted = wantedPairs(session)
    if (wanted === 0 || session.failure !== null) return
    session = reduce(session, { type: 'fetch-started' })
    const mine = generation
    const exclude = [...inHandIds(session), ...(session.answer === null ? [] : [session.answer.pairId])]
    const input: Input<'labels.queue'> = {
      ...who,
      filter: session.filter,
      fromIndex: session.nextIndex,
      limit: wanted,
      exclude,
    }
    client.call('labels.queue', input).then(
      (queue) => {
        if (mine !== generation) return
        for (const item of queue.items) options.onAhead(item)
        send({ type: 'fetched', queue, wanted, nowMs: options.nowMs() })
      },
      (error: unknown) => {
        if (mine === generation) send({ type: 'failed', error: asAppError(error) })
      },
    )
  }

  async function transmit(): Promise<void> {
    const { answer } = session
    if (answer === null) return
    const { verdict: _verdict, ...row } = answer
    try {
      const { progress, labelId } = await client.call('labels.add', { ...who, ...row })
      if (session.answer?.clientKey !== answer.clientKey) return
      send({ type: 'saved', progress, labelId, nowMs: options.nowMs() })
      options.onStored()
    } catch (error) {
      send({ type: 'failed', error: asAppError(error) })
    }
  }

  /** One step that must not overlap another. */
  async function move(step: () => Promise<void>): Promise<void> {
    if (session.answer !== null || session.moving) return
    lastMove = step
    send({ type: 'move-started' })
    try {
      await step()
      if (session.moving) send({ type: 'move-ended' })
    } catch (error) {
      send({ type: 'failed', error: asAppError(error) })
    }
  }

  /** Sends a step under a key of its own; asked for again after a failure, under the same one. */
  async function settle<T>(
    kind: OpenStep['kind'],
    pairId: string | null,
    sendStep: (clientKey: string) => Promise<T>,
  ): Promise<T> {
    const again = openStep?.kind === kind && openStep.pairId === pairId
    const step = again && openStep !== null ? openStep : { kind, pairId, clientKey: options.newKey() }
    openStep = step
    const answer = await sendStep(step.clientKey)
    openStep = null
    return answer
  }

  async function showPair(pairId: string, progress?: Output<'labels.progress'>): Promise<void> {
    const item = await client.call('labels.item', { ...who, pairId })
    options.onAhead(item)
    send({
      type: 'shown',
      item,
      keepCurrent: true,
      ...(progress === undefined ? {} : { progress }),
      nowMs: options.nowMs(),
    })
  }

  /** The nearest pair of all, whatever the filter. */
  async function fetchIndex(index: number, direction: 'forward' | 'back'): Promise<LabelItem | undefined> {
    const everything: LabelFilter = { only: 'all', search: '' }
    const { items } = await client.call('labels.queue', {
      ...who,
      filter: everything,
      fromIndex: index,
      direction,
      limit: 1,
    })
    const [item] = items
    if (item !== undefined) options.onAhead(item)
    return item
  }

  refill()
  client.call('labels.progress', who).then(
    (progress) => send({ type: 'progressed', progress }),
    (error: unknown) => send({ type: 'failed', error: asAppError(error) }),
  )

  return {
    get: () => session,
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    send,
    choose(verdict) {
      if (isBusy(session)) return
      openStep = null // an undo from here on takes back this answer
      send({ type: 'chosen', verdict, clientKey: options.newKey(), nowMs: options.nowMs() })
      void transmit()
    },
    retry() {
      send({ type: 'resent' })
      if (session.answer !== null) void transmit()
      else if (lastMove !== null) void move(lastMove)
    },
    dismiss() {
      const { answer } = session
      send({ type: 'dismissed' })
      if (answer !== null) void move(() => showPair(answer.pairId))
    },
    undo: () =>
      move(async () => {
        const { progress, pairId } = await settle('undo', null, (clientKey) =>
          client.call('labels.undo', { ...who, clientKey }),
        )
        options.onStored()
        if (pairId === null) send({ type: 'progressed', progress })
        else await showPair(pairId, progress)
      }),
    redo: () =>
      move(async () => {
        const { progress, pairId } = await settle('redo', null, (clientKey) =>
          client.call('labels.redo', { ...who, clientKey }),
        )
        send({ type: 'redone', pairId, progress, nowMs: options.nowMs() })
        options.onStored()
      }),
    toggleFlag: () =>
      move(async () => {
        const item = session.current
        if (item === null) return
        const flagged = !item.flagged
        const progress = await settle(flagged ? 'flag' : 'unflag', item.pairId, (clientKey) =>
          client.call('labels.flag', { ...who, pairId: item.pairId, flagged, clientKey }),
        )
        send({ type: 'flagged', pairId: item.pairId, flagged, progress })
      }),
    goTo: (pairId) => move(() => showPair(pairId)),
    jump: (index) =>
      move(async () => {
        const item = await fetchIndex(index, 'forward')
        if (item === undefined) return
        generation += 1
        send({ type: 'restarted', filter: session.filter, fromIndex: item.index + 1 })
        send({ type: 'shown', item, keepCurrent: false, nowMs: options.nowMs() })
      }),
    previous: () =>
      move(async () => {
        const at = session.current?.index ?? session.progress?.total ?? 0
        const item = at > 0 ? await fetchIndex(at - 1, 'back') : undefined
        if (item !== undefined && item.index < at)
          send({ type: 'shown', item, keepCurrent: true, nowMs: options.nowMs() })
      }),
    pass() {
      send({ type: 'passed', nowMs: options.nowMs() })
    },
    restart(filter) {
      if (session.answer !== null || session.moving) return
      generation += 1
      send({ type: 'restarted', filter, fromIndex: 0 })
    },
  }
}
