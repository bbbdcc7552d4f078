// A stand-in for systemd-inhibit, which writes down what it was asked and does it: the real one wants a session of its own.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findAwakeProgram } from '../../main/app/runs/stay-awake.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { importTiny, tinyRequest, TINY_TRAINING, waitForState } from '../support/tiny-app.ts'

let tools: string
let lab: TestApp
beforeEach(async () => {
  tools = mkdtempSync(path.join(tmpdir(), 'awake '))
  const file = path.join(tools, 'systemd-inhibit')
  writeFileSync(
    file,
    `#!/bin/sh\necho "$@" >> '${tools}/asked'\nwhile [ "\${1#--}" != "$1" ]; do shift; done\n"$@"\necho ended >> '${tools}/asked'\n`,
  )
  chmodSync(file, 0o755)
  vi.stubEnv('PATH', `${tools}:${process.env['PATH']}`)
  lab = await makeApp()
})
afterEach(async () => {
  await lab.end()
  vi.unstubAllEnvs()
  rmSync(tools, { recursive: true, force: true })
})

const asked = (): string =>
  existsSync(path.join(tools, 'asked')) ? readFileSync(path.join(tools, 'asked'), 'utf8') : ''

test.skipIf(process.platform !== 'linux')(
  'the machine stays awake as long as the trainer is there, and only where it is wanted',
  async () => {
    const { client, app } = lab
    expect(findAwakeProgram()).toBe(path.join(tools, 'systemd-inhibit'))
    expect((await client.call('system.info', {})).awakeBy).toBe('systemd-inhibit')
    const datasetId = await importTiny(client, lab.dataFolder)
    expect(app.wantsAwake()).toBe(false)
    const long = tinyRequest(datasetId, {
      training: { ...TINY_TRAINING, steps: 100_000, evalEvery: 0, checkpointEvery: 0 },
    })
    const [runId] = (await client.call('runs.start', { request: long })).runIds
    await waitForState(client, runId!, ['training'])
    expect(app.wantsAwake()).toBe(true)
    await waitUntil('what it takes of the machine', async () => {
      const { series } = await client.call('runs.metrics', {
        runId: runId!,
        names: ['system/processor', 'system/memory'],
      })
      return series.length === 2 && series.every(({ value }) => value.every((one) => one !== null && one > 0))
    })
    await client.call('settings.set', { keepAwake: false })
    expect(app.wantsAwake()).toBe(false)
    expect(asked()).toMatch(
      /^--what=sleep:idle --mode=block --who=Pairlab --why=A run trains tail --pid=\d+ -f \/dev\/null\n$/,
    )
    await client.call('runs.stop', { runId: runId!, mode: 'stop' })
    await waitUntil('the program to end with the trainer', () => asked().endsWith('\nended\n'))
    const before = asked()
    const [second] = (await client.call('runs.start', { request: tinyRequest(datasetId) })).runIds
    await waitForState(client, second!)
    expect(asked()).toBe(before)
  },
)
