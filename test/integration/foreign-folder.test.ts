import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isOwnEngine, rememberEngine } from '../../main/base/own-engines.ts'
import { enginesFolderOf, librarySearchPath } from '../../main/app/engine-setup/folder.ts'
import { engineEnvironment } from '../../main/app/engine-setup/probe.ts'
import { readSpec, writeSpec } from '../../main/base/run-folder/spec.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { waitUntil, makeApp } from '../support/make-app.ts'
import { allEvents, exitOf, makeTinyRun, spawnTrainer } from '../support/tiny-run.ts'

let root: string
let ran: string

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab föreign '))
  ran = path.join(root, 'ran')
  vi.stubEnv('PAIRLAB_CONFIG', path.join(root, 'config'))
  vi.stubEnv('PAIRLAB_ENGINES', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

/** As `engine add` leaves it, but what would be loaded is a script that leaves a trace when it is run. */
function makeEngine(enginesFolder: string): string {
  const folder = path.join(enginesFolder, 'tensorflow')
  mkdirSync(path.join(folder, 'lib'), { recursive: true })
  writeFileSync(path.join(folder, 'addon.cjs'), `require('node:fs').writeFileSync(${JSON.stringify(ran)}, 'x')`)
  writeFileSync(path.join(folder, 'lib/libtensorflow_cc.so.2'), 'a library')
  writeFileSync(
    path.join(folder, 'engine.json'),
    JSON.stringify({
      formatVersion: 1,
      name: 'tensorflow',
      tensorflowVersion: '2.21.0',
      cuda: false,
      source: 'somebody',
      builtAtMs: 5,
      platform: 'linux x64',
      addon: 'addon.cjs',
      addonSha256: '0'.repeat(64),
      libraries: ['lib'],
    }),
  )
  return folder
}

describe('an engine in a data folder that one was given', () => {
  test('is not loaded and widens no search path; the app says what to do', async () => {
    const made = await makeApp()
    const enginesFolder = enginesFolderOf(made.dataFolder)
    makeEngine(enginesFolder)
    expect(librarySearchPath(enginesFolder)).toBe('')
    expect(engineEnvironment(enginesFolder, { LD_LIBRARY_PATH: '/mine' })).toEqual({ LD_LIBRARY_PATH: '/mine' })
    await made.client.call('engines.test', { engine: 'tensorflow', seconds: 0 })
    await waitUntil('the test', async () => (await made.client.call('engines.list', {})).job?.state !== 'running')
    const tensorflow = (await made.client.call('engines.list', {})).engines.find(({ name }) => name === 'tensorflow')
    expect(tensorflow).toMatchObject({
      state: 'not-here',
      error: {
        message: expect.stringContaining('not added by this installation'),
        hint: expect.stringContaining('pairlab engine add tensorflow'),
      },
    })
    expect(existsSync(ran)).toBe(false)
    await made.end()
  })

  test('is not loaded by a run whose specification names it, wherever it lies', async () => {
    makeEngine(path.join(root, 'elsewhere'))
    const folder = makeTinyRun(root, { training: { steps: 1, evalEvery: 0, checkpointEvery: 0, samplePrompts: 0 } })
    const spec = readSpec(folder)
    rmSync(runPaths(folder).spec)
    writeSpec(folder, { ...spec, engine: 'tensorflow', enginesFolder: path.join(root, 'elsewhere') })
    expect(await exitOf(spawnTrainer(folder, 'train'))).toBe(3)
    expect(allEvents(folder).at(-1)).toMatchObject({
      type: 'failed',
      error: { message: expect.stringContaining('not added by this installation') },
    })
    expect(existsSync(ran)).toBe(false)
  })
})

describe('an engine that was added here', () => {
  test('is known, also under new times, and no more once something of it is another, more or gone, or as a copy', () => {
    const folder = makeEngine(path.join(root, 'engines'))
    rememberEngine(folder)
    expect(isOwnEngine(folder, false)).toBe(true)
    expect(librarySearchPath(path.join(root, 'engines'))).toBe(path.join(folder, 'lib'))
    expect(statSync(path.join(root, 'config/engines.json')).mode & 0o077).toBe(0)

    chmodSync(path.join(folder, 'addon.cjs'), 0o700) // new times, the same contents
    expect([isOwnEngine(folder, false), isOwnEngine(folder, true), isOwnEngine(folder, false)]).toEqual([
      false,
      true,
      true,
    ])

    const copy = path.join(root, 'copy/tensorflow')
    cpSync(folder, copy, { recursive: true, preserveTimestamps: true })
    expect(isOwnEngine(copy, true)).toBe(false)

    const changes: readonly (() => void)[] = [
      () => writeFileSync(path.join(folder, 'lib/libtensorflow_cc.so.2'), 'b library'),
      () => writeFileSync(path.join(folder, 'addon.cjs'), '//'),
      () => writeFileSync(path.join(folder, 'lib/libstdc++.so.6'), 'found before the system’s'),
      () => rmSync(path.join(folder, 'lib/libtensorflow_cc.so.2')),
      () => writeFileSync(path.join(folder, 'engine.json'), '{"addon":"addon.cjs","libraries":["lib","/tmp"]}'),
      () => rmSync(folder, { recursive: true }),
    ]
    for (const change of changes) {
      rmSync(folder, { recursive: true, force: true })
      makeEngine(path.join(root, 'engines'))
      rememberEngine(folder)
      expect(isOwnEngine(folder, true)).toBe(true)
      change()
      expect(isOwnEngine(folder, true)).toBe(false)
    }
  })
})
