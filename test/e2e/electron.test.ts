import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { _electron } from 'playwright'
import { expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const folder = path.join(root, 'node_modules/electron')

/** The binary, where it was downloaded and there is a display to open a window on. */
function findElectron(): string | null {
  const pathFile = path.join(folder, 'path.txt')
  if (!existsSync(pathFile)) return null
  const binary = path.join(folder, 'dist', readFileSync(pathFile, 'utf8'))
  const hasDisplay =
    process.platform !== 'linux' || process.env['DISPLAY'] !== undefined || process.env['WAYLAND_DISPLAY'] !== undefined
  return existsSync(binary) && hasDisplay ? binary : null
}

const executablePath = findElectron()
const why = executablePath === null ? ' (skipped: no Electron binary or no display)' : ''

it.skipIf(executablePath === null)(`opens the desktop window on the real Electron${why}`, async () => {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab-electron-'))
  const app = await _electron.launch({
    executablePath: executablePath ?? '',
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), root],
    env: { ...process.env, PAIRLAB_DATA: dataFolder } as Record<string, string>,
  })
  try {
    const page = await app.firstWindow()
    await page.getByRole('heading', { name: 'Pairlab' }).waitFor()
    expect(page.url()).toBe('app://pairlab/index.html')
    expect(await page.evaluate(() => typeof (globalThis as { require?: unknown }).require)).toBe('undefined')
  } finally {
    await app.close()
    rmSync(dataFolder, { recursive: true, force: true })
  }
})
