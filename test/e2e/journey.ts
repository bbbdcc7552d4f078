// What the journeys by keyboard and by the accessibility tree share: the data and the size of a training.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Lab } from './support.ts'

export const ANSWERS = 12

/** Pairs that nobody has judged, each of a prompt of its own, so that some are held out. → the path */
export function writeUnjudged(lab: Lab): string {
  const file = path.join(lab.dataFolder, 'short answers.jsonl')
  const rows = Array.from({ length: ANSWERS }, (_one, at) =>
    JSON.stringify({ prompt: `Say ${at}.`, response_a: `It is ${at}.`, response_b: 'No.' }),
  )
  writeFileSync(file, `${rows.join('\n')}\n`)
  return file
}

/** Name of a field → what is written there, in the order in which the form has them. */
export const TINY: readonly (readonly [name: string, text: string])[] = [
  ['Seeds', '1'],
  ['Steps', '3'],
  ['Batch', '2'],
  ['Longest sequence', '32'],
  ['Evaluate every', '0'],
  ['Pairs per evaluation', '2'],
  ['Checkpoint every', '0'],
  ['Sample prompts', '1'],
  ['Sample length', '2'],
]
export const METHODS = ['DPO', 'SFT'] as const
