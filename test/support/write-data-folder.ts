// Writes a small data folder as this version of Pairlab leaves it, for the test that later versions open it unchanged:
//   node main/doors/launch/run-script.mjs test/support/write-data-folder.ts <new folder>
// Runs of small networks, because one checkpoint of the smallest language model would be larger than all the rest.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { describeFolder } from './describe-folder.ts'
import { waitUntil } from './make-app.ts'
import { importTiny, waitForState } from './tiny-app.ts'

/** An answer, one taken back and given anew, a tie with a comment, a skip, a flag; and two people who differ. */
async function label(client: Client, datasetId: string): Promise<void> {
  const names = ['Zoë', '王芳'] as const
  for (const [person, name] of names.entries()) {
    const { annotatorId } = await client.call('annotators.add', { name })
    const who = { datasetId: datasetId as never, annotatorId }
    let key = 0
    const clientKey = (): string => `person-${person}-step-${(key += 1)}`
    const { items } = await client.call('labels.queue', { ...who, filter: {}, limit: 6 })
    for (const [at, { pairId, shownOrder }] of items.entries()) {
      const outcome = (['a', 'b', 'tie', 'skip', 'both-bad', 'a'] as const)[(at + person) % 6]!
      const strength = outcome === 'a' || outcome === 'b' ? 'clearly' : null
      await client.call('labels.add', {
        ...who,
        pairId,
        outcome,
        strength,
        comment: outcome === 'tie' ? 'Both say “yes”.' : '',
        shownOrder,
        durationMs: 900 + at,
        clientKey: clientKey(),
      })
    }
    await client.call('labels.flag', { ...who, pairId: items[0]!.pairId, flagged: true, clientKey: clientKey() })
    await client.call('labels.undo', { ...who, clientKey: clientKey() })
    if (person === 0) await client.call('labels.redo', { ...who, clientKey: clientKey() })
  }
}

/** Two seeds that ended, and one that was stopped with a checkpoint and can go on. */
async function train(client: Client): Promise<void> {
  const { datasetId } = await client.call('segments.collect', {
    world: 'point-mass',
    pairs: 8,
    segmentSteps: 4,
    name: 'Points',
  })
  const request = (changes: Partial<RunRequestInput>): RunRequestInput => ({
    method: 'cpl',
    config: { width: 4, evalEpisodes: 2 },
    model: { kind: 'networks' },
    data: { datasetId },
    engine: 'cpu',
    training: { steps: 8, batchSize: 4, evalEvery: 4, checkpointEvery: 8, learningRate: 0.01, keepCheckpoints: 2 },
    ...changes,
  })
  const { runIds } = await client.call('runs.start', {
    request: request({ seeds: [1, 2], name: 'Ended' }),
    clientKey: 'write-ended-runs',
  })
  for (const runId of runIds)
    if ((await waitForState(client, runId)) !== 'finished') throw new Error(`${runId} did not finish`)
  await client.call('runs.setNote', { runId: runIds[0]!, note: 'Written by 0.1.' })
  const [stopped] = (
    await client.call('runs.start', {
      request: request({
        name: 'Stopped',
        training: {
          steps: 160,
          batchSize: 4,
          evalEvery: 80,
          checkpointEvery: 80,
          learningRate: 0.01,
          keepCheckpoints: 1,
        },
      }),
      clientKey: 'write-stopped-run',
    })
  ).runIds
  await waitUntil('some steps', async () => (await client.call('runs.get', { runId: stopped! })).step >= 20)
  await client.call('runs.stop', { runId: stopped!, mode: 'stop-and-save' })
  if ((await waitForState(client, stopped!)) !== 'interrupted')
    throw new Error(`${stopped} was not stopped in time: write the folder again`)
}

const [target] = process.argv.slice(2)
if (target === undefined || existsSync(target)) throw new Error('Name a folder that is not there yet.')
const folder = path.resolve(target)
const app = await createApp({ dataFolder: folder })
const client = inProcess(app.handlers)
const datasetId = await importTiny(client, folder)
rmSync(path.join(folder, 'tiny.jsonl'))
await label(client, datasetId)
await train(client)
const description = await describeFolder(client)
await app.close('checkpoint')
for (const name of ['scratch', 'cache', 'app.log']) rmSync(path.join(folder, name), { recursive: true, force: true })
writeFileSync(`${folder}.json`, `${JSON.stringify({ writtenAt: folder, ...description })}\n`)
