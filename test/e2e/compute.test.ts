import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessibilityProblems, buildPage, chromiumPath, openLab, removeFolder, type Lab } from './support.ts'

let pageFolder = ''
let lab: Lab

describe.skipIf(chromiumPath === null)('Settings → Compute in the browser', () => {
  const before = process.env['PAIRLAB_ENGINES']
  beforeAll(async () => {
    delete process.env['PAIRLAB_ENGINES']
    pageFolder = await buildPage()
    lab = await openLab(pageFolder)
  })
  afterAll(async () => {
    await lab.end()
    removeFolder(pageFolder)
    if (before !== undefined) process.env['PAIRLAB_ENGINES'] = before
  })

  test('shows what nobody tested, tests an engine, and says what auto takes', async () => {
    await lab.open('/settings')
    const row = lab.page.getByRole('row', { name: /^WebAssembly/ })
    await row.getByText('not tested').waitFor()
    await lab.page.getByText('It is not added on this machine.').waitFor()
    await row.getByRole('button', { name: 'Test WebAssembly' }).click()
    await lab.page.getByRole('status').filter({ hasText: 'Measuring wasm' }).waitFor()
    expect(await lab.page.getByRole('button', { name: 'Test all' }).isDisabled()).toBe(true)
    await row.getByText('ready').waitFor({ timeout: 90_000 })
    await lab.page.getByText('the only engine that was measured here').first().waitFor()
    expect(await accessibilityProblems(lab.page)).toEqual([])
  })

  test('adding TensorFlow from a file that is not there says so in the dialog', async () => {
    await lab.open('/settings')
    await lab.page.getByRole('button', { name: 'Add …' }).click()
    const dialog = lab.page.getByRole('dialog', { name: 'Add TensorFlow' })
    await dialog.getByLabel('A wheel file').check()
    expect(await dialog.getByRole('button', { name: 'Add it' }).isDisabled()).toBe(true)
    await dialog.getByLabel(/^Path of the wheel/).fill('/nowhere/tensorflow.whl')
    await dialog.getByRole('button', { name: 'Add it' }).click()
    await dialog.getByText(process.platform === 'linux' ? 'There is no file /nowhere/tensorflow.whl.' : 'built on Linux alone').waitFor()
    expect(await accessibilityProblems(lab.page)).toEqual([])
    expect(lab.complaints).toEqual([])
  })
})
