import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExtraRecord, ItemRow, PreferenceRow } from '../../shared/data-kinds.ts'
import { runSpec, type RunSpec } from '../../shared/run-spec.ts'
import { trainingConfig, type TrainingChanges } from '../../shared/training-config.ts'
import { readEvents } from '../../main/base/run-folder/events.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { writeSpec } from '../../main/base/run-folder/spec.ts'
import type { TrainerEvent } from '../../main/base/run-folder/protocol.ts'
import { builtProgram } from './built-program.ts'

export const WORKER_ENTRY =
  builtProgram('worker.js') ?? fileURLToPath(new URL('../../main/workers/entry.ts', import.meta.url))

/** Short answers against long ones: something a model of any size can tell apart. */
export function tinyRows(train = 24, validation = 6, test = 6): PreferenceRow[] {
  return Array.from({ length: train + validation + test }, (_none, index): PreferenceRow => {
    const swapped = index % 3 === 0
    const good = `yes ${index % 7}`
    const bad = 'no no no'
    const preferenceA = index % 11 === 5 ? 0.5 : swapped ? 0 : 1
    return {
      pairId: `p${index}`,
      split: index < train ? 'train' : index < train + validation ? 'validation' : 'test',
      prompt: `q${index % 9}?`,
      a: swapped ? bad : good,
      b: swapped ? good : bad,
      preferenceA,
      strength: index % 5 === 0 ? 1 / 3 : 1,
      weight: 1,
      rewardA: swapped ? 0 : 1,
      rewardB: swapped ? 1 : 0,
      labelCount: 1,
    }
  })
}

export interface TinyOptions {
  readonly method?: string
  readonly config?: RunSpec['config']
  readonly training?: TrainingChanges
  readonly model?: RunSpec['model']
  readonly judge?: RunSpec['judge']
  readonly rewardModelPath?: string
  readonly engine?: RunSpec['engine']
  readonly seed?: number
  /** What the view holds; of other kinds of data than pairs, its items. */
  readonly rows?: readonly (PreferenceRow | ItemRow | ExtraRecord)[]
  readonly runId?: string
}

/** A run folder ready for a trainer, with its data beside it. Returns the run's folder. */
export function makeTinyRun(root: string, options: TinyOptions = {}): string {
  const rows = options.rows ?? tinyRows()
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  const viewPath = path.join(root, 'view.jsonl')
  mkdirSync(root, { recursive: true })
  writeFileSync(viewPath, text)
  const runId = options.runId ?? 'tiny-1'
  const folder = path.join(root, 'runs', runId)
  mkdirSync(folder, { recursive: true })
  const count = (side: string): number => rows.filter((row) => 'split' in row && row.split === side).length
  writeSpec(
    folder,
    runSpec.parse({
      formatVersion: 1,
      runId,
      name: 'tiny',
      appVersion: '0.0.0',
      createdAtMs: 1,
      method: options.method ?? 'sft',
      config: options.config ?? {},
      training: trainingConfig.parse({
        steps: 8,
        batchSize: 6,
        microBatchSize: 4,
        maxLength: 24,
        evalEvery: 4,
        checkpointEvery: 4,
        samplePrompts: 2,
        sampleTokens: 4,
        learningRate: 5e-3,
        ...options.training,
      }),
      groupHash: 'g',
      seed: options.seed ?? 1,
      engine: options.engine ?? 'wasm',
      data: {
        datasetId: 'd',
        datasetName: 'tiny',
        fingerprint: 'f',
        split: { seed: 0, validation: 0.1, test: 0.2 },
        annotators: [],
        aggregation: 'mean',
        viewHash: createHash('sha256').update(text).digest('hex'),
        viewPath,
        labelCount: rows.length,
        counts: { train: count('train'), validation: count('validation'), test: count('test') },
      },
      model: options.model ?? { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' }, tiedEmbeddings: true },
      judge: options.judge ?? null,
      rewardModelPath: options.rewardModelPath ?? null,
      cacheFolder: path.join(root, 'cache'),
    }),
  )
  return folder
}

/** Starts a real training process on the folder. */
export function spawnTrainer(folder: string, job = 'train', env: Readonly<Record<string, string>> = {}): ChildProcess {
  const log = openSync(runPaths(folder).log, 'a')
  return spawn(process.execPath, [WORKER_ENTRY, job, folder], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  })
}

export function exitOf(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
}

export function allEvents(folder: string): TrainerEvent[] {
  const events: TrainerEvent[] = []
  for (let offset = 0; ;) {
    const batch = readEvents(runPaths(folder).events, offset)
    if (batch.offset === offset) return events
    events.push(...batch.events)
    offset = batch.offset
  }
}

/** Its events of one kind. */
export function only<T extends TrainerEvent['type']>(folder: string, type: T): Extract<TrainerEvent, { type: T }>[] {
  return allEvents(folder).filter((event): event is Extract<TrainerEvent, { type: T }> => event.type === type)
}

/** Bytes of a checkpoint's files but for the clock in state.json. */
export function weightsOf(folder: string, step: number): Record<string, string> {
  const place = path.join(runPaths(folder).checkpoints, String(step).padStart(8, '0'))
  return Object.fromEntries(
    readdirSync(place)
      .filter((name) => name !== 'state.json')
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(path.join(place, name)))
          .digest('hex'),
      ]),
  )
}

const isClock = (name: string): boolean => name === 'wallMs' || name.endsWith('_per_sec')

/** Every metric by name and step, the last branch only; what a clock measures is left out. */
export function metricsByStep(events: readonly TrainerEvent[]): Record<string, Record<number, number | null>> {
  const result: Record<string, Record<number, number | null>> = {}
  for (const event of events) {
    if (event.type === 'ready') {
      const from = event.resumedFromStep ?? -1
      for (const points of Object.values(result))
        for (const step of Object.keys(points).map(Number)) if (step > from) delete points[step]
    }
    if (event.type !== 'metrics') continue
    for (const [name, values] of Object.entries(event.columns)) {
      if (name === 'step' || isClock(name)) continue
      values.forEach((value, row) => {
        ;(result[name] ??= {})[event.columns['step']![row]!] = value
      })
    }
  }
  return result
}
