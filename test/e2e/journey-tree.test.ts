import type { Locator } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitUntil } from '../support/make-app.ts'
import { ANSWERS, METHODS, TINY, writeUnjudged } from './journey.ts'
import { chromiumPath, openLab, type Lab } from './support.ts'

// From a file to compared runs by what the accessibility tree offers: a role and a name, and nothing else of the page.

type Role = Parameters<Lab['page']['getByRole']>[0]

/** Roles that say nothing without a name. */
const NAMED =
  /^ *- '?(?:button|link|textbox|searchbox|combobox|checkbox|radio|slider|progressbar|radiogroup|table|figure|img|dialog|region|complementary|navigation|menu|menuitem|separator|heading)\b(?! ")/

let lab: Lab

function at(role: Role, name: string | RegExp): Locator {
  return lab.page.getByRole(role, typeof name === 'string' ? { name, exact: true } : { name }).first()
}

function goTo(place: string): Promise<void> {
  return at('navigation', 'Pages').getByRole('link', { name: place, exact: true }).click()
}

/** A radio button is drawn by its label, which takes the clicks: whoever follows the tree presses Space. */
async function choose(name: RegExp): Promise<void> {
  await at('radio', name).press('Space')
  expect(await at('radio', name).isChecked()).toBe(true)
}

/** Waits until the page tells all of this, in any order; nothing of it may be without a name. @param lines as in an ARIA snapshot */
async function tells(...lines: readonly string[]): Promise<void> {
  let tree: readonly string[] = []
  const missing = (): readonly string[] => lines.filter((line) => !tree.some((one) => one.includes(line)))
  await waitUntil(
    'the tree',
    async () => {
      tree = (await lab.page.ariaSnapshot()).split('\n').map((line) => line.replace(/- '(.*)'(:?)/, '- $1$2'))
      return missing().length === 0
    },
    20_000,
  ).catch(() => expect({ missing: missing(), tree }).toMatchObject({ missing: [] }))
  expect(tree.filter((line) => NAMED.test(line))).toEqual([])
}

describe.skipIf(chromiumPath === null)('the whole road by the accessibility tree', () => {
  beforeAll(async () => {
    lab = await openLab()
    await lab.open('/')
    await at('heading', 'Pairlab').waitFor()
  })

  afterAll(() => lab.end())

  test('a file is imported: what it holds, its columns and what came of it are told', async () => {
    await tells(
      'region "Open a sample"',
      'button "Collect segments in Reach"',
      'region "Import your own file"',
      'listitem: Home',
    )
    await goTo('Data')
    const path = at('textbox', 'Path of the file or folder on this machine')
    await path.fill(writeUnjudged(lab))
    await path.press('Enter')
    await tells(
      'heading "Import short answers.jsonl" [level=1]',
      'radiogroup "Read it as"',
      'radio "Preference pairs" [checked]',
      'button "Previous" [disabled]',
      'table "Columns"',
      'row "response_a answer 1 text',
      'combobox "Role of response_a"',
      'paragraph: answer 2, 1 word',
    )
    await at('textbox', 'Name').fill('Short answers')
    await at('button', 'Import').click()
    await tells(
      'heading "Short answers" [level=1]',
      `paragraph: Imported ${ANSWERS} pairs; no row left out`,
      'table "Columns"',
      'textbox "Number of the pair": "1"',
      'complementary "About these data"',
    )
  })

  test('pairs are judged: whose each text is, what was saved and what is left are told', async () => {
    await at('button', 'Label').click()
    await at('textbox', 'Your name').fill('Mara')
    await at('button', 'Start labeling').click()
    for (let pair = 1; pair <= ANSWERS; pair++) {
      await tells(
        `textbox "Number of the pair": "${pair}"`,
        'region "The two answers"',
        'heading "Answer A"',
        'group "Answer A": ',
        'group "Answer B": ',
        'radio "clearly" [checked]',
        pair === 1
          ? 'button "Undo" [disabled]'
          : `status: "Saved: ${pair % 2 === 0 ? 'A' : 'B'} is better, clearly. Pair ${pair}."`,
      )
      await at('button', pair % 2 === 1 ? 'A is better' : 'B is better').click()
    }
    await tells(
      'heading "Every pair has an answer" [level=1]',
      'status: "Saved: B is better, clearly. No pair is left."',
      'button "Look again later" [disabled]',
      `text: ${ANSWERS} decided answers`,
    )
    expect(await at('progressbar', 'Pairs answered').getAttribute('aria-valuenow')).toBe('100')
    await at('link', 'Train on this').click()
  })

  test.each(METHODS)('%s is trained: what is chosen, wrong and ready, and that it ended, are told', async (method) => {
    if (method !== METHODS[0]) await goTo('Train')
    await at('heading', 'New run').waitFor()
    await choose(new RegExp(`^${method} `))
    await at('combobox', 'Model').selectOption({ label: 'New nano, 2 layers of 64' })
    await choose(/^All \d/)
    await at('textbox', 'Steps').fill('many')
    await tells(
      `radio "${method} `,
      'option "Short answers" [selected]',
      'textbox "Steps" [invalid]: many',
      'alert: Steps must be a number, not “many”.',
      'status: One setting needs attention.',
    )
    expect(await at('button', /^Start \d/).isDisabled()).toBe(true)
    for (const [name, text] of TINY) await at('textbox', name).fill(text)
    await tells('textbox "Steps": "3"', 'status: Ready.', 'complementary "Estimate, command and queue"')
    await at('button', 'Start 1 run').click()
    await tells(
      `heading "${method}" [level=1]`,
      'status: finished',
      'region "Loss"',
      'figure "Loss over step: training ends at',
      'table "Samples"',
      'table "On the test side"',
      'link "Engine wasm"',
    )
  })

  test('both are chosen and compared: the numbers and what they mean are told', async () => {
    await goTo('Runs')
    for (const method of METHODS) {
      const box = at('row', new RegExp(` ${method} `)).getByRole('checkbox', { name: /^Choose / })
      await box.check()
    }
    await tells(
      'table "Runs"',
      'checkbox "Choose DPO seed 1" [checked]',
      'checkbox "Choose SFT seed 1" [checked]',
      'columnheader "Method"',
    )
    await at('button', 'Compare 2').click()
    await at('button', 'Runs of SFT').click()
    await tells(
      'table "Configurations"',
      'columnheader "Configuration"',
      'button "Show DPO in the chart" [pressed]',
      'button "Runs of SFT" [expanded]',
      'link "seed 1"',
      'heading "What can be concluded"',
      'complementary "Conclusions, differences and settings"',
    )
    for (const method of METHODS) {
      const [, name, n, value] = await at('row', new RegExp(`Runs of ${method} `))
        .getByRole('cell')
        .allInnerTexts()
      expect([name?.trim(), n, value]).toEqual([expect.stringContaining(method), '1', expect.stringMatching(/\d/)])
    }
    expect(lab.complaints).toEqual([])
  })
})
