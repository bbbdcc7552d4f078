import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { ENDED_STATES } from '../../shared/domain.ts'
import { inProcess } from '../../shared/rpc.ts'
import { waitUntil } from './make-app.ts'
import { importTiny, tinyRequest } from './tiny-app.ts'
import { writeLetor, writeTexts } from './tiny-files.ts'

/** A closed data folder with one of everything. */
export async function makeFullFolder(root: string): Promise<string> {
  const dataFolder = path.join(root, 'data')
  const app = await createApp({ dataFolder })
  const client = inProcess(app.handlers)
  const datasetId = (await importTiny(client, root)) as never // an id of the app's
  const annotatorId = (await client.call('annotators.add', { name: 'Ann' })).annotatorId
  const { rows } = await client.call('datasets.rows', { datasetId, limit: 40 })
  for (const [at, row] of rows.slice(0, 20).entries()) {
    await client.call('labels.add', {
      datasetId,
      annotatorId,
      pairId: row.pairId,
      outcome: at % 2 === 0 ? 'a' : 'b',
      strength: null,
      comment: `note ${at}`,
      shownOrder: 'ab',
      durationMs: 5,
      clientKey: `damage-key-${at}`,
    })
  }
  await client.call('datasets.update', { datasetId, guideline: 'The true one.' })
  await client.call('texts.import', { path: writeTexts(root), name: 'Texts' })
  await client.call('rankings.import', { path: writeLetor(path.join(root, 'letor')), name: 'Lists' })
  const { runIds } = await client.call('runs.start', { request: tinyRequest(datasetId) })
  await waitUntil(
    'the run',
    async () => ENDED_STATES.includes((await client.call('runs.get', { runId: runIds[0]! })).state),
    120_000,
  )
  await client.call('datasets.export', { datasetId, format: 'preferences' })
  await app.close()
  return dataFolder
}
