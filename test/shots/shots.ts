// npm run shots [-- parts of names]: every page, light and dark, at two sizes, full (the sample project with trained runs) and empty.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Page } from 'playwright'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import type { DatasetId, RunId } from '../../shared/domain.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'
import { createApp } from '../../main/app/app.ts'
import { serve } from '../../main/doors/headless/serve.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { findChromium, launchChromium } from '../support/chromium.ts'
import { makeStates, type Size, type State } from './states.ts'

const root = path.resolve(import.meta.dirname, '../..')
const out = path.join(root, 'shots')
const SIZES = [{ width: 1440, height: 900 }, { width: 1024, height: 768 }] as const
const THEMES = ['light', 'dark'] as const
const STEPS = 60

interface Filled { readonly request: RunRequestInput; readonly datasetId: DatasetId; readonly runIds: readonly RunId[]; readonly pandalmPath: string; readonly modelId: string; readonly segmentsId: DatasetId }

async function importSample(client: Client): Promise<DatasetId> {
  const { datasetId } = await client.call('samples.open', { sampleId: 'pandalm' })
  if (datasetId !== null) return datasetId
  for (;;) {
    const first = (await client.call('datasets.list', {}))[0]
    if (first !== undefined) return first.datasetId
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function labelSome(client: Client, datasetId: DatasetId): Promise<void> {
  const { annotatorId } = await client.call('annotators.add', { name: 'Mara' })
  await client.call('settings.set', { annotatorId })
  const outcomes = ['a', 'b', 'b', 'tie', 'a', 'both-bad', 'b', 'skip', 'a', 'a', 'b'] as const
  for (const [at, outcome] of outcomes.entries()) {
    const { items } = await client.call('labels.queue', { datasetId, annotatorId, filter: { only: 'unlabeled' }, limit: 1 })
    const item = items[0]
    if (item === undefined) return
    await client.call('labels.add', { datasetId, annotatorId, pairId: item.pairId, outcome, strength: outcome === 'a' || outcome === 'b' ? 'clearly' : null, shownOrder: item.shownOrder, durationMs: 9000 + 1300 * at, clientKey: `shots-key-${at}` })
  }
}

/** A linked folder, a run's checkpoint, and a linked folder that is gone. → the first one's id */
async function addModels(client: Client, folder: string, runId: RunId | undefined): Promise<string> {
  const add = async (source: Parameters<typeof client.call<'models.add'>>[1]['source'], name: string): Promise<string> => {
    const { jobId } = await client.call('models.add', { source, name })
    for (;;) {
      const job = await client.call('models.addJob', { jobId })
      if (job.modelId !== null) return job.modelId
      if (job.error !== null) throw new Error(job.error.message)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const [here, gone] = [path.join(folder, 'nano-llama'), path.join(folder, 'gone')]
  await makeModelFolder(here)
  writeFileSync(path.join(here, 'LICENSE'), 'Apache License\nVersion 2.0, January 2004\n')
  writeFileSync(path.join(here, 'chat_template.jinja'), "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}\n{% endfor %}")
  const modelId = await add({ kind: 'folder', path: here, place: 'link' }, '')
  await makeModelFolder(gone)
  await add({ kind: 'folder', path: gone, place: 'link' }, 'on another disk')
  rmSync(gone, { recursive: true })
  if (runId !== undefined) await add({ kind: 'run', runId, checkpoint: 'last' }, '')
  return modelId
}

async function waitFor(client: Client, runIds: readonly RunId[]): Promise<void> {
  for (;;) {
    const runs = await client.call('runs.list', {})
    const open = runs.filter((run) => runIds.includes(run.runId) && !['finished', 'failed', 'cancelled', 'interrupted', 'lost'].includes(run.state))
    if (open.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function fill(client: Client, folder: string): Promise<Filled> {
  const datasetId = await importSample(client)
  await labelSome(client, datasetId)
  await client.call('settings.set', { slots: 2 })
  const training = { steps: STEPS, batchSize: 8, microBatchSize: 8, maxLength: 96, evalEvery: 20, checkpointEvery: 20, evalPairs: 32, samplePrompts: 4, sampleTokens: 24 }
  const base: RunRequestInput = { method: 'sft', model: { kind: 'new', preset: 'nano', tokenizer: { kind: 'bpe', vocabSize: 512 } }, data: { datasetId }, training, seeds: [1, 2, 3], name: 'sft' }
  const { runIds: starts } = await client.call('runs.start', { request: base })
  await waitFor(client, starts)
  const runIds: RunId[] = [...starts]
  for (const [at, start] of starts.entries()) {
    for (const method of ['dpo', 'copg'] as const) {
      const request: RunRequestInput = { ...base, method, name: method, model: { kind: 'run', runId: start }, seeds: [at + 1] }
      runIds.push(...(await client.call('runs.start', { request })).runIds)
    }
  }
  await waitFor(client, runIds)
  await client.call('papers.reproduce', { id: 'copg-bandit' })
  while ((await client.call('papers.list', {})).some((entry) => entry.job?.state === 'running')) await new Promise((resolve) => setTimeout(resolve, 500))
  const { datasetId: segmentsId } = await client.call('segments.collect', { world: 'reacher', pairs: 6, label: 'none', name: 'Reacher, to be judged' })
  const modelId = await addModels(client, folder, runIds[0])
  return { request: base, datasetId, runIds, modelId, segmentsId, pandalmPath: path.join(root, 'resources/samples/pandalm/testset-v1.json') }
}

const wanted = process.argv.slice(2)

async function shoot(page: Page, url: () => string, name: string, { open, sizes = SIZES }: Omit<State, 'name' | 'place'> = {}): Promise<void> {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) return
  for (const theme of THEMES) {
    for (const size of sizes) {
      await page.setViewportSize(size)
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      await page.goto('about:blank')
      await page.goto(url())
      await page.waitForLoadState('networkidle')
      await page.waitForTimeout(700)
      if (open !== undefined) await open(page).then(() => page.waitForTimeout(300))
      await page.screenshot({ path: path.join(out, `${name}-${theme}-${labelOf(size)}.png`) })
    }
  }
  console.log(name)
}

/** Of a window in which type is larger, what its screen has and how much larger. */
function labelOf({ width, zoom = 1 }: Size): string {
  return zoom === 1 ? String(width) : `${width * zoom}-at-${100 * zoom}`
}

/** Has both sides of the Playground write: the page finds it again when it is loaded anew. */
async function write(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.getByLabel('Max tokens').fill('60')
  await page.getByLabel('Seed', { exact: true }).fill('1')
  await page.getByLabel('log-probs').check()
  await page.getByRole('textbox', { name: 'Your turn' }).fill('Give three tips for a good night of sleep.')
  await page.keyboard.press('Control+Enter')
  await page.waitForFunction(() => document.querySelectorAll('.pg-token').length > 20)
  await page.getByRole('button', { name: /^Run/ }).waitFor()
}

async function main(): Promise<void> {
  const executable = findChromium()
  if (executable === null) throw new Error('No Chromium found. Install one, or set CHROMIUM_PATH.')
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out)
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab-shots-'))
  const app = await createApp({ dataFolder })
  const host = await serve({ app, rendererFolder: path.join(root, 'out/renderer'), port: 0 })
  const browser = await launchChromium(executable)
  try {
    const page = await browser.newPage()
    page.on('pageerror', (error) => console.error(`error on the page: ${error.message}`))
    page.on('console', (message) => { if (message.type() === 'error') console.error(`console: ${message.text()}`) })
    const at = (place: string): string => `${host.address()}#${place}`
    for (const [name, place] of [['home', '/'], ['data', '/data'], ['models', '/models'], ['label', '/label'], ['train', '/train'], ['runs', '/runs'], ['compare', '/compare'], ['playground', '/playground'], ['papers', '/papers'], ['settings', '/settings']] as const) {
      await shoot(page, () => at(place), `empty-${name}`)
    }
    const { request, datasetId, runIds, pandalmPath, modelId, segmentsId } = await fill(inProcess(app.handlers), dataFolder)
    const dpo = runIds.at(-2) ?? runIds[0]
    const places = [
      ['home', '/'], ['data', '/data'], ['data-set', `/data/${datasetId}`], ['import', `/data?import=${encodeURIComponent(pandalmPath)}`], ['label', `/label/${datasetId}`], ['label-segments', `/label/${segmentsId}`], ['data-segments', `/data/${segmentsId}`],
      ['models', '/models'], ['model', `/models/${modelId}`], ['train', `/train?data=${datasetId}`], ['train-from-model', `/train?model=${modelId}`], ['runs', '/runs'], ['run', `/runs/${dpo}`], ['compare', `/compare?runs=${runIds.join(',')}`], ['papers', '/papers'], ['paper', '/papers/copg-bandit'], ['settings', '/settings'],
    ] as const
    for (const [name, place] of places) await shoot(page, () => at(place), `full-${name}`)
    await write(page, at(`/playground?left=run:${runIds[0]}@best&right=run:${dpo}@best`))
    await shoot(page, () => at('/playground'), 'full-playground')
    const client = inProcess(app.handlers)
    const states = await makeStates(client, { request, runIds, segmentsId, pairsId: datasetId, dataFolder, wait: (ids) => waitFor(client, ids) })
    for (const { name, place, before, ...rest } of states) {
      before?.()
      await shoot(page, () => at(place), name, rest)
    }
    console.log(`Written to ${out}`)
  } finally {
    await browser.close()
    await host.close()
    await app.close('checkpoint')
    rmSync(dataFolder, { recursive: true, force: true })
  }
}

await main()
