import { cardOf, readCards } from '../../base/machine/cards.ts'
import type { Engine } from '../engine/engine.ts'

/** Between two readings of the processor and the memory; of the card, whose program takes tens of milliseconds, one goes before each. */
export const EVERY_MS = 5000

export interface MachineWatch {
  /** What the process took since the last reading, as metrics `system/…`; null while none is due. */
  due(): Record<string, number> | null
}

/**
 * Processor, memory and card while a run trains. The card is asked in the background, so that a reading is up to one interval old and no
 * step waits for it.
 * @param now a clock in milliseconds
 */
export function watchMachine(
  engine: Pick<Engine, 'device' | 'onCard'>,
  now: () => number = () => performance.now(),
  read: typeof readCards = readCards,
): MachineWatch {
  let at = now()
  let spent = process.cpuUsage()
  let card: Record<string, number> = {}
  let asking = false

  function ask(): void {
    if (engine.onCard !== true || asking) return
    asking = true
    void read().then((cards) => {
      asking = false
      const found = cardOf(engine.device, cards)
      card =
        found === null
          ? {}
          : told({
              'system/card': found.use,
              'system/card_memory': found.memoryUsedBytes === null ? null : found.memoryUsedBytes / 1e9,
              'system/card_temperature': found.temperature,
              'system/card_power': found.watts,
            })
    })
  }

  ask()
  return {
    due() {
      const elapsedMs = now() - at
      if (elapsedMs < EVERY_MS) return null
      const { user, system } = process.cpuUsage(spent)
      at += elapsedMs
      spent = process.cpuUsage()
      ask()
      return {
        'system/processor': (user + system) / 1000 / elapsedMs,
        'system/memory': process.memoryUsage.rss() / 1e9,
        ...card,
      }
    },
  }
}

function told(values: Readonly<Record<string, number | null>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null))
}
