import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp, type App } from '../../main/app/app.ts'
import { openStore } from '../../main/app/store/open.ts'
import { createSessionStore, type SessionStore } from '../../renderer/label/session-store.ts'
import { AppError } from '../../shared/errors.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'
import { waitUntil } from '../support/make-app.ts'

let folder: string
let app: App
let page: SessionStore
let lost: string[]
const who = { datasetId: 'set' as never, annotatorId: 'Eva' as never }

/** The app itself, over a line that loses the answers to the calls named in `lost`, once each. */
function overBadLine(client: Client): Client {
  return {
    ...client,
    async call(name, input) {
      const answer = await client.call(name, input)
      const at = lost.indexOf(name)
      if (at < 0) return answer
      lost.splice(at, 1)
      throw new AppError({ code: 'internal', message: 'The answer was lost.', hint: 'Try again.' })
    },
  }
}

beforeEach(async () => {
  folder = temporaryFolder()
  const { db, close } = openStore(folder)
  addDataset(db, folder, 'set', 20)
  close()
  app = await createApp({ dataFolder: folder })
  const client = inProcess(app.handlers)
  await client.call('annotators.add', { name: 'Eva' })
  lost = []
  let keys = 0
  page = createSessionStore({
    client: overBadLine(client),
    ...who,
    filter: { only: 'unlabeled', search: '' },
    nowMs: () => performance.now(),
    newKey: () => `page-key-${(keys += 1)}`,
    onStored: () => undefined,
    onAhead: () => undefined,
  })
  for (let pair = 0; pair < 5; pair += 1) {
    await settled()
    page.choose('left')
  }
  await settled()
})
afterEach(async () => {
  await app.close('continue')
  rmSync(folder, { recursive: true })
})

const settled = (): Promise<void> =>
  waitUntil(
    'the page',
    () => page.get().current !== null && page.get().answer === null && !page.get().moving && !page.get().fetching,
  )
const failed = (): Promise<void> => waitUntil('the failure', () => page.get().failure !== null)
const progress = () => inProcess(app.handlers).call('labels.progress', who)

test('an undo whose answer is lost takes back one label, however often it is tried again', async () => {
  lost = ['labels.undo', 'labels.undo', 'labels.undo']
  await page.undo()
  await page.undo() // the key once more
  page.retry() // the button
  await waitUntil('the third failure', () => lost.length === 0 && page.get().failure !== null)
  expect(await progress()).toMatchObject({ answered: 4 })
  page.retry()
  await settled()
  expect(page.get().current).toMatchObject({ index: 4, current: null })
  expect(await progress()).toMatchObject({ answered: 4 })
  await page.undo()
  expect(await progress()).toMatchObject({ answered: 3 })
})

test('redo and the mark count once too', async () => {
  await page.undo()
  await page.undo()
  lost = ['labels.redo', 'labels.flag']
  await page.redo()
  await page.redo()
  expect(await progress()).toMatchObject({ answered: 4 })
  await page.toggleFlag()
  await failed()
  page.retry()
  await settled()
  expect(page.get().current?.flagged).toBe(true)
  expect(await progress()).toMatchObject({ flagged: 1 })
})

test('an answer that is given up after its reply was lost is shown as what it is: in force', async () => {
  const index = page.get().current?.index
  lost = ['labels.add']
  page.choose('right')
  await failed()
  page.dismiss()
  await settled()
  expect(page.get().current).toMatchObject({ index, current: { outcome: expect.stringMatching(/^[ab]$/) } })
  expect(await progress()).toMatchObject({ answered: 6 })
})
