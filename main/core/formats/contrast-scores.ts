// Scores of similarity come on several scales. Which one is read off all scores of a file, or asked for.
import { AppError } from '../../../shared/errors.ts'

export interface ScoreScale {
  readonly low: number
  readonly high: number
}

/** A number, or text that is one, as tables have it; null where it is neither or not finite. */
export function readScore(value: unknown): number | null {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  return Number.isFinite(number) ? number : null
}

/** `0..5` @throws AppError `usage-invalid` */
export function parseScale(text: string): ScoreScale {
  const found = /^\s*(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)\s*$/.exec(text)
  const [low, high] = [Number(found?.[1]), Number(found?.[2])]
  if (found !== null && low < high) return { low, high }
  throw new AppError({
    code: 'usage-invalid',
    message: `"${text}" is no scale.`,
    hint: 'Give the lowest and the highest score, for example 0..5 or -1..1.',
  })
}

const NLI = /^(entailment|neutral|contradiction|entailed|contradictory)$/i

/** What all scores of a file have in common. */
export interface ScoreSurvey {
  add(value: unknown, from: 'score' | 'label'): void
  /** @param known the set whose columns the file has   @throws AppError where more than one scale could be meant, or none */
  finish(file: string, known: (ScoreScale & { readonly name: string }) | null): ScoreScale
}

export function createScoreSurvey(): ScoreSurvey {
  let [lowest, highest] = [Infinity, -Infinity]
  let word: string | null = null
  let onlyClasses = true
  return {
    add(value, from) {
      if (from === 'label' && typeof value === 'string' && NLI.test(value.trim())) word ??= value
      const score = readScore(value)
      if (score === null) return
      if (from === 'score' || !Number.isInteger(score)) onlyClasses = false
      lowest = Math.min(lowest, score)
      highest = Math.max(highest, score)
    },
    finish(file, known) {
      if (word !== null)
        throw unclear(
          `${file} judges pairs by words such as "${word}", which are no similarities.`,
          'Write triplets: query, positive for what is entailed, negative for what is contradicted; or give a number as score.',
        )
      if (lowest > highest) return { low: 0, high: 1 } // no score at all
      const range = `from ${lowest} to ${highest}`
      if (onlyClasses)
        throw unclear(
          `The labels of ${file} are whole numbers ${range}: classes, or scores.`,
          'Where they are similarities, give their scale with --scale, for example 0..1 or 0..5; classes such as entailment and contradiction are written as triplets with query, positive and negative.',
        )
      if (known !== null) {
        if (lowest >= known.low && highest <= known.high && highest > 1) return { low: known.low, high: known.high }
        throw unclear(
          `The scores of ${file} run ${range}, where ${known.name}'s run from ${known.low} to ${known.high}.`,
          highest <= 1 && lowest >= 0
            ? `Say which is meant: --scale 0..1 or --scale ${known.low}..${known.high}.`
            : `Give the lowest and the highest possible score with --scale; rows outside it are left out.`,
        )
      }
      if (lowest >= -1 && highest <= 1) return { low: lowest < 0 ? -1 : 0, high: 1 }
      if (lowest >= 1 && highest <= 5)
        throw unclear(
          `The scores of ${file} run ${range}: on a scale from 1 to 5, or from 0 to 5.`,
          'Say which is meant: --scale 1..5 or --scale 0..5.',
        )
      if (lowest >= 0 && highest <= 4)
        throw unclear(
          `The scores of ${file} run ${range}: nothing says how high the scale goes.`,
          `Give the lowest and the highest possible score, for example --scale 0..${Math.ceil(highest)} or --scale 0..5.`,
        )
      if (lowest >= 0 && highest <= 5) return { low: 0, high: 5 }
      throw unclear(
        `The scores of ${file} run ${range}, which is no scale that is known.`,
        'Give the lowest and the highest possible score with --scale, for example --scale 0..10.',
      )
    },
  }
}

function unclear(message: string, hint: string): AppError {
  return new AppError({ code: 'input-invalid', message, hint })
}
