import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { accessibilityInBothThemes, chromiumPath, openLab, removeFolder, type Lab } from './support.ts'

const fixtures = path.resolve(import.meta.dirname, '../fixtures')
let files = ''
let lab: Lab

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(files, name)
  writeFileSync(file, content)
  return file
}

const waiting = (): readonly string[] => {
  const folder = path.join(lab.dataFolder, 'incoming')
  return existsSync(folder) ? readdirSync(folder) : []
}

/** Chooses a file or a folder as a person does, so that the page sends it. */
async function choose(button: 'Choose a file' | 'Choose a folder', source: string): Promise<void> {
  const chooser = lab.page.waitForEvent('filechooser')
  await lab.page.getByRole('button', { name: button }).click()
  await (await chooser).setFiles(source)
}

const importIt = (): Promise<void> => lab.page.getByRole('button', { name: /^Import/ }).click()
const see = (text: string): Promise<void> => lab.page.getByText(text).first().waitFor()

/** The data set that the page shows. */
function shown(): DatasetId {
  return /#\/data\/([^?]+)/.exec(lab.page.url())![1] as DatasetId // the page put it there
}

describe.skipIf(chromiumPath === null)('every kind of data comes in by one door', () => {
  beforeAll(async () => {
    files = mkdtempSync(path.join(tmpdir(), 'pairlab-kinds-'))
    lab = await openLab()
  })
  beforeEach(() => lab.open('/data'))
  afterAll(async () => {
    await lab.end()
    removeFolder(files)
  })

  test('preference pairs, gzipped: what was left out is said, and what is next', async () => {
    const rows = Array.from({ length: 20 }, (_none, at) => ({
      prompt: `p${at}`,
      chosen: `yes ${at}`,
      rejected: `no ${at}`,
    }))
    const text = [...rows.map((row) => JSON.stringify(row)), '{"prompt": 3}', 'no json'].join('\n')
    await choose('Choose a file', write('pairs.jsonl.gz', gzipSync(text)))
    await see('because its rows have prompt, chosen and rejected')
    await importIt()
    await see('Imported 20 pairs; 2 rows left out')
    await see('Labels came with them')
    expect(waiting()).toEqual([])
    await lab.page.getByRole('button', { name: 'Close the message' }).click()
    expect(lab.page.url()).not.toContain('imported')
  })

  test('texts: the first rows as they will be read; an answer where two readings are possible', async () => {
    await choose('Choose a file', path.join(fixtures, 'msmarco/triples.train.small.tsv'))
    await see('Looks like texts')
    await see('texts that belong together, or lines of text')
    const start = lab.page.getByRole('button', { name: /^Import/ })
    expect(await start.isDisabled()).toBe(true)
    await lab.page.getByLabel('Form').selectOption({ label: 'a table with tabs' })
    await lab.page.getByRole('columnheader', { name: 'Negatives' }).waitFor()
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await importIt()
    await see('Train a language model or an encoder on them.')
    expect(waiting()).toEqual([])
  })

  test('judged lists from a folder that the browser sends, with the split of the source', async () => {
    await choose('Choose a folder', path.join(fixtures, 'beir_tiny'))
    await see('Looks like judged lists')
    await see('the split is kept: test, train')
    await lab.page.getByRole('columnheader', { name: 'Judged' }).waitFor()
    expect(waiting()).toHaveLength(1)
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await importIt()
    await see('Train a ranker on them.')
    const { split, itemCount } = await lab.client.call('datasets.get', { datasetId: shown() })
    expect(split.counts.train + split.counts.test).toBe(itemCount)
    expect(waiting()).toEqual([])
  })

  test('segments of CPL, and our own export of them again', async () => {
    await choose('Choose a file', path.join(fixtures, 'cpl/new_format.npz'))
    await see('Looks like segments')
    await see('2 first, 4 second, 0 tie, by rl_sum')
    expect(await accessibilityInBothThemes(lab.page)).toEqual([])
    await importIt()
    await see('Imported 6 pairs of segments; no row left out')
    const first = shown()
    for (const format of ['segments-jsonl', 'cpl-npz'] as const) {
      const { path: file } = await lab.client.call('segments.export', { datasetId: first, format })
      await lab.open('/data')
      await lab.page.getByLabel('Path of the file or folder on this machine').fill(file)
      await lab.page.keyboard.press('Enter')
      await see('Looks like segments')
      await importIt()
      await see('Imported 6 pairs of segments; no row left out')
      expect(existsSync(file)).toBe(true) // a file of a person stays
      const [before, after] = await Promise.all(
        [first, shown()].map((datasetId) => lab.client.call('datasets.get', { datasetId })),
      )
      expect(after!.balance).toEqual(before!.balance)
      if (format === 'segments-jsonl') expect(after!.fingerprint).toBe(before!.fingerprint)
    }
  })

  test('a wrong kind says what is missing, another can be chosen, and leaving takes the copy away', async () => {
    await choose(
      'Choose a file',
      write('thumbs.csv', 'prompt,completion,label\nName a colour.,Blue.,true\nName one.,No.,false\n'),
    )
    await see('Looks like single answers')
    await lab.page.getByText('Segments', { exact: true }).click()
    await see('no pair of segments')
    await lab.page.getByText('Texts', { exact: true }).click()
    await see('has 3 columns (prompt, completion, label) without names that are known')
    expect(await lab.page.getByRole('button', { name: /^Import/ }).isDisabled()).toBe(true)
    expect(waiting()).toHaveLength(1)
    await lab.page.getByText('Single answers', { exact: true }).click()
    await see('Name a colour.')
    await lab.page.getByRole('button', { name: 'Cancel' }).click()
    await expect.poll(waiting).toEqual([])
  })

  test('what is dropped anywhere goes the same road; several files are refused', async () => {
    const drop = (names: readonly string[]): Promise<void> =>
      lab.page.evaluate((all) => {
        const transfer = new DataTransfer()
        for (const name of all) transfer.items.add(new File(['One sentence.\nAnother one.\n'], name))
        window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }))
      }, names)
    await drop(['one.txt', 'two.txt'])
    await see('2 files were dropped; an import reads one file or one folder.')
    await drop(['one.txt'])
    await see('because it holds one text a line')
    await see('Another one.')
    expect(lab.complaints).toEqual([])
  })
})
