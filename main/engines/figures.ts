import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import type { EngineName } from '../../shared/domain.ts'
import { engineProbe, type EngineProbe } from './probe.ts'

/** What the last benchmark of this machine gave; kept beside the engines. */
const figuresFile = z.strictObject({ formatVersion: z.literal(1), machine: z.string(), appVersion: z.string(), measuredAtMs: z.number(), engines: z.array(engineProbe) })
export type EngineFigures = z.infer<typeof figuresFile>

/** Figures of another machine or version say nothing here. */
function machineName(): string {
  return `${os.cpus()[0]?.model.trim() ?? 'unknown'} × ${os.cpus().length}, ${os.platform()} ${os.arch()}`
}

export function readFigures(enginesFolder: string, appVersion: string): EngineFigures | null {
  try {
    const figures = figuresFile.parse(JSON.parse(readFileSync(path.join(enginesFolder, 'figures.json'), 'utf8')))
    return figures.machine === machineName() && figures.appVersion === appVersion ? figures : null
  } catch {
    return null // none, or from a version that wrote them differently: they are measured again
  }
}

export function writeFigures(enginesFolder: string, appVersion: string, engines: readonly EngineProbe[], measuredAtMs: number): EngineFigures {
  const figures: EngineFigures = { formatVersion: 1, machine: machineName(), appVersion, measuredAtMs, engines: [...engines] }
  mkdirSync(enginesFolder, { recursive: true })
  const file = path.join(enginesFolder, 'figures.json')
  writeFileSync(`${file}.tmp`, `${JSON.stringify(figures, null, 2)}\n`)
  renameSync(`${file}.tmp`, file)
  return figures
}

export interface EngineChoice {
  readonly name: EngineName
  /** In words, for the person. */
  readonly why: string
}

/** The fastest engine that passed its test, for this kind of work; without figures the one that works everywhere. */
export function chooseEngine(figures: Pick<EngineFigures, 'engines'> | null, work: 'training' | 'sampling'): EngineChoice {
  const speedOf = (one: EngineProbe): number => (work === 'training' ? one.speed?.trainingTokensPerSec : one.speed?.samplingTokensPerSec) ?? 0
  const fit = (figures?.engines ?? []).filter((one) => one.available && !one.software && one.name !== 'cpu' && speedOf(one) > 0)
  const ranked = fit.toSorted((a, b) => speedOf(b) - speedOf(a))
  const [best, second] = ranked
  if (best === undefined) return { name: 'wasm', why: 'it works on every machine; measure the others under Settings → Compute to compare' }
  if (second === undefined) return { name: best.name, why: 'the only engine that passed its test here' }
  return { name: best.name, why: `the fastest at ${work} here: ${(speedOf(best) / speedOf(second)).toFixed(1)} × ${second.name}` }
}
