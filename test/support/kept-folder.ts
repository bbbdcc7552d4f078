// What lies in a data folder, and what an app on it says.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'

/** Every file below, with its content: what a start must not lose. */
export function filesOf(parent: string): Map<string, string> {
  const names = readdirSync(parent, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
  return new Map(names.map((name) => [path.relative(parent, name), readFileSync(name, 'latin1')]))
}

/** All label events that the data set's people gave, as a page sees them. */
export async function labelsOf(client: Client, datasetId: string): Promise<unknown> {
  const { events } = await client.call('labels.history', {
    datasetId: datasetId as never,
    annotatorId: 'Eva' as never,
    limit: 1000,
  })
  return events.map(({ kind, pairId, outcome, comment, inForce }) => ({ kind, pairId, outcome, comment, inForce }))
}

/** Opens the app on a folder, and closes it whatever `work` does. */
export async function withAppOn<T>(folder: string, work: (client: Client) => Promise<T>): Promise<T> {
  const app = await createApp({ dataFolder: folder })
  try {
    return await work(inProcess(app.handlers))
  } finally {
    await app.close('continue')
  }
}
