import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'

let app: TestApp
beforeEach(async () => {
  app = await makeApp()
})
afterEach(() => app.end())

async function jobOf(id: string) {
  return (await app.client.call('papers.list', {})).find((entry) => entry.id === id)?.job ?? null
}

test('an experiment runs apart from the app; its report stays', async () => {
  expect(await app.client.call('papers.report', { id: 'copg-bandit', form: 'quick' })).toBeNull()
  await app.client.call('papers.reproduce', { id: 'copg-bandit', seeds: 1 })
  await expect(app.client.call('papers.reproduce', { id: 'copg-bandit' })).rejects.toThrow(
    'copg-bandit is running already.',
  )
  await waitUntil('the experiment', async () => (await jobOf('copg-bandit'))?.state !== 'running')
  expect(await jobOf('copg-bandit')).toMatchObject({ state: 'finished', error: null })
  const kept = await app.client.call('papers.report', { id: 'copg-bandit', form: 'quick' })
  expect(kept?.report).toMatchObject({ id: 'copg-bandit', form: 'quick', seeds: [1] })
  expect(kept?.report.gates.length).toBeGreaterThan(5)
  const entry = (await app.client.call('papers.list', {})).find((one) => one.id === 'copg-bandit')
  expect(entry?.kept).toMatchObject([
    { form: 'quick', gates: kept?.report.gates.length, verdict: kept?.report.verdict },
  ])
})

test('a report that cannot be kept is shown beside the reason', async () => {
  writeFileSync(path.join(app.dataFolder, 'reproductions'), 'in the way of the folder')
  await app.client.call('papers.reproduce', { id: 'pgrank-exact', seeds: 1 })
  await waitUntil('its end', async () => (await jobOf('pgrank-exact'))?.state === 'failed')
  const job = await jobOf('pgrank-exact')
  expect(job?.error?.message).toContain('reproductions')
  expect(job?.lines.at(-1)).toMatch(/^pgrank-exact: (holds|inconclusive)$/)
})

test('one that is cancelled leaves no report, and an unknown one is named', async () => {
  await app.client.call('papers.reproduce', { id: 'copg-bandit' })
  await app.client.call('papers.cancel', { id: 'copg-bandit' })
  expect(await jobOf('copg-bandit')).toMatchObject({ state: 'cancelled' })
  expect(await app.client.call('papers.report', { id: 'copg-bandit', form: 'quick' })).toBeNull()
  await expect(app.client.call('papers.reproduce', { id: 'nothing' })).rejects.toThrow(AppError)
})
