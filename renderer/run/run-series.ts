/** Curves of one run as the page keeps them: a fetched part, then what events append. */
export interface Curve {
  readonly step: readonly number[]
  /** Since the start of the run. */
  readonly wallMs: readonly number[]
  readonly value: readonly (number | null)[]
  /** Points the app has; more than `step` where it thinned them. */
  readonly total: number
}

export type Curves = ReadonlyMap<string, Curve>
export type MetricColumns = Readonly<Record<string, readonly (number | null)[]>>

export interface Appended {
  readonly curves: Curves
  /** The event goes back behind what is known: a resume, so the curves must be fetched anew. */
  readonly rewound: boolean
}

/**
 * Adds the points of one `run.metrics` event. Steps a curve already has are left out: the snapshot and the first
 * events overlap.
 */
export function appendColumns(curves: Curves, columns: MetricColumns): Appended {
  const steps = columns['step'] ?? []
  const wall = columns['wallMs'] ?? []
  const next = new Map(curves)
  let added = 0
  let old = 0
  for (const [name, values] of Object.entries(columns)) {
    if (name === 'step' || name === 'wallMs') continue
    const before = curves.get(name) ?? { step: [], wallMs: [], value: [], total: 0 }
    const last = before.step.at(-1) ?? Number.NEGATIVE_INFINITY
    const fresh = steps.flatMap((step, at) => (step !== null && step > last ? [at] : []))
    old += steps.length - fresh.length
    added += fresh.length
    if (fresh.length === 0) continue
    next.set(name, {
      step: before.step.concat(fresh.map((at) => steps[at] ?? 0)),
      wallMs: before.wallMs.concat(fresh.map((at) => wall[at] ?? 0)),
      value: before.value.concat(fresh.map((at) => values[at] ?? null)),
      total: before.total + fresh.length,
    })
  }
  return { curves: added === 0 ? curves : next, rewound: added === 0 && old > 0 }
}

/**
 * A curve without filler: a metric that is reported now and then stands as null in the rows between. A null in a
 * curve that is reported at every step is a value that was not finite, and stays as a gap; but for step 0, where
 * nothing but evaluation takes place.
 */
export function withoutFiller(name: string, curve: Curve): Curve {
  const known = curve.value.filter((value) => value !== null).length
  const everyStep = !name.startsWith('eval/') && known * 2 >= curve.value.length
  const kept = curve.value.flatMap((value, at) => (value === null && (!everyStep || curve.step[at] === 0) ? [] : [at]))
  if (kept.length === curve.value.length) return curve
  const take = <T>(values: readonly T[]): T[] => kept.map((at) => values[at] as T) // indices of the same curve
  return { step: take(curve.step), wallMs: take(curve.wallMs), value: take(curve.value), total: curve.total }
}
