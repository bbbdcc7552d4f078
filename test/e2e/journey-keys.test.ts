import type { Locator } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ANSWERS, METHODS, TINY, writeUnjudged } from './journey.ts'
import { chromiumPath, openLab, type Lab } from './support.ts'

// From a file to compared runs by keyboard alone: no click, no focus by script. What is read is read from the page.

const MOST_TABS = 150

let lab: Lab

async function press(...keys: readonly string[]): Promise<void> {
  for (const key of keys) await lab.page.keyboard.press(key)
}

function type(text: string): Promise<void> {
  return lab.page.keyboard.type(text)
}

function isFocused(target: Locator): Promise<boolean> {
  return target.evaluate((element) => element === document.activeElement)
}

/** Tab by Tab until it has the focus, which is to be seen there. */
async function tabTo(target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.first().waitFor({ state: 'attached' })
  for (let tabs = 0; tabs < MOST_TABS; tabs++) {
    await press(key)
    if (!(await isFocused(target))) continue
    // Radio buttons are drawn by their labels.
    const drawn = await target.evaluate((element) => {
      const of = (one: Element | null): boolean => one !== null && getComputedStyle(one).outlineStyle !== 'none'
      return of(element) || of(element.closest('label'))
    })
    expect(drawn, `the focus is not drawn on ${target}`).toBe(true)
    return
  }
  throw new Error(`${MOST_TABS} times Tab did not lead to ${target}`)
}

/** What the palette finds first. */
async function command(words: string): Promise<void> {
  await press('Control+k')
  await type(words)
  await lab.page.getByRole('option', { name: words, selected: true }).waitFor()
  await press('Enter')
}

async function write(name: string, text: string): Promise<void> {
  const field = lab.page.getByRole('textbox', { name, exact: true })
  await tabTo(field)
  await press('Control+a')
  await type(text)
  expect(await field.inputValue()).toBe(text)
}

/** With the arrows of a radio group, from the chosen one. */
async function choose(group: string, name: string | RegExp): Promise<void> {
  const radios = lab.page.getByRole('radiogroup', { name: group })
  const wanted = radios.getByRole('radio', { name }).first()
  await tabTo(radios.getByRole('radio', { checked: true }))
  const count = await radios.getByRole('radio').count()
  for (let steps = 0; steps < count && !(await wanted.isChecked()); steps++) await press('ArrowDown')
  expect(await wanted.isChecked()).toBe(true)
}

/** Controls of the page to which no Tab leads, once around it; of radio buttons one of a group is enough. */
async function unreached(): Promise<readonly string[]> {
  const { page } = lab
  await page.evaluate(() => {
    const seen = new Set<EventTarget>()
    const note = ({ target }: FocusEvent): unknown => target !== null && seen.add(target)
    document.addEventListener('focusin', note)
    Object.assign(window, { seenByTab: seen })
  })
  for (let tabs = 0, before = 0, same = 0; tabs < 4 * MOST_TABS && same < 5; tabs++) {
    await press('Tab')
    const now = await page.evaluate(() => (window as unknown as { seenByTab: Set<Element> }).seenByTab.size)
    same = now === before ? same + 1 : 0
    before = now
  }
  return page.evaluate(() => {
    const seen = (window as unknown as { seenByTab: Set<Element> }).seenByTab
    const groups = new Set(
      [...seen].map((one) => (one instanceof HTMLInputElement && one.type === 'radio' ? one.name : '')),
    )
    return [
      ...document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary, [tabindex="0"]'),
    ]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches(':disabled') && !seen.has(one))
      .filter((one) => !(one instanceof HTMLInputElement && one.type === 'radio' && groups.has(one.name)))
      .map((one) => one.outerHTML.slice(0, 160))
  })
}

async function heading(name: string | RegExp): Promise<void> {
  await lab.page.getByRole('heading', { name, level: 1 }).waitFor()
}

describe.skipIf(chromiumPath === null)('the whole road by keyboard', () => {
  beforeAll(async () => {
    lab = await openLab()
    await lab.open('/')
    await heading('Pairlab')
  })

  afterAll(() => lab.end())

  test('a file is imported by its path', async () => {
    await press('g', 'd')
    await heading('Data sets')
    await tabTo(lab.page.getByRole('textbox', { name: 'Path of the file or folder on this machine' }))
    await type(writeUnjudged(lab))
    await press('Enter')
    await heading('Import short answers.jsonl')
    expect(await unreached()).toEqual([])
    await write('Name', 'Short answers')
    await lab.page.getByRole('button', { name: 'Import', disabled: false }).waitFor()
    await press('Control+Enter')
    await heading('Short answers')
    await lab.page.getByText(`Imported ${ANSWERS} pairs; no row left out`).waitFor()
  })

  test('its pairs are judged, an answer is taken back and given anew', async () => {
    const { page } = lab
    await press('l')
    await heading('Who is labeling?')
    await tabTo(page.getByRole('textbox', { name: 'Your name' }))
    await type('Mara')
    await press('Enter')
    const answered = (count: number): Promise<void> => page.getByText(`${count} answered`, { exact: true }).waitFor()
    await answered(0)
    expect(await unreached()).toEqual([])
    await press('2')
    await answered(1)
    await press('u')
    await answered(0)
    for (let at = 0; at < ANSWERS; at++) {
      await press(at % 4 === 3 ? '3' : at % 2 === 0 ? '1' : '2')
      await answered(at + 1)
    }
    await heading('Every pair has an answer')
    await tabTo(page.getByRole('link', { name: 'Train on this' }))
    await press('Enter')
    await heading('New run')
  })

  test.each(METHODS)('%s is trained on them', async (method) => {
    const { page } = lab
    if (method !== METHODS[0]) await command('Train')
    await heading('New run')
    await page.getByText('Ready.').waitFor()
    await press('m')
    await type('New nano')
    const model = page.getByRole('combobox', { name: 'Model' })
    expect(await model.evaluate((select: HTMLSelectElement) => select.selectedOptions[0]?.text)).toMatch(/^New nano/)
    await choose('Method', new RegExp(`^${method} `))
    if (method === METHODS[0]) await choose('Settings shown', /^All/)
    for (const [name, text] of TINY) await write(name, text)
    await page.getByText('Ready.').waitFor()
    if (method === METHODS[0]) expect(await unreached()).toEqual([])
    await press('Control+Enter')
    await page.getByRole('main').getByText(`Method ${method}`).waitFor()
    await page.getByRole('main').getByText('finished', { exact: true }).waitFor({ timeout: 60_000 })
    await page.getByRole('main').getByText('Engine wasm').first().waitFor()
    if (method === METHODS[0]) expect(await unreached()).toEqual([])
  })

  test('both are chosen and compared', async () => {
    const { page } = lab
    await press('g', 'r')
    await heading('Runs')
    for (const method of METHODS.toReversed()) {
      const box = page.getByRole('row', { name: method }).getByRole('checkbox')
      await tabTo(box)
      await press('Space')
      expect(await box.isChecked()).toBe(true)
    }
    await press('c')
    const rows = page.getByRole('table', { name: 'Configurations' }).getByRole('row')
    for (const method of METHODS) {
      const cells = rows.filter({ hasText: method }).first().getByRole('cell')
      expect(await cells.nth(3).innerText()).toMatch(/\d/)
    }
    const opened = page.getByRole('button', { name: 'Runs of SFT' })
    await tabTo(opened)
    await press('Enter')
    await page.getByRole('link', { name: 'seed 1' }).waitFor()
    expect(await unreached()).toEqual([])
    expect(lab.complaints).toEqual([])
  })
})
