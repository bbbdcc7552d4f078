import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

// Packs over a stand-in distribution; package-check.mjs compares the archive's contents, reads the fuses back and starts
// the packed code in plain Node.
it.skipIf(process.platform !== 'linux')(
  'packs what runs and nothing else, and what is packed starts',
  () => {
    const result = spawnSync(process.execPath, [path.join(root, 'main/doors/launch/package.mjs'), '--stand-in'], {
      cwd: root,
      encoding: 'utf8',
      timeout: 240_000,
    })
    const output = result.stdout + result.stderr
    expect(output).toContain('entries, all expected')
    expect(output).toContain('fuses: 7 read back as configured')
    expect(output).toContain('host started in plain Node')
    expect(result.status).toBe(0)
  },
  250_000,
)
