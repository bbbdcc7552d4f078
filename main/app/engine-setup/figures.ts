import { mkdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import type { EngineChoice } from '../../../shared/contract/engines.ts'
import { engineName, type EngineName } from '../../../shared/domain.ts'
import { replaceFile } from '../../base/files/durable.ts'
import { engineProbe, type EngineProbe } from './probe.ts'

const tested = engineProbe.extend({ testedAtMs: z.number(), measuredAtMs: z.number().nullable() })
/** What the last test of an engine gave; its speed may be of an earlier measurement. */
export type TestedEngine = z.infer<typeof tested>

/** What the last tests on this machine gave; kept beside the engines. */
const figuresFile = z.strictObject({
  formatVersion: z.literal(3),
  machine: z.string(),
  appVersion: z.string(),
  engines: z.array(tested),
})
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

function write(enginesFolder: string, appVersion: string, engines: readonly TestedEngine[]): EngineFigures {
  const figures: EngineFigures = { formatVersion: 3, machine: machineName(), appVersion, engines: [...engines] }
  mkdirSync(enginesFolder, { recursive: true })
  const file = path.join(enginesFolder, 'figures.json')
  replaceFile(file, `${JSON.stringify(figures, null, 2)}\n`)
  return figures
}

/** Puts these in place of what was known of the same engines. A test without a measurement keeps the speed of the last one. */
export function writeFigures(
  enginesFolder: string,
  appVersion: string,
  probes: readonly EngineProbe[],
  testedAtMs: number,
): EngineFigures {
  const known = readFigures(enginesFolder, appVersion)?.engines ?? []
  const fresh = probes.map((probe): TestedEngine => {
    const before = known.find((one) => one.name === probe.name && one.device === probe.device)
    if (probe.speed !== null || !probe.available)
      return { ...probe, testedAtMs, measuredAtMs: probe.speed === null ? null : testedAtMs }
    return { ...probe, speed: before?.speed ?? null, testedAtMs, measuredAtMs: before?.measuredAtMs ?? null }
  })
  return write(enginesFolder, appVersion, [
    ...known.filter((one) => !fresh.some(({ name }) => name === one.name)),
    ...fresh,
  ])
}

/** An engine that was taken away or built anew: what was measured of it says nothing more. */
export function forgetFigures(enginesFolder: string, appVersion: string, name: EngineName): void {
  const known = readFigures(enginesFolder, appVersion)?.engines ?? []
  if (known.some((one) => one.name === name))
    write(
      enginesFolder,
      appVersion,
      known.filter((one) => one.name !== name),
    )
}

type Known = { readonly engines: readonly EngineProbe[] } | null

/**
 * Engines in the order in which `auto` tries them: those that passed their test, the fastest at this kind of work first;
 * then wasm, which works everywhere; the reference last. An emulated graphics card is never among them.
 */
export function rankEngines(figures: Known, work: 'training' | 'sampling'): EngineName[] {
  const fit = measured(figures, work).map((one) => one.name)
  return [...fit, ...(['wasm', 'cpu'] as const).filter((name) => !fit.includes(name))]
}

/** The fastest engine that passed its test, for this kind of work; without figures the one that works everywhere. */
export function chooseEngine(figures: Known, work: 'training' | 'sampling'): EngineChoice {
  const [best, second] = measured(figures, work)
  if (best === undefined)
    return { name: 'wasm', why: 'it works on every machine; measure the others under Settings → Compute to compare' }
  if (second === undefined)
    return { name: best.name, why: 'the only engine that was measured here and passed its test' }
  return {
    name: best.name,
    why: `the fastest at ${work} here: ${(speedOf(best, work) / speedOf(second, work)).toFixed(1)} × ${second.name}`,
  }
}

function speedOf(one: EngineProbe, work: 'training' | 'sampling'): number {
  return (work === 'training' ? one.speed?.trainingTokensPerSec : one.speed?.samplingTokensPerSec) ?? 0
}

function measured(figures: Known, work: 'training' | 'sampling'): EngineProbe[] {
  const fit = (figures?.engines ?? []).filter(
    (one) => one.available && !one.software && one.name !== 'cpu' && speedOf(one, work) > 0,
  )
  // Of equals the one that stands first in the list of engines.
  return fit.toSorted(
    (a, b) =>
      speedOf(b, work) - speedOf(a, work) || engineName.options.indexOf(a.name) - engineName.options.indexOf(b.name),
  )
}
