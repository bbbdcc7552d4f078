import { mkdirSync } from 'node:fs'
import { openLab, buildPage, importSample } from '../e2e/support.ts'
const out = '/tmp/engines-shots'
mkdirSync(out, { recursive: true })
process.env['PAIRLAB_ENGINES'] = process.env['SHOT_ENGINES'] ?? ''
const lab = await openLab(await buildPage())
await importSample(lab.client)
const shot = async (name: string): Promise<void> => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await lab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await lab.page.waitForTimeout(400)
    await lab.page.screenshot({ path: `${out}/${name}-${colorScheme}.png` })
  }
}
await lab.open('/settings'); await lab.page.waitForTimeout(800)
await shot('settings-untested')
await lab.page.getByRole('button', { name: 'Test all' }).click()
await lab.page.waitForTimeout(5000)
await shot('settings-testing')
while ((await lab.client.call('engines.list', {})).job?.state === 'running') await lab.page.waitForTimeout(500)
await shot('settings-tested')
await lab.page.getByRole('button', { name: 'Add …' }).click().catch(() => undefined)
await lab.page.getByLabel('A wheel file').check().catch(() => undefined)
await shot('settings-add')
await lab.page.getByLabel('Path of the wheel').fill('/nowhere/tensorflow.whl')
await lab.page.getByRole('button', { name: 'Add it' }).click()
await lab.page.waitForTimeout(1500)
await shot('settings-add-failed')
await lab.open('/train'); await lab.page.waitForTimeout(9000)
await lab.page.getByLabel('Engine', { exact: true }).scrollIntoViewIfNeeded()
await shot('train')
console.log(lab.complaints)
await lab.end()
process.exit(0)
