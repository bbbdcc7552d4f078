import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Locator } from 'playwright'
import { waitUntil } from '../support/make-app.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import {
  accessibilityInBothThemes,
  accessibilityProblems,
  chromiumPath,
  importSample,
  openLab,
  type Lab,
} from './support.ts'

let folder = ''
let lab: Lab

describe.skipIf(chromiumPath === null)('models in the browser', () => {
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'pairlab models '))
    await makeModelFolder(path.join(folder, 'tiny'))
    writeFileSync(path.join(folder, 'tiny', 'LICENSE'), 'Do as you like.')
    writeFileSync(
      path.join(folder, 'tiny', 'chat_template.jinja'),
      '{% for turn in messages %}<|{{ turn.role }}|>{{ turn.content }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}',
    )
    lab = await openLab()
    await importSample(lab.client)
  })

  afterAll(async () => {
    await lab.end()
    rmSync(folder, { recursive: true, force: true })
  })

  test('an empty list says what to do; a folder that is no model says why', async () => {
    await lab.open('/models')
    await lab.page.getByText('No model yet').waitFor()
    await lab.page.keyboard.press('a')
    await lab.page.getByLabel('Folder or file', { exact: true }).fill(path.join(folder, 'nothing'))
    await lab.page.getByText(/There is no folder/).waitFor()
    expect(await lab.page.getByRole('button', { name: 'Add', exact: true }).isDisabled()).toBe(true)
    expect(await accessibilityProblems(lab.page)).toEqual([])
  })

  test('a folder is looked at, added and seen, with its tensors, tokenizer and licence', async () => {
    await lab.page.getByLabel('Folder or file', { exact: true }).fill(path.join(folder, 'tiny'))
    await lab.page.getByText(/^Copy/).waitFor()
    await lab.page.getByRole('status').filter({ hasText: 'llama, decoder' }).waitFor()
    await lab.page.getByRole('button', { name: 'Add', exact: true }).click()
    await lab.page.getByRole('button', { name: 'Open it' }).click()
    await lab.page.getByRole('heading', { name: 'tiny', level: 1 }).waitFor()
    await lab.page.getByText('model.embed_tokens.weight').waitFor()
    await lab.page.getByText('Do as you like.').waitFor()
    await lab.page.getByRole('searchbox', { name: 'Filter the tensors' }).fill('q_proj')
    await lab.page.getByText(/^2 of \d+ in one file$/).waitFor()
    await lab.page.getByRole('button', { name: /^Verify/ }).click()
    await lab.page.getByText('The files are those that were added.').waitFor()
    await lab.open('/models')
    await lab.page.getByRole('table', { name: 'Models' }).getByText('linked').waitFor()
    expect(await lab.page.getByRole('table', { name: 'Models' }).locator('tbody tr').count()).toBe(1)
  })

  /** The first pairs as the model reads them, of which what is learned has a colour of its own. */
  async function seeTokens(): Promise<void> {
    const panel = lab.page.locator('.section', { hasText: 'As the model reads it' })
    const row = panel.getByLabel(/^Tokens of pair/).first()
    await row.waitFor()
    const [given, learned] = [row.locator('.token-given'), row.locator('.token-learned')]
    expect([(await given.count()) > 0, (await learned.count()) > 0]).toEqual([true, true])
    const colourOf = (token: Locator): Promise<string> =>
      token.evaluate((element) => globalThis.getComputedStyle(element).backgroundColor)
    expect(await colourOf(learned.first())).not.toBe(await colourOf(given.first()))
    await panel.getByText(/A completion ends with/).waitFor()
    // Another layout is shown as soon as it is chosen.
    await lab.page.getByText(/^All \d+$/).click()
    const layout = lab.page.getByLabel('Text layout', { exact: true })
    const before = await row.textContent()
    await layout.selectOption('tags')
    await waitUntil('the tokens of another layout', async () => (await row.textContent()) !== before)
    await layout.selectOption('auto')
    await waitUntil('the first tokens again', async () => (await row.textContent()) === before)
    // A template that does not fit: the panel says so, and nothing can be started.
    const longest = lab.page.getByLabel('Longest sequence', { exact: true })
    await longest.fill('16')
    await panel.getByText(/The chat template alone takes \d+ tokens/).waitFor()
    await lab.page.getByText('The model cannot read the data like this.').waitFor()
    expect(await lab.page.getByRole('button', { name: /^Start 1 run/ }).isDisabled()).toBe(true)
    await longest.fill('64')
    await row.waitFor()
    await lab.page.getByText('Main', { exact: true }).click()
  }

  test('a run of LoRA is started from it: its settings appear when it is chosen, with what each would take', async () => {
    await lab.page.getByRole('link', { name: 'tiny' }).click()
    await lab.page.getByRole('button', { name: /^Train from this/ }).click()
    await lab.page.getByText('Ready.').waitFor()
    expect(await lab.page.getByLabel('Model', { exact: true }).inputValue()).toMatch(/^model:/)
    // A model from elsewhere begins with adapters, and at a rate for them.
    const adapt = lab.page.getByLabel('What is trained', { exact: true })
    expect([await adapt.inputValue(), await lab.page.getByLabel(/^Learning rate/).inputValue()]).toEqual([
      'lora',
      '1e-5',
    ])
    await adapt.selectOption('full')
    await lab.page.getByLabel(/^LoRA rank/).waitFor({ state: 'detached' })
    await lab.page
      .locator('.setting', { has: adapt })
      .getByText(/Memory, about: ?full \d+.*lora \d+/)
      .waitFor()
    await adapt.selectOption('lora')
    await lab.page.getByLabel(/^LoRA rank/).fill('2')
    for (const [label, text] of [
      ['Steps', '4'],
      ['Batch', '2'],
      ['Longest sequence', '64'],
      ['Evaluate every', '0'],
      ['Checkpoint every', '0'],
      ['Sample prompts', '0'],
      ['Seeds', '1'],
    ] as const)
      await lab.page.getByLabel(label, { exact: true }).fill(text)
    await lab.page.getByRole('heading', { name: 'Memory foreseen' }).waitFor()
    await seeTokens()
    await lab.page.locator('.command', { hasText: '--lora-rank 2' }).waitFor()
    await lab.page.getByText('Ready.').waitFor()
    await lab.page.getByRole('button', { name: /^Start 1 run/ }).click()
    await lab.page.waitForURL(/#\/runs\//)
    const [run] = await lab.client.call('runs.list', {})
    await lab.open(`/runs/${run?.runId}`)
    await lab.page.locator('.run-head').getByText('finished').waitFor({ timeout: 110_000 })
    expect((await lab.client.call('runs.get', { runId: run!.runId })).spec).toMatchObject({
      model: { kind: 'registered', name: 'tiny' },
      training: { adapt: 'lora', loraRank: 2 },
    })
  })

  test('its adapters are exported from the run’s page, and the model knows of the run', async () => {
    const target = path.join(folder, 'exported')
    await lab.page.keyboard.press('x')
    await lab.page.getByText('the adapters alone').click()
    await lab.page.getByLabel('New folder', { exact: true }).fill(target)
    await lab.page.getByRole('button', { name: 'Export', exact: true }).click()
    await lab.page.getByText('The model is exported').waitFor()
    expect(readdirSync(target).toSorted()).toContain('adapter_model.safetensors')
    await lab.page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
    await lab.page.getByRole('complementary').getByRole('link', { name: 'tiny' }).click()
    await lab.page.getByText('1 run started from it').waitFor()
  })

  test.each(['list', 'model', 'train'])('the %s keeps the rules of accessibility in both themes', async (what) => {
    const [model] = await lab.client.call('models.list', {})
    await lab.open(
      what === 'list' ? '/models' : what === 'train' ? `/train?model=${model?.modelId}` : `/models/${model?.modelId}`,
    )
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
  })

  test('it is renamed and removed; the files stay', async () => {
    const [model] = await lab.client.call('models.list', {})
    await lab.open(`/models/${model?.modelId}`)
    await lab.page.getByRole('heading', { name: 'tiny', level: 1 }).waitFor()
    await lab.page.keyboard.press('n')
    await lab.page.getByLabel('Name', { exact: true }).fill('small')
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await lab.page.getByRole('button', { name: 'Rename', exact: true }).click()
    await lab.page.getByRole('heading', { name: 'small', level: 1 }).waitFor()
    await lab.page.getByRole('button', { name: 'More actions' }).click()
    await lab.page.getByRole('menuitem', { name: /^Remove/ }).click()
    await lab.page.getByRole('button', { name: 'Forget the link' }).waitFor()
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await lab.page.getByRole('button', { name: 'Forget the link' }).click()
    await lab.page.getByText('No model yet').waitFor()
    expect(readdirSync(path.join(folder, 'tiny'))).toContain('model.safetensors')
    expect(lab.complaints).toEqual([])
  })
})
