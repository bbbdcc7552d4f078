import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { spawn } from 'node:child_process'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { openEventLog, readEvents, type EventBody } from '../../main/base/run-folder/events.ts'
import { changeAppRecord, readAppRecord, writeAppRecord } from '../../main/app/runs/app-record.ts'
import { acquireRunLock, identify, isRunning, lockOwner } from '../../main/base/run-folder/lock.ts'
import { readControl, writeControl } from '../../main/base/run-folder/control.ts'
import { readTail } from '../../main/base/files/tail.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { writeRunFile } from '../../main/base/run-folder/run-file.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'run-dir-ä '))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const BODIES: readonly EventBody[] = [
  { type: 'phase', phase: 'loading', done: null, total: null },
  { type: 'fact', facts: { text: 'Grüße, 世界 🙂', count: 3 } },
  { type: 'metrics', columns: { step: [1, 2], loss: [0.5, null] } },
]

describe('event log', () => {
  test('numbers events and reads them back from any line start', () => {
    const log = openEventLog(folder)
    for (const body of BODIES) log.append(body)
    log.close()
    const all = readEvents(runPaths(folder).events, 0)
    expect(all.events.map((event) => [event.seq, event.type])).toEqual([
      [1, 'phase'],
      [2, 'fact'],
      [3, 'metrics'],
    ])
    const firstLine = readFileSync(runPaths(folder).events).indexOf(10) + 1
    expect(readEvents(runPaths(folder).events, firstLine).events).toEqual(all.events.slice(1))
    expect(readEvents(runPaths(folder).events, all.offset)).toEqual({ events: [], offset: all.offset, damagedLines: 0 })
  })

  test('a log torn at every byte is read up to its last whole line and written on from there', () => {
    const log = openEventLog(folder)
    for (const body of BODIES) log.append(body)
    log.close()
    const file = runPaths(folder).events
    const bytes = readFileSync(file)
    const lineEnds = [...bytes.entries()].filter(([, byte]) => byte === 10).map(([index]) => index + 1)
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      writeFileSync(file, bytes.subarray(0, cut))
      const whole = lineEnds.filter((end) => end <= cut).length
      const before = readEvents(file, 0)
      expect([cut, before.events.length, before.offset]).toEqual([cut, whole, lineEnds[whole - 1] ?? 0])
      const again = openEventLog(folder)
      expect(again.append({ type: 'phase', phase: 'training', done: 1, total: 2 })).toBe(whole + 1)
      again.close()
      const after = readEvents(file, before.offset)
      expect([cut, after.damagedLines, after.events.map((event) => event.type)]).toEqual([cut, 0, ['phase']])
    }
  })

  test('a follower with any window sees every event once while the file grows in pieces', () => {
    const log = openEventLog(folder)
    for (let step = 0; step < 20; step += 1)
      log.append({ type: 'metrics', columns: { step: [step], text: [step / 3] } })
    log.close()
    const file = runPaths(folder).events
    const bytes = readFileSync(file)
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 300 }),
        (cuts, window) => {
          const seen: number[] = []
          let offset = 0
          for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
            writeFileSync(file, bytes.subarray(0, cut))
            for (let last = -1; last !== offset;) {
              last = offset
              const batch = readEvents(file, offset, window)
              seen.push(...batch.events.map((event) => event.seq))
              offset = batch.offset
            }
          }
          expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('a damaged line in the middle is counted and skipped', () => {
    const log = openEventLog(folder)
    log.append(BODIES[0]!)
    log.close()
    appendFileSync(runPaths(folder).events, '\0\0\0{"seq":\n{"seq":2,"atMs":1,"type":"later-version"}\n')
    const again = openEventLog(folder)
    expect(again.append(BODIES[1]!)).toBe(2)
    again.close()
    const batch = readEvents(runPaths(folder).events, 0)
    expect([batch.damagedLines, batch.events.map((event) => event.seq)]).toEqual([2, [1, 2]])
  })

  test('there is nothing to read before the first event', () => {
    expect(readEvents(runPaths(folder).events, 0)).toEqual({ events: [], offset: 0, damagedLines: 0 })
  })
})

describe('control', () => {
  test('commands are numbered and the last one stands', () => {
    expect(readControl(folder)).toBeNull()
    writeControl(folder, 'checkpoint')
    writeControl(folder, 'stop')
    expect(readControl(folder)).toEqual({ seq: 2, command: 'stop' })
  })

  test('an atomic write leaves no other file behind', () => {
    const file = path.join(folder, 'x.json')
    writeRunFile(file, 'one')
    writeRunFile(file, new Uint8Array([50]))
    expect(readFileSync(file, 'utf8')).toBe('2')
    expect(() => writeRunFile(path.join(folder, 'none', 'x'), 'y')).toThrow(/ENOENT/)
  })
})

describe('tail', () => {
  test('gives the last lines, also of a file longer than it reads', () => {
    const file = path.join(folder, 'log.txt')
    expect(readTail(file, 3)).toEqual([])
    writeFileSync(file, Array.from({ length: 30_000 }, (_, line) => `line ${line}\n`).join(''))
    expect(readTail(file, 2)).toEqual(['line 29998', 'line 29999'])
    truncateSync(file, 6)
    expect(readTail(file, 5)).toEqual(['line 0'])
  })
})

describe('lock', () => {
  test('one process holds a folder; the second is refused', () => {
    const release = acquireRunLock(folder)
    expect(lockOwner(folder)?.pid).toBe(process.pid)
    expect(() => acquireRunLock(folder)).toThrow(AppError)
    release()
    expect(lockOwner(folder)).toBeNull()
    acquireRunLock(folder)()
  })

  test('a lock whose process is gone, or whose number belongs to another process now, is taken over', async () => {
    const child = spawn(process.execPath, ['-e', '0'])
    await new Promise((resolve) => child.once('exit', resolve))
    for (const stale of [{ pid: child.pid, started: 'x' }, { pid: process.pid, started: 'another boot:1' }, 'torn']) {
      writeFileSync(runPaths(folder).lock, JSON.stringify(stale).slice(0, stale === 'torn' ? 3 : undefined))
      expect(lockOwner(folder)).toBeNull()
      acquireRunLock(folder)()
    }
  })

  test('a living process is told from a dead one', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'])
    const identity = identify(child.pid!)!
    expect([identity.pid, isRunning(identity), isRunning({ ...identity, started: 'else' })]).toEqual([
      child.pid,
      true,
      false,
    ])
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(isRunning(identity)).toBe(false)
  })
})

test('a damaged record of the app counts as none, and the next change writes it anew', () => {
  const run = { methodName: 'SFT', mainMetric: null, note: 'kept' }
  writeAppRecord(folder, { ...run, ended: null })
  const file = path.join(folder, 'app.json')
  for (const text of ['{"methodName":"SF', '', '[]', '{"methodName":3}']) {
    writeFileSync(file, text)
    expect(readAppRecord(folder)).toBeNull()
    changeAppRecord(folder, run, { note: 'new' })
    expect(readAppRecord(folder)).toMatchObject({ methodName: 'SFT', note: 'new' })
  }
})

test('a damaged command is none, and the next one is numbered after whatever the trainer has obeyed', () => {
  const last = writeControl(folder, 'checkpoint')
  for (const text of ['{"seq":1,"comm', '', '{"seq":"x","command":"stop"}', '{"seq":2,"command":"fly"}', 'null']) {
    writeFileSync(runPaths(folder).control, text)
    expect(readControl(folder)).toBeNull()
    const next = writeControl(folder, 'stop')
    expect(next.seq).toBeGreaterThan(last.seq)
    expect(readControl(folder)).toEqual(next)
  }
})
