import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach } from 'vitest'

/** An empty folder for each test of the file, gone after it. Its path is that of the test in hand. */
export function ownFolder(name: string): { readonly path: string } {
  const own = { path: '' }
  beforeEach(() => {
    own.path = mkdtempSync(path.join(tmpdir(), `pairlab ${name} `))
  })
  afterEach(() => rmSync(own.path, { recursive: true, force: true }))
  return own
}
