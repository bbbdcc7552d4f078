import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessibilityProblems, chromiumPath, openLab, type Lab } from './support.ts'

let lab: Lab

describe.skipIf(chromiumPath === null)('Settings → Compute in the browser', () => {
  const before = process.env['PAIRLAB_ENGINES']
  beforeAll(async () => {
    delete process.env['PAIRLAB_ENGINES']
    lab = await openLab()
  })
  afterAll(async () => {
    await lab.end()
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

  test('adding TensorFlow asks pip only after a yes, and takes no wheel from a browser’s page', async () => {
    await lab.open('/settings')
    await lab.page.getByRole('button', { name: 'Add …' }).click()
    const dialog = lab.page.getByRole('dialog', { name: 'Add TensorFlow' })
    await dialog.getByLabel('A wheel file').check()
    const add = dialog.getByRole('button', { name: 'Add it' })
    expect(await add.isDisabled()).toBe(true)
    await dialog.getByText('In a terminal:').waitFor()
    await dialog.getByLabel('The package index').check()
    expect(await add.isDisabled()).toBe(true)
    await dialog.getByLabel('Yes, let pip connect').check()
    expect(await add.isDisabled()).toBe(false)
    expect(await accessibilityProblems(lab.page)).toEqual([])
    expect(lab.complaints).toEqual([])
  })
})
