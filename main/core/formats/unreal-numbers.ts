// Segments whose numbers are not all numbers.
import { type Segment } from '../../../shared/segment-pair.ts'
import type { NewPart } from './parsed-rows.ts'

/** One that holds numbers that are none. */
export function leftOut(line: number, reason: string, what = 'pair'): NewPart {
  return {
    problem: {
      line,
      severity: 'error',
      code: 'not-a-number',
      reason,
      hint: `The ${what} is left out: nothing can be learned from numbers that are none. Mend them where the file is written.`,
    },
  }
}

/** Where a number of the segment is NaN or infinite, as single precision has it, in words; null where all are real. */
export function whereUnreal(
  { observations, actions, rewards, qpos, score }: Segment,
  name: string,
  scoreName = 'score',
): string | null {
  if (score !== null && !Number.isFinite(score)) return `The ${scoreName} of ${name} is ${score}.`
  for (const [what, rows] of [
    ['observations', observations],
    ['actions', actions],
    ['rewards', rewards.map((reward) => [reward])],
    ['qpos', qpos ?? []],
  ] as const) {
    for (const [step, row] of rows.entries()) {
      const value = row.find((number) => !Number.isFinite(Math.fround(number)))
      if (value !== undefined)
        return `The ${what} of ${name} hold ${value}${Number.isFinite(value) ? ', more than single precision can hold,' : ''} at step ${step + 1}.`
    }
  }
  return null
}
