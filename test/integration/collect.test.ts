import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Input } from '../../shared/contract.ts'
import type { CollectJob } from '../../shared/contract/segments.ts'
import type { JobId } from '../../shared/domain.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'

let test: TestApp
beforeAll(async () => {
  test = await makeApp()
})
afterAll(() => test.end())

const request = (changes: Partial<Input<'segments.startCollecting'>> = {}): Input<'segments.startCollecting'> => ({
  world: 'reach',
  segments: 4,
  steps: 8,
  name: 'Collected',
  ...changes,
})

async function untilEnded(jobId: JobId): Promise<CollectJob> {
  let job = await test.client.call('segments.collectJob', { jobId })
  await waitUntil('the collection', async () => {
    job = await test.client.call('segments.collectJob', { jobId })
    return job.state !== 'waiting' && job.state !== 'running'
  })
  return job
}

/** Nothing of a collection, in the list or on the disk. */
async function nothingLeft(name: string): Promise<void> {
  expect((await test.client.call('datasets.list', {})).map((one) => one.name)).not.toContain(name)
  const incoming = path.join(test.dataFolder, 'incoming')
  expect(existsSync(incoming) ? readdirSync(incoming) : []).toEqual([])
  const folders = path.join(test.dataFolder, 'datasets')
  const known = (await test.client.call('datasets.list', {})).map((one) => one.datasetId)
  expect((existsSync(folders) ? readdirSync(folders) : []).filter((one) => !known.includes(one as never))).toEqual([])
}

/** The worker of the collection that runs: a child of this process that was asked for it. */
async function workerPids(): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args='])
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, words = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return Number(parent) === process.pid && words.endsWith(' ask collect') ? [Number(pid)] : []
  })
}

describe('a collection as a job', () => {
  it('tells what it does until the data set is there, and makes nothing twice', async () => {
    const told: CollectJob[] = []
    const off = test.app.events.subscribe((event) => {
      if (event.name === 'collect.progress') told.push(event.payload as CollectJob)
    })
    const asked = request({ segments: 300, clientKey: 'collected-once' })
    const { jobId } = await test.client.call('segments.startCollecting', asked)
    expect(await test.client.call('segments.startCollecting', asked)).toEqual({ jobId })
    const job = await untilEnded(jobId)
    off()
    expect(job).toMatchObject({ state: 'finished', done: job.total, error: null })
    const made = (await test.client.call('datasets.list', {})).find((one) => one.datasetId === job.datasetId)!
    expect(made).toMatchObject({ name: 'Collected', itemCount: 150, labeledCount: 150, annotators: ['regret'] })
    const counts = told.map(({ done }) => done)
    expect(counts).toEqual(counts.toSorted((one, other) => one - other))
    expect(new Set(told.map(({ phase }) => phase))).toContain('writing')
    expect(told[0]).toMatchObject({ state: 'waiting', done: 0, total: job.total })
    expect(await test.client.call('segments.collectJobs', {})).toContainEqual(job)
    await nothingLeft('another')
  })

  it('cancelled, leaves nothing, and one that waits begins after it', async () => {
    const long = await test.client.call('segments.startCollecting', request({ segments: 20_000, name: 'Long' }))
    const next = await test.client.call('segments.startCollecting', request({ world: 'lqr', name: 'Next' }))
    await waitUntil('its acting', async () => (await test.client.call('segments.collectJob', long)).phase === 'acting')
    expect(await test.client.call('segments.collectJob', next)).toMatchObject({ state: 'waiting' })
    await test.client.call('segments.cancelCollecting', long)
    expect(await untilEnded(long.jobId)).toMatchObject({ state: 'cancelled', datasetId: null, error: null })
    expect(await untilEnded(next.jobId)).toMatchObject({ state: 'finished' })
    await nothingLeft('Long')
    expect(await workerPids()).toEqual([])
  })

  it.skipIf(process.platform === 'win32')('whose process is killed, fails in words and leaves nothing', async () => {
    const { jobId } = await test.client.call('segments.startCollecting', request({ segments: 20_000, name: 'Killed' }))
    let pids: number[] = []
    await waitUntil('its process', async () => (pids = await workerPids()).length === 1)
    process.kill(pids[0]!, 'SIGKILL')
    expect(await untilEnded(jobId)).toMatchObject({
      state: 'failed',
      datasetId: null,
      error: { code: 'trainer-failed', message: 'The process that computes this was ended by SIGKILL.' },
    })
    await nothingLeft('Killed')
  })

  it('says beforehand how long it takes, and what cannot be', async () => {
    const { name: _name, ...settings } = request({ segments: 2000, steps: 16 })
    const few = await test.client.call('segments.estimateCollection', { ...settings, segments: 200 })
    const many = await test.client.call('segments.estimateCollection', { ...settings, segments: 20_000 })
    expect(few.ms).toBeGreaterThan(0)
    expect(many.ms).toBeGreaterThan(10 * few.ms * 0.5) // measured once, and counted up
    for (const call of ['segments.estimateCollection', 'segments.startCollecting'] as const)
      await expect(
        test.client.call(call, { ...(call === 'segments.startCollecting' ? request() : settings), world: 'moon' }),
      ).rejects.toMatchObject({ code: 'spec-invalid', message: 'There is no world called "moon".' })
    await expect(test.client.call('segments.startCollecting', request({ behaviour: 'learned' }))).rejects.toMatchObject(
      { code: 'usage-invalid' },
    )
    await expect(test.client.call('segments.startCollecting', request({ segments: 1 }))).rejects.toMatchObject({
      code: 'input-invalid',
    })
  })
})
