import { afterEach, beforeEach, expect, test } from 'vitest'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { lockOwner } from '../../main/base/run-folder/lock.ts'
import { LiveCurves } from '../../renderer/run/live-curves.ts'
import { toCurves } from '../../renderer/run/run-series.ts'
import type { EventPayload } from '../../shared/contract.ts'
import type { RunId } from '../../shared/domain.ts'
import { inProcess } from '../../shared/rpc.ts'
import { everyPoint } from '../support/every-point.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { importTiny, tinyRequest, TINY_TRAINING, waitForState } from '../support/tiny-app.ts'

let running: TestApp
let runId: RunId
let folder: string

beforeEach(async () => {
  running = await makeApp()
  const datasetId = await importTiny(running.client, running.dataFolder)
  const { runIds } = await running.client.call('runs.start', {
    request: tinyRequest(datasetId, {
      training: { ...TINY_TRAINING, steps: 400, evalEvery: 40, evalPairs: 2, samplePrompts: 0, checkpointEvery: 5 },
    }),
  })
  runId = runIds[0]!
  folder = path.join(running.dataFolder, 'runs', runId)
  await waitUntil('a checkpoint', async () => (await running.client.call('runs.get', { runId })).checkpoints.length > 0)
})
afterEach(() => running.end())

async function reopen(): Promise<void> {
  const app = await createApp({ dataFolder: running.dataFolder })
  running = {
    ...running,
    app,
    client: inProcess(app.handlers),
    end: async () => {
      await app.close('checkpoint')
      const { rmSync } = await import('node:fs')
      rmSync(running.dataFolder, { recursive: true, force: true })
    },
  }
}

test('a killed trainer leaves the run lost, with the cause; resumed, it finishes on one curve, the same that was watched', async () => {
  const live = new LiveCurves()
  running.app.events.subscribe((event) => {
    if (event.name === 'run.metrics') live.take((event.payload as EventPayload<'run.metrics'>).changes) // by its name
  })
  const opened = await running.client.call('runs.metrics', { runId, maxPoints: 1000 })
  process.kill(lockOwner(folder)!.pid, 'SIGKILL')
  expect(await waitForState(running.client, runId)).toBe('lost')
  const lost = await running.client.call('runs.get', { runId })
  expect(lost).toMatchObject({
    resumable: true,
    error: {
      code: 'trainer-failed',
      message: expect.stringContaining('SIGKILL'),
      details: { signal: 'SIGKILL', log: [] },
    },
  })
  await running.client.call('runs.resume', { runId })
  expect(await waitForState(running.client, runId)).toBe('finished')
  const done = await running.client.call('runs.get', { runId })
  expect([done.error, done.step]).toEqual([null, 400])
  const {
    series: [loss],
  } = await running.client.call('runs.metrics', { runId, names: ['loss'], maxPoints: 1000 })
  expect(loss!.step).toEqual(Array.from({ length: 400 }, (_none, index) => index + 1))
  const { series: left } = await running.client.call('runs.metrics', {
    runId,
    names: ['loss'],
    maxPoints: 1000,
    discarded: true,
  })
  expect(done.discarded).toEqual(
    left.length === 0 ? [] : [{ fromStep: left[0]!.step[0], toStep: left[0]!.step.at(-1) }],
  )
  const watched = live.over(opened)
  expect(watched.get('eval/loss')?.step).toEqual([0, 40, 80, 120, 160, 200, 240, 280, 320, 360, 400])
  const reloaded = await running.client.call('runs.metrics', { runId, maxPoints: 1000 })
  expect(everyPoint(watched)).toEqual(everyPoint(toCurves(reloaded.series)))
})

test('a trainer goes on while the app is closed, and is found again', async () => {
  const trainer = lockOwner(folder)!
  await running.app.close('continue')
  expect(lockOwner(folder)).toEqual(trainer)
  await reopen()
  const found = await running.client.call('runs.get', { runId })
  expect([found.state, lockOwner(folder)]).toEqual(['training', trainer])
  await running.client.call('runs.stop', { runId, mode: 'stop' })
  expect(await waitForState(running.client, runId)).toBe('cancelled')
  expect(lockOwner(folder)).toBeNull()
})

test('closing with checkpoints interrupts the run where it can go on', async () => {
  await running.app.close('checkpoint')
  expect(lockOwner(folder)).toBeNull()
  await reopen()
  const run = await running.client.call('runs.get', { runId })
  expect([run.state, run.checkpoints.at(-1)?.step]).toEqual(['interrupted', run.step])
})

test('a trainer that died while the app was closed is known for dead at the next start', async () => {
  const { pid } = lockOwner(folder)!
  await running.app.close('continue')
  process.kill(pid, 'SIGKILL')
  await waitUntil('its end', () => lockOwner(folder) === null)
  await reopen()
  expect(await waitForState(running.client, runId)).toBe('lost')
  expect((await running.client.call('runs.get', { runId })).error?.message).toContain('went away without a word')
})

test('a trainer that does not answer is told to stop with signals', async () => {
  const { pid } = lockOwner(folder)!
  process.kill(pid, 'SIGSTOP')
  await running.client.call('runs.stop', { runId, mode: 'stop' })
  expect(await waitForState(running.client, runId)).toBe('cancelled')
  expect(lockOwner(folder)).toBeNull()
})
