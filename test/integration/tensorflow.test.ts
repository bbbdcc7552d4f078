// The tensorflow engine itself. PAIRLAB_ENGINES names a folder it was added to; or PAIRLAB_WHEELS a wheel, or a folder
// of wheels, from which it is added first, without a network. Without either these tests are skipped.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TRAINER_HEAP } from '../../main/app/runs/executors/local.ts'
import { rememberEngine } from '../../main/base/own-engines.ts'
import { engineEnvironment, probeEngine } from '../../main/app/engine-setup/probe.ts'
import { readSpec, writeSpec } from '../../main/base/run-folder/spec.ts'
import { readTail } from '../../main/base/files/tail.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import type { TrainerEvent } from '../../main/base/run-folder/protocol.ts'
import { everyKind } from '../support/every-kind.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { expectSameCurves } from '../support/same-curves.ts'
import {
  allEvents,
  exitOf,
  makeTinyRun,
  metricsByStep,
  spawnTrainer,
  WORKER_ENTRY,
  tinyRows,
  type TinyOptions,
} from '../support/tiny-run.ts'

const CLI = fileURLToPath(new URL('../../main/doors/headless/cli.ts', import.meta.url))
const CHILD = fileURLToPath(new URL('../support/engine-leaks-child.ts', import.meta.url))
const TRAIN_FOLDERS = fileURLToPath(new URL('../support/train-folders-child.ts', import.meta.url))
/** Stretches wait from the second on, and are functions from the sixth. */
const STEPS = 12
const added = process.env['PAIRLAB_ENGINES'] ?? ''
const wheels = process.env['PAIRLAB_WHEELS'] ?? ''
const none = added === '' && wheels === '' ? ' (skipped: neither PAIRLAB_ENGINES nor PAIRLAB_WHEELS is set)' : ''

describe.skipIf(none !== '')(`the tensorflow engine${none}`, () => {
  let enginesFolder = ''
  let scratch = ''
  let root = ''

  beforeAll(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'pairlab tensorflow '))
    enginesFolder = added === '' ? path.join(scratch, 'engines') : path.resolve(added)
    if (added !== '') return
    const command = [
      process.execPath,
      CLI,
      'engine',
      'add',
      'tensorflow',
      '--wheel',
      path.resolve(wheels),
      '--data-dir',
      path.join(scratch, 'data'),
    ]
    // Where the system allows it, in a namespace without a network.
    const offline = spawnSync('unshare', ['-rn', 'true']).status === 0 ? ['unshare', '-rn'] : []
    const [program, ...args] = [...offline, ...command] as [string, ...string[]]
    const { status, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      env: { ...process.env, PAIRLAB_ENGINES: enginesFolder },
    })
    expect([status, status === 0 ? '' : stderr]).toEqual([0, ''])
  }, 300_000)
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))
  beforeEach(() => {
    root = mkdtempSync(path.join(scratch, 'run '))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const environment = (): Record<string, string> => ({
    ...(engineEnvironment(enginesFolder) as Record<string, string>),
    PAIRLAB_ENGINES: enginesFolder,
  })

  /** What is not of ours to say: TensorFlow greets, whatever it is asked. */
  const complaints = (folder: string): readonly string[] =>
    readTail(runPaths(folder).log, 20).filter((line) => !/^[WI]0000|absl::InitializeLog|oneDNN/.test(line))

  async function finish(options: TinyOptions): Promise<string> {
    const folder = makeTinyRun(root, options)
    const spec = readSpec(folder)
    rmSync(path.join(folder, 'spec.json'))
    writeSpec(folder, { ...spec, enginesFolder })
    expect([await exitOf(spawnTrainer(folder, 'train', environment())), complaints(folder)]).toEqual([0, []])
    return folder
  }

  const events = <T extends TrainerEvent['type']>(folder: string, type: T): Extract<TrainerEvent, { type: T }>[] =>
    allEvents(folder).filter((event): event is Extract<TrainerEvent, { type: T }> => event.type === type)

  test('passes its test and is measured', async () => {
    const probe = await probeEngine({ execPath: process.execPath, args: [WORKER_ENTRY] }, 'tensorflow', {
      enginesFolder,
      threads: null,
      seconds: 1,
    })
    expect(probe).toMatchObject({
      available: true,
      error: null,
      software: false,
      device: expect.stringMatching(/^TensorFlow \d+\.\d+/),
    })
    expect(probe.speed!.trainingTokensPerSec).toBeGreaterThan(10)
    expect(probe.speed!.samplingTokensPerSec).toBeGreaterThan(1)
  })

  test('trains on the same curve as wasm for twenty steps, draws the same greedy tokens, and resumes where it stopped', async () => {
    const options: TinyOptions = {
      method: 'dpo',
      training: {
        steps: 20,
        batchSize: 4,
        microBatchSize: 2,
        maxLength: 24,
        evalEvery: 0,
        checkpointEvery: 10,
        samplePrompts: 2,
        sampleTokens: 6,
        sampleTemperature: 0,
        weightDecay: 0.01,
        clipNorm: 0.5,
      },
    }
    const folders = {
      tensorflow: await finish({ ...options, engine: 'tensorflow', runId: 'tensorflow' }),
      wasm: await finish({ ...options, engine: 'wasm', runId: 'wasm' }),
    }
    const [actual, expected] = [folders.tensorflow, folders.wasm].map((folder) => metricsByStep(allEvents(folder)))
    // The norm follows the weights' last digits more than the loss does: Adam divides by small numbers.
    for (const [name, tolerance] of [
      ['loss', 2e-3],
      ['grad_norm', 2e-2],
      ['rewards/margins', 1e-2],
    ] as const) {
      expect(Object.keys(actual![name]!), name).toHaveLength(20)
      for (const [step, value] of Object.entries(expected![name]!)) {
        expect(Math.abs(actual![name]![Number(step)]! - value!), `${name} at step ${step}`).toBeLessThanOrEqual(
          tolerance * Math.max(1, Math.abs(value!)),
        )
      }
    }
    expect(Math.abs(expected!['loss']![20]! - expected!['loss']![1]!)).toBeGreaterThan(1e-2) // the curve moves
    expect(allEvents(folders.tensorflow)[0]).toMatchObject({ type: 'ready', engine: 'tensorflow' })
    const drawn = (folder: string): readonly string[] =>
      events(folder, 'sample')
        .at(-1)!
        .items.map((item) => item.completion)
    expect(drawn(folders.tensorflow)).toEqual(drawn(folders.wasm))
    expect(events(folders.tensorflow, 'fact').find((event) => Number(event.facts['enginePeakBytes']) > 0)).toBeDefined()
    rmSync(path.join(runPaths(folders.tensorflow).checkpoints, '00000020'), { recursive: true })
    expect(await exitOf(spawnTrainer(folders.tensorflow, 'train', environment()))).toBe(0)
    const resumed = allEvents(folders.tensorflow)
    expect(resumed.findLast((event) => event.type === 'ready')).toMatchObject({ resumedFromStep: 10 })
    for (const name of ['loss', 'grad_norm']) {
      expect(Math.abs(metricsByStep(resumed)[name]![20]! - actual![name]![20]!), name).toBeLessThanOrEqual(
        1e-4 * Math.max(1, Math.abs(actual![name]![20]!)),
      )
    }
  }, 200_000)

  test('trains every kind of method on the same curve as wasm, its operations waiting for each other', () => {
    const kinds = everyKind(STEPS)
    const folders = (engine: 'tensorflow' | 'wasm'): string[] =>
      Object.entries(kinds).map(([name, kind]) =>
        makeTinyRun(path.join(root, engine, name), { ...kind, engine, runId: `${engine}-${name}` }),
      )
    const [ours, wasm] = [folders('tensorflow'), folders('wasm')]
    for (const [engine, given] of Object.entries({ tensorflow: ours, wasm })) {
      const { status, stderr } = spawnSync(process.execPath, [TRAIN_FOLDERS, engine, ...given], {
        encoding: 'utf8',
        env: { ...process.env, ...environment() },
      })
      expect([status, status === 0 ? '' : stderr.slice(-2000)], engine).toEqual([0, ''])
      expect(stderr, engine).not.toMatch(/called by itself/)
    }
    ours.forEach((folder, at) => expectSameCurves(folder, wasm[at]!, ['loss'], STEPS))
  }, 200_000)

  test('trains adapters beside a registered model', async () => {
    const model: NonNullable<TinyOptions['model']> = {
      kind: 'registered',
      modelId: 'm-1' as never,
      name: 'tiny',
      ...(await makeModelFolder(path.join(root, 'model'))),
    }
    const options: TinyOptions = {
      method: 'sft',
      model,
      rows: tinyRows(8, 2, 2),
      training: {
        adapt: 'lora',
        loraRank: 4,
        loraAlpha: 8,
        gradientCheckpointing: true,
        steps: 6,
        evalEvery: 0,
        samplePrompts: 0,
        learningRate: 2e-2,
      },
    }
    const [actual, expected] = [
      metricsByStep(allEvents(await finish({ ...options, engine: 'tensorflow', runId: 'tensorflow' }))),
      metricsByStep(allEvents(await finish({ ...options, engine: 'wasm', runId: 'wasm' }))),
    ]
    for (let step = 1; step <= 6; step += 1)
      expect(Math.abs(actual['loss']![step]! - expected['loss']![step]!), `step ${step}`).toBeLessThanOrEqual(2e-3)
    expect(expected['loss']![6]!).toBeLessThan(expected['loss']![1]! - 0.05)
  }, 120_000)

  test('agrees with the golden vectors', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [CLI, 'golden', '--engine', 'tensorflow', '--data-dir', path.join(root, 'data')],
      { encoding: 'utf8', env: { ...process.env, ...environment() } },
    )
    expect([status, stdout.trim().split('\n').at(-1), status === 0 ? '' : stderr]).toEqual([
      0,
      expect.stringMatching(/^\d{3,} passed, 0 failed, 0 not covered$/),
      '',
    ])
  }, 200_000)

  test('keeps tensors and memory as they were over 500 steps', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...TRAINER_HEAP, CHILD, 'tensorflow', '500'], {
      encoding: 'utf8',
      env: { ...process.env, ...environment() },
    })
    expect([status, status === 0 ? '' : stderr]).toEqual([0, ''])
    const { seen, residentBytes, losses, calls } = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
      seen: { tensors: number; bytes: number }[]
      residentBytes: number[]
      losses: number[]
      calls: { asked: number; launches: number; functions: number; made: number }
    }
    // A step is two calls, its forward and backward pass and its update; the rest are the first steps, and the samples.
    expect(calls.functions).toBeGreaterThanOrEqual(980)
    expect(calls.launches).toBeLessThan(calls.asked / 20)
    expect(calls.made).toBeLessThan(20)
    expect(new Set(seen.slice(1).map((one) => JSON.stringify(one))).size).toBe(1)
    expect(losses[1]!).toBeLessThan(0.5 * losses[0]!)
    // Handles that nobody lets go of would not be among the counted tensors.
    expect(residentBytes.at(-1)! - residentBytes[Math.floor(residentBytes.length / 2)]!).toBeLessThan(30e6)
  }, 200_000)

  test('an addon that is damaged, or belongs to other libraries, is named', async () => {
    const broken = path.join(root, 'engines')
    spawnSync('cp', ['-r', '--reflink=auto', '-s', path.join(enginesFolder, 'tensorflow'), path.join(root, 'linked')]) // links: nothing of it is large
    spawnSync('mkdir', ['-p', broken])
    spawnSync('mv', [path.join(root, 'linked'), path.join(broken, 'tensorflow')])
    const addon = path.join(broken, 'tensorflow/tfjs_binding.node')
    const probe = async (): Promise<string> =>
      (
        await probeEngine({ execPath: process.execPath, args: [WORKER_ENTRY] }, 'tensorflow', {
          enginesFolder: broken,
          threads: null,
          seconds: 0,
        })
      ).error?.message ?? 'it works'
    if (!existsSync(addon)) return // taken as npm downloaded it
    expect(await probe()).toContain('was not added by this installation') // a copy may hold anything
    rememberEngine(path.join(broken, 'tensorflow'))
    expect(await probe()).toBe('it works')
    rmSync(addon)
    expect(await probe()).toContain('or was changed since')
    writeFileSync(addon, 'garbage')
    expect(await probe()).toContain('or was changed since')
    rememberEngine(path.join(broken, 'tensorflow'))
    expect(await probe()).toContain('are damaged')
    rmSync(addon)
    spawnSync('cp', [path.join(enginesFolder, 'tensorflow/tfjs_binding.node'), addon]) // found beside it: no library any more
    spawnSync('rm', ['-r', path.join(broken, 'tensorflow/tensorflow')])
    rememberEngine(path.join(broken, 'tensorflow'))
    expect(await probe()).toMatch(/The library libtensorflow\w+\.so\.2 is missing/)
  }, 60_000)
})
