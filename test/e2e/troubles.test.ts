import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEventLog } from '../../main/base/run-folder/events.ts'
import { PROTOCOL_VERSION } from '../../main/base/run-folder/protocol.ts'
import { makeTinyRun } from '../support/tiny-run.ts'
import { recordsPath } from '../../main/app/store/datasets-folder.ts'
import { accessibilityProblems, chromiumPath, importSample, openLab, type Lab } from './support.ts'

let lab: Lab

/** A run that ended for want of memory. */
function writeFullRun(dataFolder: string): void {
  const elsewhere = mkdtempSync(path.join(tmpdir(), 'pairlab full '))
  const folder = makeTinyRun(elsewhere, { runId: 'full-1' })
  const log = openEventLog(folder)
  const error = {
    code: 'out-of-memory',
    message: 'The engine has no room left.',
    hint: 'Lower the micro-batch.',
  } as const
  const process = { engine: 'wasm', device: 'a processor', pid: 1, startedAtMs: 1, resumedFromStep: null } as const
  log.append({ type: 'ready', protocolVersion: PROTOCOL_VERSION, ...process })
  log.append({ type: 'failed', error }, true)
  log.close()
  cpSync(folder, path.join(dataFolder, 'runs', 'full-1'), { recursive: true })
  rmSync(elsewhere, { recursive: true, force: true })
}

describe.skipIf(chromiumPath === null)('troubles of the data folder in the browser', () => {
  beforeAll(async () => {
    lab = await openLab((dataFolder) => {
      mkdirSync(path.join(dataFolder, 'datasets'))
      writeFileSync(path.join(dataFolder, 'datasets', 'notes.txt'), 'mine')
    })
  })
  afterAll(() => lab.end())

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

test.skipIf(chromiumPath === null)(
  'a run that found no room offers other settings before it offers to try again',
  async () => {
    lab = await openLab(writeFullRun)
    try {
      await lab.open('/runs/full-1')
      await lab.page.getByText('The engine has no room left.').first().waitFor()
      const actions = lab.page.locator('.run-actions')
      expect(await actions.locator('.btn-primary').allTextContents()).toEqual(['Clone with other settings'])
      expect(await actions.getByRole('button', { name: /^Resume/ }).count()).toBe(1)
      await lab.open('/')
      await lab.page.getByRole('link', { name: 'Open it and resume' }).waitFor()
      expect(await accessibilityProblems(lab.page)).toEqual([])
    } finally {
      await lab.end()
    }
  },
)
