// What the values of a label column say of one answer: good or bad.
import { AppError } from '../../../shared/errors.ts'
import type { Outcome } from '../../../shared/data-kinds.ts'

type Judgment = Extract<Outcome, 'a' | 'b' | 'skip'>

const GOOD =
  'true,1,yes,good,up,thumbs up,thumb up,thumbsup,thumbs-up,upvote,like,liked,positive,desirable,chosen,👍,+1'
const BAD =
  'false,0,-1,no,bad,down,thumbs down,thumb down,thumbsdown,thumbs-down,downvote,dislike,disliked,negative,undesirable,rejected,👎'
const NONE = ',null,none,nan,n/a,na,unlabeled'

const MEANING: ReadonlyMap<string, Judgment | null> = new Map<string, Judgment | null>([
  ...GOOD.split(',').map((word) => [word, 'a'] as const),
  ...BAD.split(',').map((word) => [word, 'b'] as const),
  ...NONE.split(',').map((word) => [word, null] as const),
  ['skip', 'skip'],
])

/** Values that are told in a message; more of them say no more. */
const TOLD_VALUES = 8
const MOST_VALUES = 1000

function canonical(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text =
    typeof value === 'object' ? JSON.stringify(value) : String(value).trim().toLowerCase().replaceAll('_', ' ')
  return /^[+-]?\d+\.0+$/.test(text) ? text.replace(/\.0+$/, '') : text
}

export interface UnpairedSurvey {
  add(value: unknown): void
  /** @throws AppError `input-invalid` where the values of a column say something else than good and bad */
  finish(path: string, column: string): void
}

/** Looks at every value of a column before one of them is believed: in 1 to 5 stars a 1 is not good. */
export function surveyUnpaired(): UnpairedSurvey {
  const values = new Set<string>()
  return {
    add(value) {
      if (values.size < MOST_VALUES) values.add(canonical(value))
    },
    finish(path, column) {
      const unknown = [...values].filter((value) => !MEANING.has(value))
      // 0 is bad beside 1, and undecided beside −1 and 1.
      const three = ['-1', '0', '1'].every((value) => values.has(value))
      if (unknown.length === 0 && !three) return
      const shown = (three && unknown.length === 0 ? ['-1', '0', '1'] : unknown)
        .slice(0, TOLD_VALUES)
        .map((value) => `"${value.slice(0, 40)}"`)
      throw new AppError({
        code: 'input-invalid',
        message: `${path}: the column ${column} holds ${shown.join(', ')}, which do not say whether an answer is good or bad.`,
        hint: 'A label is true or false, 1 or 0, good or bad, up or down; empty where nobody judged. Write the column so, or give it another name to leave it out.',
      })
    },
  }
}

/** `a`: the answer is good, `b`: it is bad; null where nothing is said. The value has passed a survey. */
export function readUnpairedLabel(value: unknown): Judgment | null {
  return MEANING.get(canonical(value)) ?? null
}
