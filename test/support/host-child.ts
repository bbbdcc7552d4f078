// An app that trains and labels until it is killed. Run by kill-storm.ts. Arguments: data folder, number to start label
// keys at. Says `label <key>` after each acknowledged label and `run <id> <state> <step>` now and then.
import { writeSync } from 'node:fs'
import { createApp } from '../../main/app/app.ts'
import { ENDED_STATES } from '../../shared/domain.ts'
import { inProcess } from '../../shared/rpc.ts'
import { importTiny, tinyRequest } from './tiny-app.ts'

const [dataFolder, firstKey, steps, importFolder] = process.argv.slice(2)
if (dataFolder === undefined || importFolder === undefined)
  throw new Error('usage: <data folder> <first key> <steps> <folder for the import file>')
const app = await createApp({ dataFolder })
const client = inProcess(app.handlers)
const datasets = await client.call('datasets.list', {})
const datasetId = datasets[0]?.datasetId ?? (await importTiny(client, importFolder))
const known = await client.call('annotators.list', {})
const annotatorId =
  known.find((one) => one.name === 'Storm')?.annotatorId ??
  (await client.call('annotators.add', { name: 'Storm' })).annotatorId
const { rows } = await client.call('datasets.rows', { datasetId: datasetId as never, limit: 40 })
if ((await client.call('runs.list', {})).length === 0) {
  const training = {
    steps: Number(steps),
    batchSize: 4,
    microBatchSize: 4,
    maxLength: 24,
    evalEvery: 20,
    checkpointEvery: 10,
    samplePrompts: 1,
    sampleTokens: 2,
  }
  await client.call('runs.start', { request: tinyRequest(datasetId, { training }) })
}
writeSync(1, 'ready\n')
for (let key = Number(firstKey); ; key += 1) {
  const { labelId } = await client.call('labels.add', {
    datasetId: datasetId as never,
    annotatorId,
    pairId: rows[key % rows.length]!.pairId,
    outcome: key % 2 === 0 ? 'a' : 'b',
    strength: null,
    comment: '',
    shownOrder: 'ab',
    durationMs: 1,
    clientKey: `storm-key-${key}`,
  })
  writeSync(1, `label ${key} ${labelId}\n`)
  for (const run of await client.call('runs.list', {})) {
    writeSync(1, `run ${run.runId} ${run.state} ${run.step}\n`)
    if (ENDED_STATES.includes(run.state) && run.resumable) await client.call('runs.resume', { runId: run.runId })
  }
  await new Promise((resolve) => setTimeout(resolve, 30))
}
