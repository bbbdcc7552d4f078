/** A call that was not begun, because the app behind this door is being handed over: it may be made elsewhere. */
export class HandingOver extends Error {
  constructor() {
    super('the app is being handed over')
    this.name = 'HandingOver'
  }
}

/** Counts the calls that are in hand, so that an app can be given up between two of them. */
export interface Traffic {
  /** @throws HandingOver once `refuse` was called */
  run<T>(work: () => Promise<T>): Promise<T>
  refuse(): void
  readonly refusing: boolean
  readonly inHand: number
  /** Notes a call that came from another process. */
  noteOther(): void
  /** Whether another process called a moment ago, or waits for an answer. */
  readonly hasOthers: boolean
}

/** Commands that wait ask several times a second. */
const MOMENT_MS = 3000

export function createTraffic(): Traffic {
  let refusing = false
  let inHand = 0
  let otherAtMs = -Infinity
  return {
    async run(work) {
      if (refusing) throw new HandingOver()
      inHand += 1
      try {
        return await work()
      } finally {
        inHand -= 1
      }
    },
    refuse: () => void (refusing = true),
    get refusing() {
      return refusing
    },
    get inHand() {
      return inHand
    },
    noteOther: () => void (otherAtMs = performance.now()),
    get hasOthers() {
      return performance.now() - otherAtMs < MOMENT_MS
    },
  }
}
