import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readWindowState } from '../../main/doors/electron/window-state.ts'

test('a window opens where it was, and as at first where nothing sensible is known of that', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-window-'))
  const file = path.join(folder, 'window.json')
  const read = (text: string) => {
    writeFileSync(file, text)
    return readWindowState(file)
  }
  try {
    expect(readWindowState(file)).toBeNull()
    const kept = { x: -1200, y: 40, width: 1440, height: 900, maximized: true }
    expect(read(JSON.stringify(kept))).toEqual(kept)
    expect(read(JSON.stringify({ ...kept, display: 2 }))).toEqual(kept)
    for (const broken of [
      '',
      '{',
      'null',
      '[]',
      '{}',
      JSON.stringify({ ...kept, width: '1440' }),
      JSON.stringify({ ...kept, height: 0 }),
      JSON.stringify({ ...kept, x: null }),
    ])
      expect(read(broken), broken).toBeNull()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
