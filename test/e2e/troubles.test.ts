import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordsPath } from '../../main/app/store/datasets-folder.ts'
import {
  accessibilityProblems,
  buildPage,
  chromiumPath,
  importSample,
  openLab,
  removeFolder,
  type Lab,
} from './support.ts'

let pageFolder = ''
let lab: Lab

describe.skipIf(chromiumPath === null)('troubles of the data folder in the browser', () => {
  beforeAll(async () => {
    pageFolder = await buildPage()
    lab = await openLab(pageFolder, (dataFolder) => {
      mkdirSync(path.join(dataFolder, 'datasets'))
      writeFileSync(path.join(dataFolder, 'datasets', 'notes.txt'), 'mine')
    })
  })
  afterAll(async () => {
    await lab.end()
    removeFolder(pageFolder)
  })

  test('what a start left as it found it stands on Home', async () => {
    await lab.open('/')
    const notice = lab.page.getByRole('alert').filter({ hasText: 'Nothing was deleted.' })
    await notice.getByText(path.join('datasets', 'notes.txt')).waitFor()
    expect(await accessibilityProblems(lab.page)).toEqual([])
  })

  test('Settings compares every file with what was written', async () => {
    const datasetId = await importSample(lab.client)
    await lab.open('/settings')
    await lab.page.getByRole('button', { name: 'Check all' }).click()
    await lab.page.getByText('All files are as they were written (data sets: 1, runs: 0).').waitFor()
    const records = recordsPath(lab.dataFolder, datasetId)
    const bytes = readFileSync(records)
    const letter = bytes.indexOf('instruction'.charAt(0), 400)
    bytes[letter] = (bytes[letter] ?? 0) ^ 1
    writeFileSync(records, bytes)
    await lab.page.getByRole('button', { name: 'Check all' }).click()
    await lab.page.getByText('1 file is not as written.').waitFor()
    await lab.page.getByText(records).waitFor()
    await lab.page.getByText('Put a copy back.').waitFor()
    expect(await accessibilityProblems(lab.page)).toEqual([])
  })
})
