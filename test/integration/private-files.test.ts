import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApp } from '../../main/app/app.ts'
import { inProcess } from '../../shared/rpc.ts'
import { lockFolder } from '../../main/app/store/open-lock.ts'
import { importTiny, tinyRequest, waitForState } from '../support/tiny-app.ts'

let folder: string
let before: number
beforeEach(() => {
  before = process.umask(0o022) // as most systems set it
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab private '))
})
afterEach(() => {
  process.umask(before)
  rmSync(folder, { recursive: true, force: true })
})

const modeOf = (file: string): number => statSync(file).mode & 0o777

/** What others may look into, below and including the folder. */
function open(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => path.join(root, name))
  return [root, ...entries].filter((file) => (modeOf(file) & 0o077) !== 0)
}

describe.skipIf(process.platform === 'win32')('the data folder', () => {
  it('is its owner’s alone, with all that is written below it: database, records, runs, checkpoints, exports, log', async () => {
    const dataFolder = path.join(folder, 'new/data')
    const app = await createApp({ dataFolder })
    const client = inProcess(app.handlers)
    const datasetId = await importTiny(client, folder)
    const {
      runIds: [runId],
    } = await client.call('runs.start', { request: tinyRequest(datasetId) })
    await waitForState(client, runId!, ['finished', 'failed'])
    await client.call('datasets.export', { datasetId: datasetId as never, format: 'pairs-with-labels' })
    expect(open(dataFolder)).toEqual([]) // while the write-ahead log and the locks are there
    const names = readdirSync(dataFolder, { recursive: true, encoding: 'utf8' })
    for (const kind of [
      /app\.sqlite-wal$/,
      /app\.lock$/,
      /records\.jsonl$/,
      /checkpoints.*safetensors$/,
      /exports.+jsonl$/,
      /events\.jsonl$/,
      /log\.txt$/,
    ])
      expect(names.some((name) => kind.test(name))).toBe(true)
    await app.close()
    expect(open(dataFolder)).toEqual([])
  })

  it('is closed where an earlier version left it open, and that is said once', async () => {
    const dataFolder = path.join(folder, 'data')
    await (await createApp({ dataFolder })).close()
    chmodSync(dataFolder, 0o755)
    chmodSync(path.join(dataFolder, 'app.lock'), 0o644)
    for (let start = 0; start < 2; start += 1) await (await createApp({ dataFolder })).close()
    expect([modeOf(dataFolder), modeOf(path.join(dataFolder, 'app.lock'))]).toEqual([0o700, 0o600])
    expect(readFileSync(path.join(dataFolder, 'app.log'), 'utf8').match(/is yours alone now/g)).toHaveLength(1)
  })

  it('stays as it is where it holds more than Pairlab’s data or is shared on purpose; the files are private all the same', async () => {
    for (const [name, mode] of [
      ['project', 0o755],
      ['team', 0o2775],
    ] as const) {
      const dataFolder = path.join(folder, name)
      mkdirSync(dataFolder)
      if (name === 'project') writeFileSync(path.join(dataFolder, 'thesis.tex'), '')
      chmodSync(dataFolder, mode)
      await (await createApp({ dataFolder })).close()
      expect(statSync(dataFolder).mode & 0o7777).toBe(mode)
      expect(open(dataFolder).filter((file) => file !== dataFolder && !file.endsWith('thesis.tex'))).toEqual([])
    }
  })
})

describe('the lock of the data folder', () => {
  it.skipIf(!existsSync('/proc/locks'))('says which program holds it, where that is no Pairlab', async () => {
    lockFolder(folder).release()
    const reader = `const D = require('better-sqlite3'); const d = new D(process.argv[1]); d.exec('BEGIN'); d.prepare('SELECT count(*) FROM sqlite_master').get(); console.log('held'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['-e', reader, path.join(folder, 'app.lock')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: path.resolve(import.meta.dirname, '../..'),
    })
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve))
      expect(() => lockFolder(folder)).toThrow(`(process ${child.pid}) holds a lock on`)
    } finally {
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('close', resolve))
    }
    lockFolder(folder).release()
  })
})
