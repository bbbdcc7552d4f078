import { describe, expect, test } from 'vitest'
import { createJobs, type JobState } from '../../main/app/jobs.ts'
import { AppError } from '../../shared/errors.ts'

interface Counted extends JobState {
  readonly done: number
  readonly remaining: number | null
  readonly error: string | null
}

const FIRST: Counted = { state: 'running', done: 0, remaining: 9, error: null }

function book() {
  const told: Counted[] = []
  const jobs = createJobs<Counted>({
    tell: (state) => told.push(state),
    failure: (error) => ({ error: String(error) }),
    stopped: { remaining: null },
    missing: (id) => new AppError({ code: 'not-found', message: `no ${id}`, hint: '' }),
  })
  return { told, jobs }
}

/** Work that ends when it is told to, or when it is ended. */
function work() {
  const gate = Promise.withResolvers<number>()
  return {
    gate,
    run: ({ signal }: { readonly signal: AbortSignal }) => {
      signal.addEventListener('abort', () => gate.reject(signal.reason as Error))
      return gate.promise
    },
  }
}

describe('a job', () => {
  test('is told when it begins, changes and ends; what was not told on the way comes with the end', async () => {
    const { told, jobs } = book()
    const { gate, run } = work()
    const job = jobs.start('one', FIRST, run)
    job.change({ done: 1 })
    job.progress({ done: 2 })
    expect(told.map(({ done }) => done)).toEqual([0, 1])
    expect([job.state.done, jobs.isBusy()]).toEqual([2, true])
    gate.resolve(7)
    expect(await job.ended).toEqual({ ...FIRST, state: 'finished', done: 2 })
    expect(await job.outcome).toBe(7)
    expect([told.at(-1), jobs.isBusy()]).toEqual([job.state, false])
  })

  test('that fails says why, and has nothing left to wait for', async () => {
    const { jobs } = book()
    const job = jobs.start('one', FIRST, () => Promise.reject(new Error('broken')))
    expect(await job.ended).toEqual({ ...FIRST, state: 'failed', remaining: null, error: 'Error: broken' })
    await expect(job.outcome).rejects.toThrow('broken')
  })

  test('that is cancelled ends when its work has tidied up; one that waits is out at once', async () => {
    const { told, jobs } = book()
    const running = work()
    const waiting = work()
    const first = jobs.start('first', FIRST, running.run)
    const second = jobs.start('second', { ...FIRST, state: 'waiting' }, waiting.run)
    second.cancel()
    expect(second.state).toMatchObject({ state: 'cancelled', remaining: null })
    first.cancel(new Error('given up'))
    expect(first.state.state).toBe('running')
    expect(await first.ended).toMatchObject({ state: 'cancelled', remaining: null, error: null })
    await expect(first.outcome).rejects.toThrow('given up')
    const count = told.length
    first.cancel()
    expect([await second.ended, told.length]).toEqual([second.state, count])
  })

  test('that is over already when it is cancelled stays as it is', async () => {
    const { jobs } = book()
    const { gate, run } = work()
    const job = jobs.start('one', FIRST, run)
    gate.resolve(1)
    await job.ended
    job.cancel()
    expect(job.state.state).toBe('finished')
  })
})

describe('jobs', () => {
  test('are found by their ids, newest last; one that is begun again stands behind the others', () => {
    const { jobs } = book()
    jobs.note('old', { ...FIRST, state: 'finished', done: 5 })
    jobs.start('one', { ...FIRST, done: 1 }, work().run)
    jobs.start('two', { ...FIRST, done: 2 }, work().run)
    jobs.start('one', { ...FIRST, done: 3 }, work().run)
    expect(jobs.list().map(({ done }) => done)).toEqual([5, 2, 3])
    expect(() => jobs.find('three')).toThrow('no three')
    expect(jobs.get('three')).toBeNull()
  })

  test('that ended are forgotten beyond the last fifty, one that runs never', async () => {
    const { jobs } = book()
    const long = jobs.start('long', FIRST, work().run)
    for (let at = 0; at < 60; at += 1) await jobs.start(`short ${at}`, FIRST, () => Promise.resolve()).ended
    expect(jobs.get('long')).toBe(long)
    expect([jobs.get('short 8'), jobs.get('short 59')?.state.state]).toEqual([null, 'finished'])
  })

  test('are all ended, with a reason, when they are closed', async () => {
    const { jobs } = book()
    const all = ['a', 'b'].map((id) => jobs.start(id, FIRST, work().run))
    await jobs.close(new Error('closed'))
    expect(all.map(({ state }) => state.state)).toEqual(['cancelled', 'cancelled'])
    await expect(all[0]!.outcome).rejects.toThrow('closed')
    expect(jobs.isBusy()).toBe(false)
  })
})
