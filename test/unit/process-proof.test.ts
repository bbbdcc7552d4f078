import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { signalTrainer } from '../../main/app/runs/executors/local.ts'
import { identify, lockOwner } from '../../main/base/run-folder/lock.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'

test('a signal is sent to a process that is proved by number and start, and to no other', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
  const pid = child.pid!
  const real = identify(pid)!
  const strangers = [
    '',
    '0',
    `${real.started}0`,
    real.started.replace(/^./, 'x'),
    `another-boot:${real.started.split(':')[1]}`,
    '9999999999',
  ]
  for (const started of strangers)
    expect([started, signalTrainer({ pid, started }, 'SIGKILL')]).toEqual([started, false])
  // Not to ourselves, and not to what a number means that is none: 0 and negative ones are whole groups.
  for (const own of [identify(process.pid)!, { ...real, pid: 0 }, { ...real, pid: 1 }, { ...real, pid: -pid }])
    expect(signalTrainer(own, 'SIGKILL')).toBe(false)
  expect(child.exitCode ?? child.signalCode).toBeNull()
  expect(signalTrainer(real, 'SIGKILL')).toBe(true)
  expect(await ended).toBe('SIGKILL')
})

test.skipIf(process.platform !== 'linux')("a lock whose process cannot be told is nobody's", () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-lock-'))
  try {
    for (const text of [
      '',
      '{}',
      '[]',
      'null',
      JSON.stringify({ pid: process.pid, started: '' }),
      JSON.stringify({ pid: 0, started: '' }),
      JSON.stringify({ pid: -1, started: 'x' }),
      JSON.stringify({ pid: process.ppid, started: 'later' }),
    ]) {
      writeFileSync(runPaths(folder).lock, text)
      expect([text, lockOwner(folder)]).toEqual([text, null])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
