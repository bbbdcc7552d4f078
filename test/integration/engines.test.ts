import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { APP_VERSION } from '../../main/app/app.ts'
import { writeFigures } from '../../main/app/engine-setup/figures.ts'
import { rememberEngine } from '../../main/base/own-engines.ts'
import type { EngineProbe } from '../../main/app/engine-setup/probe.ts'
import { readSpec, writeSpec } from '../../main/base/run-folder/spec.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import type { EngineJob } from '../../shared/contract/engines.ts'
import type { EngineName, RunId } from '../../shared/domain.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { importTiny, tinyRequest, waitForState } from '../support/tiny-app.ts'
import { allEvents, exitOf, makeTinyRun, spawnTrainer } from '../support/tiny-run.ts'

const probe = (name: EngineName, tokensPerSec: number, more: Partial<EngineProbe> = {}): EngineProbe => ({
  name,
  available: true,
  device: `a ${name}`,
  threads: 2,
  peakBytes: null,
  software: false,
  card: null,
  speed: {
    trainingTokensPerSec: tokensPerSec,
    samplingTokensPerSec: 1000 - tokensPerSec,
    productFlopsPerSec: 5e10,
    memoryBytesPerSec: 8e9,
  },
  error: null,
  ...more,
})

/** An engine that looks added, and whose addon is no library. */
function addBrokenTensorflow(enginesFolder: string): void {
  const folder = path.join(enginesFolder, 'tensorflow')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'tfjs_binding.node'), 'this is no library')
  writeFileSync(
    path.join(folder, 'engine.json'),
    JSON.stringify({
      formatVersion: 1,
      name: 'tensorflow',
      tensorflowVersion: '2.21.0',
      cuda: false,
      source: 'a damaged wheel',
      builtAtMs: 5,
      platform: 'linux x64',
      addon: 'tfjs_binding.node',
      addonSha256: '0'.repeat(64),
      libraries: ['tensorflow'],
    }),
  )
  rememberEngine(folder)
}

// The list of engines that were added here lies beside no data folder: these tests have one of their own.
const config = mkdtempSync(path.join(tmpdir(), 'pairlab config '))
beforeAll(() => void vi.stubEnv('PAIRLAB_CONFIG', config))
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(config, { recursive: true, force: true })
})

describe('the app', () => {
  let made: TestApp
  let enginesFolder = ''
  const before = process.env['PAIRLAB_ENGINES']
  beforeEach(async () => {
    delete process.env['PAIRLAB_ENGINES']
    made = await makeApp()
    enginesFolder = path.join(made.dataFolder, 'engines')
  })
  afterEach(async () => {
    await made.end()
    if (before !== undefined) process.env['PAIRLAB_ENGINES'] = before
  })

  const job = async (): Promise<EngineJob | null> => (await made.client.call('engines.list', {})).job
  const ended = async (): Promise<EngineJob> => {
    await waitUntil('the job to end', async () => (await job())?.state !== 'running')
    return (await job())!
  }

  test('takes the graphics adapter that was named, and says so where there is none of that name', async () => {
    await made.client.call('engines.setAdapter', { adapter: 'no such card' })
    expect((await made.client.call('engines.list', {})).adapter).toBe('no such card')
    await made.client.call('engines.test', { engine: 'webgpu', seconds: 0 })
    await ended()
    const webgpu = (await made.client.call('engines.list', {})).engines.find((one) => one.name === 'webgpu')
    expect([webgpu?.state, webgpu?.error?.message]).toEqual([
      'not-here',
      'There is no graphics adapter "no such card".',
    ])
    await made.client.call('engines.setAdapter', { adapter: null })
    const { adapter, engines } = await made.client.call('engines.list', {})
    expect([adapter, engines.find((one) => one.name === 'webgpu')?.state]).toEqual([null, 'not-tested'])
  })

  test('knows nothing of engines that nobody tested, and what adds the one that is missing', async () => {
    const { engines, chosen, job: none } = await made.client.call('engines.list', {})
    expect(engines.map(({ name, state, addCommand }) => [name, state, addCommand])).toEqual([
      ['tensorflow', 'not-here', 'pairlab engine add tensorflow'],
      ['webgpu', 'not-tested', null],
      ['wasm', 'not-tested', null],
      ['cpu', 'not-tested', null],
    ])
    expect(chosen.training).toMatchObject({ name: 'wasm', why: expect.stringContaining('works on every machine') })
    expect(none).toBeNull()
  })

  test('measures an engine in a process of its own, tells how far it is, and keeps the figures', async () => {
    const told: EngineJob[] = []
    made.app.events.subscribe((event) => {
      if (event.name === 'engine.progress') told.push(event.payload as EngineJob)
    })
    const { jobId } = await made.client.call('engines.test', { engine: 'wasm', seconds: 0.5 })
    await expect(made.client.call('engines.test', {})).rejects.toMatchObject({
      code: 'run-conflict',
      message: 'Engines are being tested.',
    })
    expect(await ended()).toMatchObject({
      jobId,
      state: 'finished',
      done: 1,
      total: 1,
      error: null,
      lines: [expect.stringMatching(/^wasm: WebAssembly SIMD.* training and .* sampling tokens\/s$/)],
    })
    expect(told.map((one) => [one.engine, one.done])).toContainEqual(['wasm', 0])
    const { engines, chosen } = await made.client.call('engines.list', {})
    const wasm = engines.find((one) => one.name === 'wasm')!
    expect(wasm).toMatchObject({ state: 'ready', error: null })
    expect(wasm.speed!.trainingTokensPerSec).toBeGreaterThan(10)
    expect(wasm.measuredAtMs).toBeGreaterThan(Date.now() - 60_000)
    expect(chosen.sampling.why).toContain('only engine that was measured')
  })

  test('a test can be cancelled, and what it had not measured stays unknown', async () => {
    const { jobId } = await made.client.call('engines.test', { engine: 'cpu', seconds: 60 })
    await made.client.call('engines.cancel', { jobId })
    expect(await ended()).toMatchObject({ state: 'cancelled', done: 0, error: null })
    expect((await made.client.call('engines.list', {})).engines.find((one) => one.name === 'cpu')).toMatchObject({
      state: 'not-tested',
    })
    await expect(made.client.call('engines.cancel', { jobId: 'engine-job-of-before' as never })).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  test('says why an addition failed, and leaves nothing behind', async () => {
    const wheel = path.join(made.dataFolder, 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_17_x86_64.whl')
    writeFileSync(wheel, 'cut off')
    await made.client.call('engines.addWheels', { engine: 'tensorflow', wheels: [wheel] })
    const failed = await ended()
    expect(failed).toMatchObject({ kind: 'add', state: 'failed' })
    expect(failed.error?.hint).not.toBe('')
    if (process.platform === 'linux') expect(failed.error?.message).toContain('cannot be opened as a wheel')
    expect(existsSync(path.join(enginesFolder, 'tensorflow'))).toBe(false)
    expect(existsSync(path.join(enginesFolder, '.staging'))).toBe(false)
  })

  test('removes what was added, with its figures', async () => {
    addBrokenTensorflow(enginesFolder)
    writeFigures(enginesFolder, APP_VERSION, [probe('tensorflow', 900), probe('wasm', 100)], 7)
    expect((await made.client.call('engines.list', {})).chosen.training).toEqual({
      name: 'tensorflow',
      why: 'the fastest at training here: 9.0 × wasm',
    })
    expect(await made.client.call('engines.remove', { engine: 'tensorflow' })).toEqual({ removed: true })
    expect(await made.client.call('engines.remove', { engine: 'tensorflow' })).toEqual({ removed: false })
    const { engines, chosen } = await made.client.call('engines.list', {})
    expect(engines[0]).toMatchObject({ state: 'not-here', speed: null, added: null })
    expect(chosen.training.name).toBe('wasm')
  })

  test('a run takes the fastest, records why, and where that cannot be opened goes on with the next and says so', async () => {
    addBrokenTensorflow(enginesFolder)
    writeFigures(enginesFolder, APP_VERSION, [probe('tensorflow', 900), probe('wasm', 100)], 7)
    const datasetId = await importTiny(made.client, made.dataFolder)
    const request = tinyRequest(datasetId)
    expect((await made.client.call('runs.check', { request })).engine).toEqual({
      name: 'tensorflow',
      why: 'the fastest at training here: 9.0 × wasm',
    })
    const {
      runIds: [runId],
    } = await made.client.call('runs.start', { request })
    expect(await waitForState(made.client, runId!)).toBe('finished')
    const run = await made.client.call('runs.get', { runId: runId! })
    expect(run.spec).toMatchObject({
      engine: 'tensorflow',
      engineChoice: { automatic: true, why: 'the fastest at training here: 9.0 × wasm', others: ['wasm', 'cpu'] },
    })
    expect(run.engine).toBe('wasm')
    expect(run.facts['device']).toMatch(/^WebAssembly/)
    expect(run.warnings).toEqual([
      {
        message: expect.stringMatching(
          /^The tensorflow engine, which was chosen for this run, could not be used; the run is on wasm\. .*damaged/,
        ),
        hint: expect.stringContaining('engine add tensorflow'),
      },
    ])
    // The request of the run asks for the fastest again; the command that repeats it names the engine.
    expect((await made.client.call('runs.request', { runId: runId! })).engine).toBe('auto')
    const estimate = await made.client.call('runs.estimate', { request })
    expect(estimate).toMatchObject({
      engine: 'wasm',
      device: expect.stringMatching(/^WebAssembly/),
      engineWhy: 'tensorflow could not be opened',
      warnings: [expect.stringContaining('could not be used')],
    })
  })

  test('a run whose engine was named fails with the reason', async () => {
    addBrokenTensorflow(enginesFolder)
    const datasetId = await importTiny(made.client, made.dataFolder)
    const { runIds } = await made.client.call('runs.start', {
      request: tinyRequest(datasetId, { engine: 'tensorflow', threads: 1 }),
    })
    const runId = runIds[0] as RunId
    expect(await waitForState(made.client, runId)).toBe('failed')
    const run = await made.client.call('runs.get', { runId })
    expect(run.spec).toMatchObject({ engine: 'tensorflow', threads: 1, engineChoice: { automatic: false, others: [] } })
    expect(run.error).toMatchObject({
      code: 'engine-unavailable',
      message: expect.stringContaining('damaged'),
      hint: 'Run: pairlab engine add tensorflow',
    })
    expect(run.command).toContain('--engine tensorflow --threads 1')
  })
})

describe('a training process', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'pairlab engines '))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  /** A run that was to be on `engine`, chosen by itself. */
  function automatic(engine: EngineName, others: readonly EngineName[]): string {
    const folder = makeTinyRun(root, { training: { steps: 1, evalEvery: 0, checkpointEvery: 0, samplePrompts: 0 } })
    const spec = readSpec(folder)
    rmSync(path.join(folder, 'spec.json'))
    writeSpec(folder, {
      ...spec,
      engine,
      engineChoice: { automatic: true, why: 'for a test', others: [...others] },
      enginesFolder: path.join(root, 'engines'),
    })
    return folder
  }

  test('that finds none of its engines names them all', async () => {
    const folder = automatic('tensorflow', [])
    expect(await exitOf(spawnTrainer(folder, 'train'))).toBe(3)
    expect(allEvents(folder).at(-1)).toMatchObject({
      type: 'failed',
      beforeReady: true,
      error: {
        code: 'engine-unavailable',
        message: 'No engine could be opened: tensorflow: TensorFlow is not added on this machine.',
      },
    })
  })

  test('says of each that it passed over why', async () => {
    addBrokenTensorflow(path.join(root, 'engines'))
    const folder = automatic('tensorflow', ['cpu'])
    expect(await exitOf(spawnTrainer(folder, 'train'))).toBe(0)
    const events = allEvents(folder)
    expect(events[0]).toMatchObject({ type: 'ready', engine: 'cpu' })
    expect(events[1]).toMatchObject({ type: 'warning', message: expect.stringContaining('the run is on cpu') })
    expect(readFileSync(runPaths(folder).log, 'utf8')).toContain('the tensorflow engine could not be used')
  })
})
