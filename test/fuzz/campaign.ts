import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { createRandom } from '../support/seeded.ts'
import { mutate } from './mutate.ts'
import type { Target } from './target.ts'

export interface Tally {
  readonly target: string
  inputs: number
  read: number
  typed: number
  untyped: number
  worstMs: number
  peakMB: number
}
export interface Fault {
  readonly target: string
  readonly number: number
  readonly what: string
}

const MOST_MS = 10_000
const MOST_GROWTH_MB = 1024

/** Reads inputs `from` … `from + count - 1` of a target; each depends on the seed and its number alone. */
export async function fuzz(
  target: Target,
  seed: number,
  from: number,
  count: number,
): Promise<{ readonly tally: Tally; readonly faults: readonly Fault[] }> {
  const tally: Tally = { target: target.name, inputs: 0, read: 0, typed: 0, untyped: 0, worstMs: 0, peakMB: 0 }
  const faults: Fault[] = []
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab fuzz '))
  const opened = await target.open(path.join(folder, 'here'))
  const startMB = residentMB()
  try {
    for (let number = from; number < from + count; number += 1) {
      const random = createRandom(Math.imul(seed, 1_000_003) + number)
      const input = (target.change ?? mutate)(target.seeds[number % target.seeds.length]!, random)
      const began = performance.now()
      tally.inputs += 1
      try {
        await opened.read(input)
        tally.read += 1
      } catch (error) {
        if (error instanceof AppError && error.code !== 'internal') tally.typed += 1
        else {
          tally.untyped += 1
          faults.push({
            target: target.name,
            number,
            what: `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n  input: ${JSON.stringify(input.toString('latin1').slice(0, 400))}`,
          })
        }
      }
      const ms = performance.now() - began
      tally.worstMs = Math.max(tally.worstMs, ms)
      tally.peakMB = Math.max(tally.peakMB, residentMB())
      if (ms > MOST_MS) faults.push({ target: target.name, number, what: `took ${ms.toFixed(0)} ms` })
      if (residentMB() - startMB > MOST_GROWTH_MB)
        faults.push({ target: target.name, number, what: `memory grew to ${residentMB().toFixed(0)} MB` })
    }
  } finally {
    await opened.close?.()
    rmSync(folder, { recursive: true, force: true })
  }
  return { tally, faults }
}

function residentMB(): number {
  return process.memoryUsage.rss() / 1024 ** 2
}
