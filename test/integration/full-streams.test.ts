import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cliPath } from '../support/cli.ts'

let dataFolder: string
beforeAll(() => {
  dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab-full-'))
})
afterAll(() => rmSync(dataFolder, { recursive: true, force: true }))

/** Where standard output and standard error go: `full` is a file on a full disk, `closed` a pipe whose reader has left. */
function run(
  words: readonly string[],
  out: 'full' | 'pipe',
  error: 'full' | 'closed',
): Promise<{ readonly status: number | null; readonly stdout: string }> {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [cliPath, ...words, '--data-dir', dataFolder], {
    stdio: ['ignore', out === 'full' ? full : 'pipe', error === 'full' ? full : 'pipe'],
  })
  closeSync(full)
  child.stderr?.destroy()
  let stdout = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout }))
  })
}

test.skipIf(process.platform !== 'linux')(
  'a command outlives a full disk and a closed pipe behind its streams',
  async () => {
    expect(await run(['data'], 'full', 'full')).toEqual({ status: 7, stdout: '' })
    // What it has to say on standard error is lost; its status is not.
    for (const error of ['full', 'closed'] as const) {
      expect(await run(['inspect', path.join(dataFolder, 'none.jsonl')], 'pipe', error)).toEqual({
        status: 4,
        stdout: '',
      })
    }
  },
)
