// What every reproduction of a paper's experiment looks like: a claim, a run, and a verdict that follows from gates. Studies are
// reports too, without gates: see study.ts.

/** One statement with its number. */
export interface Gate {
  readonly claim: string
  /** Mean ± half-width of the 95 % interval and n where seeds or queries are averaged. */
  readonly measured: string
  /** In words and numbers, from thresholds.ts. */
  readonly required: string
  readonly verdict: Verdict
}

/** Inconclusive: the interval holds both what would confirm the claim and what would refute it. */
export type Verdict = 'holds' | 'does not hold' | 'inconclusive'

/** Numbers stay numbers; a mean over seeds or queries carries its interval. */
export type Cell =
  | string
  | number
  | { readonly mean: number; readonly low: number; readonly high: number; readonly n: number }
  | null

export interface ResultTable {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** Something to draw: lines with optional bands, one value a query for two systems, or differences from one setting. */
export type Figure =
  | {
      readonly kind: 'curves'
      readonly title: string
      readonly x: string
      readonly y: string
      readonly series: readonly {
        readonly name: string
        readonly x: readonly number[]
        readonly mean: readonly number[]
        readonly low: readonly number[] | null
        readonly high: readonly number[] | null
        readonly n: number
      }[]
    }
  | {
      readonly kind: 'paired'
      readonly title: string
      readonly from: string
      readonly to: string
      readonly metric: string
      readonly items: readonly { readonly id: string; readonly before: number; readonly after: number }[]
    }
  | {
      readonly kind: 'differences'
      readonly title: string
      readonly metric: string
      readonly goal: 'min' | 'max' | 'none'
      /** What they are differences from. */
      readonly from: string
      readonly rows: readonly {
        readonly name: string
        readonly mean: number
        readonly low: number | null
        readonly high: number | null
        readonly verdict: 'higher' | 'lower' | 'cannot tell'
      }[]
    }
  | {
      readonly kind: 'simplex'
      readonly title: string
      readonly arms: readonly string[]
      readonly optimum: readonly number[]
      readonly paths: readonly { readonly name: string; readonly points: readonly (readonly number[])[] }[]
    }
  | {
      readonly kind: 'texts'
      readonly title: string
      readonly items: readonly {
        readonly name: string
        readonly before: string
        readonly after: string
        readonly note: string
      }[]
    }

export interface Report {
  readonly id: string
  readonly title: string
  readonly form: 'quick' | 'full'
  readonly seeds: readonly number[]
  /** Sizes, rates, steps: enough to do it again elsewhere. */
  readonly setup: string
  readonly tables: readonly ResultTable[]
  readonly figures: readonly Figure[]
  readonly gates: readonly Gate[]
  /** Of the gates together: the worst of them. Null of a study, which asks and claims nothing. */
  readonly verdict: Verdict | null
  /** What a reader must know: deviations, and why a claim does not hold if it does not. */
  readonly notes: readonly string[]
}

export interface RunOptions {
  readonly form: 'quick' | 'full'
  /** Null: the number this form asks for. */
  readonly seedCount: number | null
  /** Progress in words, a line at a time. */
  say(text: string): void
}

/** What main/core/experiments.ts announces, done. */
export interface Reproduction {
  run(options: RunOptions): Promise<Report>
}

/** The worst of the gates; a report without any decides nothing. */
export function verdictOf(gates: readonly Gate[]): Verdict {
  if (gates.some((gate) => gate.verdict === 'does not hold')) return 'does not hold'
  return gates.length === 0 || gates.some((gate) => gate.verdict === 'inconclusive') ? 'inconclusive' : 'holds'
}
