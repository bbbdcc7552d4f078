import type { Generator } from './generator.ts'

/** The right to use a process until it is given back. */
export interface Lease {
  readonly generator: Generator
  release(): void
}

export interface GeneratorPool {
  /**
   * The process with this key: the one that is there, or a new one. Where the bound is reached, an idle one gives way,
   * the least recently used first; while all are at work, the caller waits.
   * @returns null when the signal came first
   */
  acquire(key: string, start: () => Generator, signal: AbortSignal): Promise<Lease | null>
  /** Ends all of them. */
  close(): Promise<void>
}

interface Slot {
  readonly generator: Generator
  users: number
  /** Larger: used later. */
  usedAt: number
  idleTimer: ReturnType<typeof setTimeout> | undefined
}

/** @param idleMs after which a process without work is ended */
export function createGeneratorPool({
  most,
  idleMs,
}: {
  readonly most: number
  readonly idleMs: number
}): GeneratorPool {
  const slots = new Map<string, Slot>()
  /** On their way out: nobody is given one, and its memory is still taken. */
  const leaving = new Set<Slot>()
  let waiting: (() => void)[] = []
  let closed = false
  let uses = 0

  function wakeAll(): void {
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }

  function add(key: string, generator: Generator): Slot {
    const slot: Slot = { generator, users: 0, usedAt: 0, idleTimer: undefined }
    slots.set(key, slot)
    void generator.gone.then(() => {
      clearTimeout(slot.idleTimer)
      if (slots.get(key) === slot) slots.delete(key)
      leaving.delete(slot)
      wakeAll()
    })
    return slot
  }

  function lease(key: string, slot: Slot): Lease {
    clearTimeout(slot.idleTimer)
    slot.users += 1
    let given = false
    return {
      generator: slot.generator,
      release() {
        if (given) return
        given = true
        slot.users -= 1
        slot.usedAt = uses += 1
        if (slot.users === 0 && slots.get(key) === slot) {
          slot.idleTimer = setTimeout(() => void retire(key, slot), idleMs)
          slot.idleTimer.unref()
        }
        wakeAll()
      },
    }
  }

  async function retire(key: string, slot: Slot): Promise<void> {
    clearTimeout(slot.idleTimer)
    if (slots.get(key) === slot) {
      slots.delete(key)
      leaving.add(slot)
    }
    await slot.generator.stop()
  }

  return {
    async acquire(key, start, signal) {
      for (;;) {
        if (signal.aborted || closed) return null
        const present = slots.get(key)
        if (present !== undefined) return lease(key, present)
        if (slots.size + leaving.size < most) return lease(key, add(key, start()))
        const idle = [...slots]
          .filter(([, slot]) => slot.users === 0)
          .toSorted(([, a], [, b]) => a.usedAt - b.usedAt)[0]
        if (idle !== undefined) await retire(...idle)
        else
          await new Promise<void>((resolve) => {
            waiting.push(resolve)
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
      }
    },
    async close() {
      closed = true
      wakeAll()
      await Promise.all([
        ...[...slots].map(([key, slot]) => retire(key, slot)),
        ...[...leaving].map((slot) => slot.generator.gone),
      ])
    },
  }
}
