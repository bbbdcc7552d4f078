import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createRandom } from '../../main/core/learn/random.ts'

/** Writes feature files whose first feature is the grade, with noise. */
export function writeLetor(folder: string): string {
  mkdirSync(folder, { recursive: true })
  const random = createRandom(1)
  const lines = (from: number, count: number): string =>
    Array.from({ length: count }, (_none, query) =>
      [2, 1, 0, 0, 0, 0]
        .map(
          (grade, at) =>
            `${grade} qid:${from + query} 1:${(grade + 0.3 * random.normal()).toFixed(4)} 2:${random.normal().toFixed(4)} 3:${random.normal().toFixed(4)} # docid = d${from + query}-${at}\n`,
        )
        .join(''),
    ).join('')
  writeFileSync(path.join(folder, 'train.txt'), lines(0, 20))
  writeFileSync(path.join(folder, 'vali.txt'), lines(100, 5))
  writeFileSync(path.join(folder, 'test.txt'), lines(200, 5))
  return folder
}

/** Writes texts about one of two things, and pairs of them with a score. */
export function writeTexts(
  folder: string,
  triplesOf: { readonly train: number; readonly heldOut: number } = { train: 14, heldOut: 5 },
): string {
  const about = (topic: number, at: number): string => `${['sea', 'law'][topic]} ${['wave', 'court'][topic]} ${at % 5}`
  const triples = Array.from({ length: triplesOf.train + 2 * triplesOf.heldOut }, (_none, at) =>
    JSON.stringify({
      query: about(at % 2, at),
      positive: about(at % 2, at + 1),
      negative: about(1 - (at % 2), at + 2),
      split: at < triplesOf.train ? 'train' : at < triplesOf.train + triplesOf.heldOut ? 'validation' : 'test',
    }),
  )
  const scored = Array.from({ length: triplesOf.heldOut + 1 }, (_none, at) =>
    JSON.stringify({
      sentence1: `${about(0, at)}.`,
      sentence2: about(at % 2, at),
      score: at % 2 === 0 ? 4.5 : 0.5,
      split: 'validation',
    }),
  )
  const file = path.join(folder, 'texts.jsonl')
  writeFileSync(file, [...triples, 'no json', ...scored].join('\n'))
  return file
}

/** Writes answers that stand alone, each called good or bad. */
export function writeUnpaired(folder: string): string {
  const file = path.join(folder, 'single answers.jsonl')
  const rows = Array.from({ length: 12 }, (_none, at) =>
    JSON.stringify({ prompt: `q${at % 4}?`, completion: at % 3 === 0 ? 'no no' : 'yes', label: at % 3 !== 0 }),
  )
  writeFileSync(file, `${rows.join('\n')}\n`)
  return file
}
