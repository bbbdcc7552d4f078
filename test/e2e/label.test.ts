import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Output } from '../../shared/contract.ts'
import type { LabelEvent } from '../../shared/contract/labels.ts'
import type { AnnotatorId, DatasetId } from '../../shared/domain.ts'
import {
  accessibilityInBothThemes,
  accessibilityProblems,
  chromiumPath,
  importFile,
  importSample,
  openLab,
  type Lab,
} from './support.ts'

let lab: Lab
let datasetId: DatasetId

/** Opens the page as someone new. */
async function labelAs(name: string): Promise<AnnotatorId> {
  const { annotatorId } = await lab.client.call('annotators.add', { name })
  await lab.client.call('settings.set', { annotatorId })
  await lab.open(`/label/${datasetId}`)
  await lab.page.waitForSelector('[data-pair]')
  return annotatorId
}

async function shownPair(): Promise<string | null> {
  return lab.page.getAttribute('[data-pair]', 'data-pair')
}

async function position(): Promise<string> {
  return lab.page.getByLabel('Number of the pair').inputValue()
}

/** Presses a key and waits for another pair. */
async function answer(key: string): Promise<void> {
  const before = await shownPair()
  await lab.page.keyboard.press(key)
  await waitForAnother(before)
}

async function waitForAnother(before: string | null): Promise<void> {
  await lab.page.waitForFunction(
    (pair) => document.querySelector('[data-pair]')?.getAttribute('data-pair') !== pair,
    before,
  )
}

async function history(annotatorId: AnnotatorId): Promise<readonly LabelEvent[]> {
  const { events }: Output<'labels.history'> = await lab.client.call('labels.history', {
    datasetId,
    annotatorId,
    limit: 100,
  })
  return events.toSorted((one, two) => one.labelId - two.labelId)
}

async function waitForPosition(number: string): Promise<void> {
  await lab.page.waitForFunction(
    (wanted) => document.querySelector<HTMLInputElement>('.position input')?.value === wanted,
    number,
  )
}

describe.skipIf(chromiumPath === null)('labeling in the browser', () => {
  beforeAll(async () => {
    lab = await openLab()
    datasetId = await importSample(lab.client)
  })

  afterAll(() => lab.end())

  test('asks for a name first; then five pairs by keyboard, undone and redone, survive a reload', async () => {
    await lab.open(`/label/${datasetId}`)
    await lab.page.getByLabel('Your name').fill('Mara')
    await lab.page.keyboard.press('Enter')
    await lab.page.waitForSelector('[data-pair]')
    const annotatorId = (await lab.client.call('settings.get', {})).annotatorId as AnnotatorId // chosen a moment ago
    for (const key of ['1', '2', '3', 'b', 's']) await answer(key)
    await waitForPosition('6')
    await lab.page.keyboard.press('u')
    await waitForPosition('5')
    await lab.page.keyboard.press('Control+z')
    await waitForPosition('4')
    await lab.page.keyboard.press('Control+Shift+z')
    await waitForPosition('5')

    const kinds = (await history(annotatorId)).map((event) => [event.kind, event.pairIndex])
    expect(kinds).toEqual([
      ['answer', 0],
      ['answer', 1],
      ['answer', 2],
      ['answer', 3],
      ['answer', 4],
      ['undo', 4],
      ['undo', 3],
      ['redo', 3],
    ])

    await lab.page.reload()
    await lab.page.waitForSelector('[data-pair]')
    await waitForPosition('5')
    await lab.page.keyboard.press('u')
    await waitForPosition('4')
    await lab.page.keyboard.press('u')
    await waitForPosition('3')
    expect(
      (await history(annotatorId))
        .filter((event) => event.kind === 'answer' && event.inForce)
        .map((event) => event.pairIndex),
    ).toEqual([0, 1])
    expect(lab.complaints).toEqual([])
  })

  test('the stored option is the one that stood on the chosen side, and the order is on record', async () => {
    const annotatorId = await labelAs('Ada')
    const orders = new Set<string>()
    for (let turn = 0; turn < 12; turn += 1) {
      const pairId = await shownPair()
      const item = await lab.client.call('labels.item', { datasetId, annotatorId, pairId: String(pairId) })
      const left = await lab.page.locator('.pair-row > :first-child').allInnerTexts()
      const option = item.shownOrder === 'ab' ? item.a : item.b
      const firstWords = String(option).trim().split(/\s+/).slice(0, 3)
      for (const word of firstWords) expect(left.join(' ')).toContain(word)
      await answer('1')
      const event = (await history(annotatorId)).at(-1)
      expect(event).toMatchObject({
        pairId,
        outcome: item.shownOrder === 'ab' ? 'a' : 'b',
        shownOrder: item.shownOrder,
        strength: 'clearly',
      })
      orders.add(item.shownOrder)
    }
    expect([...orders].toSorted()).toEqual(['ab', 'ba'])
  })

  test('strength, note and mark go with the pair; keys rest while someone writes', async () => {
    const annotatorId = await labelAs('Bo')
    await lab.page.keyboard.press('f')
    await lab.page.waitForSelector('text=Marked')
    await lab.page.keyboard.press('e')
    await lab.page.keyboard.press('n')
    await lab.page.keyboard.type('123 odd, both say so')
    expect(await position()).toBe('1')
    await lab.page.keyboard.press('Escape')
    await answer('2')
    expect((await history(annotatorId)).at(-1)).toMatchObject({
      kind: 'answer',
      strength: 'far',
      comment: '123 odd, both say so',
      pairIndex: 0,
    })
    await answer('1')
    expect((await history(annotatorId)).at(-1)).toMatchObject({ strength: 'clearly', comment: '', pairIndex: 1 })

    await lab.page.keyboard.press('j')
    await lab.page.keyboard.type('212')
    const before = await shownPair()
    await lab.page.keyboard.press('Enter')
    await waitForAnother(before) // the field says 212 before the pair is there
    await waitForPosition('212')
    await answer('3')
    await waitForPosition('213')
    expect((await history(annotatorId)).at(-1)).toMatchObject({ outcome: 'tie', strength: null, pairIndex: 211 })
  })

  test('an answer that cannot be saved stays, says so, and is saved once on the second try', async () => {
    const annotatorId = await labelAs('Cy')
    await lab.page.route('**/call/labels.add', (route) => route.abort(), { times: 1 })
    await lab.page.keyboard.press('2')
    await lab.page.waitForSelector('[role=alert]')
    expect(await position()).toBe('1')
    expect(await lab.page.getByRole('button', { name: 'B is better' }).getAttribute('aria-pressed')).toBe('true')
    await lab.page.getByRole('button', { name: 'Try again' }).click()
    await waitForPosition('2')
    expect((await history(annotatorId)).map((event) => event.kind)).toEqual(['answer'])
  })

  test('a click on a last answer goes back; a new answer replaces it and the old one stays on record', async () => {
    const annotatorId = await labelAs('Di')
    await answer('1')
    await answer('1')
    await lab.page.locator('.last-answers button').last().click()
    await waitForPosition('1')
    expect(await lab.page.getByRole('button', { name: 'A is better' }).getAttribute('aria-pressed')).toBe('true')
    await answer('3')
    await waitForPosition('3')
    const answers = (await history(annotatorId)).filter((event) => event.pairIndex === 0)
    expect(answers.map((event) => event.inForce)).toEqual([false, true])
    expect(answers.map((event) => event.outcome === 'tie')).toEqual([false, true])
  })

  test('two names on one machine have answers of their own', async () => {
    const first = await labelAs('Eva')
    await answer('1')
    await lab.page.getByRole('button', { name: 'Change' }).click()
    await lab.page.getByLabel('Someone else').fill('Noor')
    await lab.page.keyboard.press('Enter')
    await lab.page.waitForSelector('aside >> text=Noor')
    await waitForPosition('1')
    await answer('2')
    expect(await history(first)).toHaveLength(1)
    const second = (await lab.client.call('annotators.list', {})).find((one) => one.name === 'Noor')
    expect(await history(second?.annotatorId ?? first)).toMatchObject([
      { pairIndex: 0, annotatorId: second?.annotatorId },
    ])
  })

  test('a long prompt has what the answers leave of the page, and a fifth of the window in any case', async () => {
    const file = path.join(lab.dataFolder, 'long prompts.jsonl')
    const [long, answers] = ['A long question. '.repeat(150), 'word '.repeat(900)]
    const rows = [
      { prompt: long, a: 'short', b: 'shorter' },
      { prompt: long, a: answers, b: answers },
      { prompt: 'Short?', a: answers, b: 'no' },
    ]
    writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))
    await lab.open(`/label/${await importFile(lab.client, file, 'Long prompts')}`)
    const seen = () =>
      lab.page.evaluate(() => {
        const [work, prompt, pair] = ['.label-work', '.prompt', '.pair'].map((name) => document.querySelector(name))
        if (!work || !prompt || !pair) return null // between two pairs
        const whole = prompt.scrollHeight <= prompt.clientHeight
        const fifth = prompt.clientHeight >= 0.2 * window.innerHeight
        const room = pair.clientHeight >= 0.1 * window.innerHeight
        return [whole, fifth, room, work.scrollHeight <= window.innerHeight]
      })
    for (const expected of [
      [true, true, true, true],
      [false, true, true, true],
      [true, false, true, true],
    ]) {
      // The height of a prompt is measured after it is painted.
      await expect.poll(seen, { timeout: 15_000 }).toEqual(expected)
      await answer('1')
    }
  })

  test('the page keeps the rules of accessibility, light and dark', async () => {
    await lab.open('/label')
    await lab.page.waitForSelector('table')
    expect(await accessibilityProblems(lab.page)).toEqual([])
    await lab.client.call('settings.set', { annotatorId: null })
    await lab.open(`/label/${datasetId}`)
    await lab.page.waitForSelector('#annotator-name')
    expect(await accessibilityProblems(lab.page)).toEqual([])
    await labelAs('Fay')
    await answer('1')
    await lab.page.waitForSelector('.last-answers button')
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await lab.page.keyboard.press('?')
    await lab.page.waitForSelector('dialog')
    expect(await accessibilityProblems(lab.page)).toEqual([])
    await lab.page.keyboard.press('Escape')
    await lab.page.keyboard.press('Control+k')
    await lab.page.getByRole('combobox', { name: 'Search, or run a command' }).fill('runs')
    expect(await accessibilityProblems(lab.page)).toEqual([])
    await lab.page.keyboard.press('Enter')
    await lab.page.waitForFunction(() => window.location.hash === '#/runs')
  })

  test('each key is changed under ?, given a modifier or switched off in Settings, and clashes are said', async () => {
    const { page } = lab
    await lab.open('/runs')
    await page.locator('h1, h2').first().waitFor()
    await page.keyboard.press('?')
    const dialog = page.getByRole('dialog', { name: 'Keys on this page' })
    await dialog.getByRole('button', { name: 'Change the key of “Home”' }).click()
    await page.keyboard.press('g')
    await dialog.getByText('g is a key of the window.').waitFor()
    await page.keyboard.press('Alt+h')
    await dialog.getByRole('button', { name: 'Switch the key of “Show the keys” off' }).click()
    await dialog.getByRole('link', { name: 'Settings, Keys' }).click()
    await page.waitForURL(/#\/settings/)
    await page.getByText('go.Home').waitFor()
    await page.keyboard.press('?')
    expect(await dialog.count()).toBe(0)
    const tie = page.locator('.keys-line', { hasText: 'Tie, both good' })
    await tie.getByRole('button', { name: /^Change/ }).click()
    await page.keyboard.press('b')
    await tie.getByText('Also the key of “Both bad”.').waitFor()
    expect(await accessibilityInBothThemes(page)).toEqual([])
    await page.getByRole('button', { name: 'Take the key of “Tie, both good” back' }).click()
    await tie.getByText('Also the key of').waitFor({ state: 'detached' })
    await page.keyboard.press('Alt+h')
    await page.waitForURL(/#\/$/)
    await lab.client.call('settings.set', { keys: {} })
  })

  test('the next pair of 100,000 is painted soon after the key', async () => {
    const file = path.join(lab.dataFolder, 'many.jsonl')
    const text = 'The quick brown fox jumps over the lazy dog and goes on about its day. '
    writeFileSync(
      file,
      Array.from({ length: 100_000 }, (_, at) =>
        JSON.stringify({ prompt: `Question ${at}?`, chosen: `${text}\nAnswer ${at}.`, rejected: 'No answer.' }),
      ).join('\n'),
    )
    datasetId = await importFile(lab.client, file, 'Many pairs')
    await labelAs('Gil')
    await lab.page.evaluate(() => {
      const times: number[] = []
      Object.assign(window, { times })
      let pressedMs = 0
      window.addEventListener(
        'keydown',
        (event) => {
          pressedMs = event.timeStamp
        },
        { capture: true },
      )
      new MutationObserver((changes) => {
        if (!changes.some((change) => change.attributeName === 'data-pair')) return
        // A message sent from within a frame is handled after that frame was painted.
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = () => times.push(performance.now() - pressedMs)
          port2.postMessage(null)
        })
      }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-pair'] })
    })
    const presses = 20
    for (let turn = 0; turn < presses; turn += 1) {
      await lab.page.waitForTimeout(250) // nobody reads two texts faster
      await answer(turn % 2 === 0 ? '1' : '2')
    }
    await lab.page.waitForFunction((count) => (window as unknown as { times: number[] }).times.length >= count, presses)
    const times = (await lab.page.evaluate(() => (window as unknown as { times: number[] }).times)).toSorted(
      (one, two) => one - two,
    )
    const median = times[presses / 2] ?? Number.NaN
    const slow = times[Math.floor(presses * 0.95)] ?? Number.NaN
    console.log(
      `key to painted pair at 100,000 pairs: median ${median.toFixed(0)} ms, 95 % within ${slow.toFixed(0)} ms (n = ${presses})`,
    )
    expect(median).toBeLessThan(500)
  })
})
