import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createEventBus } from '../../main/app/events.ts'
import { lockOwner } from '../../main/base/run-folder/lock.ts'
import { readSpec } from '../../main/base/run-folder/spec.ts'
import { createRunService, type RunService } from '../../main/app/runs/run-service.ts'
import { openStore, type Store } from '../../main/app/store/open.ts'
import type { RunId } from '../../shared/domain.ts'
import { waitUntil } from '../support/make-app.ts'
import { makeTinyRun, WORKER_ENTRY } from '../support/tiny-run.ts'

let root: string
let store: Store
let runs: RunService
let runId: RunId

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab-silence-'))
  store = openStore(path.join(root, 'data'))
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (text: string, details?: unknown) => console.error(text, details),
  }
  runs = await createRunService({
    db: store.db,
    dataFolder: store.folder,
    worker: { execPath: process.execPath, args: [WORKER_ENTRY] },
    events: createEventBus(),
    settings: () => ({ slots: 1, queuePaused: false, keepAwake: false }),
    log,
    silenceMs: 2500,
  })
  const spec = readSpec(
    makeTinyRun(path.join(root, 'made'), {
      engine: 'wasm',
      training: { steps: 100_000, evalEvery: 0, checkpointEvery: 10 },
    }),
  )
  ;[runId] = runs.start([{ spec, title: { methodName: 'SFT', mainMetric: null } }]) as [RunId]
  await waitUntil('some steps', () => runs.get(runId).step > 20 && runs.get(runId).state === 'training')
})
afterEach(async () => {
  await runs.close('checkpoint')
  store.close()
  rmSync(root, { recursive: true, force: true })
})

test('a silent trainer counts as lost, and is taken back when it speaks again', async () => {
  const { pid } = lockOwner(runs.folderOf(runId))!
  process.kill(pid, 'SIGSTOP')
  await waitUntil('the loss', () => runs.get(runId).state === 'lost')
  expect(runs.get(runId).error?.message).toContain('has said nothing')
  process.kill(pid, 'SIGCONT')
  await waitUntil('its return', () => runs.get(runId).state === 'training')
  expect([runs.get(runId).error, runs.get(runId).endedAtMs]).toEqual([null, null])
})

test('resuming a silent run ends its process before another begins', async () => {
  const first = lockOwner(runs.folderOf(runId))!
  process.kill(first.pid, 'SIGSTOP')
  await waitUntil('the loss', () => runs.get(runId).state === 'lost')
  runs.resume(runId)
  await waitUntil('the second trainer', () => runs.get(runId).state === 'training')
  const second = lockOwner(runs.folderOf(runId))!
  expect(second.pid).not.toBe(first.pid)
  expect(runs.get(runId).branch).toBe(2)
})
