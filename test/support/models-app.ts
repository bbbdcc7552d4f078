// An app with models, anew for each test.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect } from 'vitest'
import type { ModelJob, ModelSource, ModelSummary } from '../../shared/contract/models.ts'
import type { ModelId } from '../../shared/domain.ts'
import type { Client } from '../../shared/rpc.ts'
import { makeApp, type TestApp, waitUntil } from './make-app.ts'
import { makeModelFolder } from './model-folder.ts'

export const golden = (name: string): string => fileURLToPath(new URL(`../golden/models/${name}`, import.meta.url))

export let root: string

export let made: TestApp

export let client: Client

export async function addTo(to: Client, source: ModelSource, name = ''): Promise<ModelJob> {
  const { jobId } = await to.call('models.add', { source, name })
  await waitUntil('the addition', async () => (await to.call('models.addJob', { jobId })).state !== 'running')
  return to.call('models.addJob', { jobId })
}

export async function added(source: ModelSource, name = ''): Promise<ModelSummary> {
  const job = await addTo(client, source, name)
  expect([job.state, job.error]).toEqual(['finished', null])
  return (await client.call('models.list', {})).find((one) => one.modelId === job.modelId)!
}

export async function linked(folder = path.join(root, 'model')): Promise<ModelSummary> {
  await makeModelFolder(folder)
  return added({ kind: 'folder', path: folder, place: 'link' })
}

export async function stateOf(modelId: ModelId): Promise<Pick<ModelSummary, 'state' | 'trouble'>> {
  const { state, trouble } = await client.call('models.get', { modelId })
  return { state, trouble }
}

export const modelsFolder = (): string => path.join(made.dataFolder, 'models')

export const ownFolders = (): string[] => (existsSync(modelsFolder()) ? readdirSync(modelsFolder()) : [])

/** An app and a folder for each test of the file. */
export function withModelsApp(): void {
  beforeEach(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'pairlab mödels '))
    made = await makeApp()
    client = made.client
  })
  afterEach(async () => {
    await made.end()
    rmSync(root, { recursive: true, force: true })
  })
}
