// From data to a compared pair of runs, for each kind of data: what a person does on the way, by either hand.
import type { Locator, Page } from 'playwright'
import { TINY_FORM } from '../support/tiny-form.ts'
import type { Hand } from './hand.ts'

export interface Kind {
  readonly name: string
  /** From the first page to the page of the data set. */
  bringIn(hand: Hand): Promise<void>
  /** Answers that are given on the way; 0 where nothing is labeled. */
  readonly answers: number
  /** As their tiles begin. */
  readonly methods: readonly [string, string]
  /** How a new model of the smallest size is called in the list of models; null where it is left as it is. */
  readonly model: string | null
}

const LONG_MS = 60_000
const level1 = (page: Page, name: string | RegExp): Locator => page.getByRole('heading', { level: 1, name })

const sample =
  (button: string, title: string): Kind['bringIn'] =>
  async (hand) => {
    await hand.use('button', button)
    await level1(hand.page, title).waitFor({ timeout: LONG_MS })
  }

export const KINDS: readonly Kind[] = [
  {
    name: 'pairs of answers',
    bringIn: sample('Open PandaLM test set', 'PandaLM test set'),
    answers: 3,
    methods: ['SFT', 'DPO Preferred'],
    model: 'New nano',
  },
  {
    name: 'pairs of segments',
    bringIn: sample('Collect segments in Reach', 'Reach'),
    answers: 3,
    methods: ['CPL', 'BC'],
    model: null,
  },
  {
    name: 'judged lists',
    bringIn: sample('Open Cranfield', 'Cranfield'),
    answers: 0,
    methods: ['Neural PG-RANK', 'ListNet'],
    model: null,
  },
  {
    name: 'texts',
    bringIn: sample('Open Cranfield queries and abstracts', 'Cranfield queries and abstracts'),
    answers: 0,
    methods: ['InfoNCE on texts', 'Language modeling'],
    model: 'New nano',
  },
]

/** What a person reads of the settings that the page shows. */
async function has(page: Page, label: string): Promise<boolean> {
  return (await page.getByRole('textbox', { name: label, exact: true }).count()) > 0
}

async function answer(hand: Hand, count: number): Promise<void> {
  const { page } = hand
  const number = page.getByRole('textbox', { name: /^Number of the/ })
  for (let given = 0; given < count; given += 1) {
    await number.waitFor()
    const before = await number.inputValue()
    await hand.use('button', /is better/)
    while ((await number.inputValue()) === before) await page.waitForTimeout(30)
  }
}

async function start(hand: Hand, kind: Kind, method: string): Promise<void> {
  const { page } = hand
  await level1(page, 'New run').waitFor()
  await hand.use('radio', new RegExp(`^${method}\\b`))
  if (kind.model !== null) await hand.pick('Model', kind.model)
  for (const [label, text] of TINY_FORM) if (await has(page, label)) await hand.write(label, text)
  await page.getByText('Ready.').waitFor({ timeout: LONG_MS })
  await hand.use('button', /^Start 1 run/)
  await level1(page, 'New run').waitFor({ state: 'detached' })
}

/** Walks it to the end. @param step told of each part with its time */
export async function walk(hand: Hand, kind: Kind, step: (name: string, ms: number) => void): Promise<void> {
  const { page } = hand
  const part = async (name: string, action: () => Promise<void>): Promise<void> => {
    const atMs = performance.now()
    try {
      await action()
    } catch (error) {
      throw new Error(`${kind.name}: “${name}” is a dead end: ${String(error)}`, { cause: error })
    }
    step(name, performance.now() - atMs)
  }
  await part('bring in the data', () => kind.bringIn(hand))
  if (kind.answers > 0)
    await part(`label ${kind.answers}`, async () => {
      await hand.use('button', 'Label')
      await hand.write('Your name', 'Ada')
      await hand.enter()
      await answer(hand, kind.answers)
    })
  const [first, second] = kind.methods
  await part('start the first run', async () => {
    await hand.use('link', 'Train')
    await start(hand, kind, first)
  })
  await part('start the second run', async () => {
    await hand.use('link', 'Train')
    await start(hand, kind, second)
  })
  await part('wait for both', async () => {
    await hand.use('link', 'Runs')
    await level1(page, 'Runs').waitFor()
    const finished = page.getByRole('row').filter({ hasText: 'finished' })
    const failed = page.getByRole('row').filter({ hasText: 'failed' })
    const endMs = performance.now() + LONG_MS
    while ((await finished.count()) < 2) {
      if ((await failed.count()) > 0) throw new Error(await failed.first().innerText())
      if (performance.now() > endMs) throw new Error('the runs did not end')
      await page.waitForTimeout(100)
    }
  })
  await part('compare', async () => {
    await hand.use('button', 'Choose all')
    await hand.use('button', /^Compare/)
    await level1(page, 'Compare').waitFor()
    const rows = page.getByRole('table', { name: 'Configurations' }).getByRole('row')
    while ((await rows.count()) < 3) await page.waitForTimeout(50)
  })
}
