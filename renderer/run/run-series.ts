import type { Series } from '../../shared/contract/runs.ts'
import { pointsOf, type CurveChange } from '../../shared/metric-columns.ts'

/** One curve of a run as the page keeps it; steps rise. */
export interface Curve {
  readonly step: readonly number[]
  /** Since the start of the run. */
  readonly wallMs: readonly number[]
  /** Null where it was not finite. */
  readonly value: readonly (number | null)[]
}

export type Curves = ReadonlyMap<string, Curve>

export function toCurves(series: readonly Series[]): Curves {
  return new Map(series.map(({ name, step, wallMs, value }) => [name, { step, wallMs, value }]))
}

interface Growing extends Curve {
  readonly step: number[]
  readonly wallMs: number[]
  readonly value: (number | null)[]
}

/**
 * The curves after some changes, as the app's index has them then: a step that is written again has its last value,
 * and what a return to a checkpoint leaves behind is gone.
 */
export function grow(curves: Curves, changes: readonly CurveChange[]): Curves {
  const grown = new Map<string, Growing>()
  const touch = (name: string): Growing => {
    const known = curves.get(name)
    const one = grown.get(name) ?? {
      step: [...(known?.step ?? [])],
      wallMs: [...(known?.wallMs ?? [])],
      value: [...(known?.value ?? [])],
    }
    grown.set(name, one)
    return one
  }
  for (const change of changes) {
    if (change.type === 'points') {
      for (const { name, step, wallMs, value } of pointsOf(change.columns)) put(touch(name), step, wallMs, value)
    } else {
      for (const name of new Set([...curves.keys(), ...grown.keys()])) cut(touch(name), change.toStep)
    }
  }
  return new Map<string, Curve>(
    [...curves, ...grown].filter(([name]) => (grown.get(name) ?? curves.get(name))?.step.length !== 0),
  )
}

function put(curve: Growing, step: number, wallMs: number, value: number | null): void {
  let at = curve.step.length
  while (at > 0 && curve.step[at - 1]! >= step) at -= 1 // nearly always at the end
  const again = curve.step[at] === step ? 1 : 0
  curve.step.splice(at, again, step)
  curve.wallMs.splice(at, again, wallMs)
  curve.value.splice(at, again, value)
}

function cut(curve: Growing, toStep: number): void {
  const kept = curve.step.findLastIndex((step) => step <= toStep) + 1
  for (const column of [curve.step, curve.wallMs, curve.value]) column.length = kept
}

/** A curve that goes back and begins again, as what several resumes left behind, in pieces whose steps rise. */
export function stretches(curve: Curve): Curve[] {
  const starts = curve.step.flatMap((step, at) => (at === 0 || step <= curve.step[at - 1]! ? [at] : []))
  return starts.map((from, at) => {
    const to = starts[at + 1] ?? curve.step.length
    return {
      step: curve.step.slice(from, to),
      wallMs: curve.wallMs.slice(from, to),
      value: curve.value.slice(from, to),
    }
  })
}
