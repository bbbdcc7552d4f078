import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findReader } from '../../main/app/find-programs.ts'
import { createReader, defaultLimits, type Reader } from '../../main/app/reading/reader.ts'
import { makeApp, waitUntil } from '../support/make-app.ts'

const here = import.meta.dirname
const hanging = path.join(here, '../support/hanging-reader.ts')
let folder: string
let reader: Reader | null = null
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab reader ü '))
})
afterEach(async () => {
  await reader?.close()
  reader = null
  rmSync(folder, { recursive: true, force: true })
})

const at = (name: string): string => path.join(folder, name)
const options = { mapping: null, limit: 5 }

function writeRows(rows: number): string {
  writeFileSync(
    at('pairs.jsonl'),
    Array.from(
      { length: rows },
      (_, row) => `${JSON.stringify({ prompt: `p${row}`, chosen: 'yes', rejected: 'no', ['__proto__']: row })}\n`,
    ).join(''),
  )
  return at('pairs.jsonl')
}

test('what a file holds comes over whole, and errors keep their words', async () => {
  reader = createReader(findReader())
  const file = writeRows(2500)
  const [inspection, failed] = await Promise.all([
    reader.ask('inspect', { path: file, options }),
    reader.ask('inspect', { path: at('none'), options }).catch((error: unknown) => error),
  ])
  expect(inspection.rows.length).toBe(5)
  expect(failed).toMatchObject({
    name: 'AppError',
    code: 'file-not-found',
    message: `There is no file at ${at('none')}.`,
  })
  const sizes: number[] = []
  let records = ''
  for await (const piece of reader.stream('pairs', { path: file, mapping: inspection.mapping })) {
    sizes.push(piece.rows)
    records += piece.records
  }
  expect([sizes, records.trim().split('\n').length]).toEqual([[1000, 1000, 500], 2500])
})

test('a file that takes more memory than there may be ends its reader alone, and is named', async () => {
  reader = createReader(findReader(), { ...defaultLimits(), memoryBytes: 200 * 2 ** 20 })
  cpSync(path.join(here, '../golden/models/llama_gqa_untied'), at('model'), { recursive: true })
  writeFileSync(
    path.join(at('model'), 'tokenizer.json'),
    `{"model":{"vocab":{${Array.from({ length: 1_500_000 }, (_, token) => `"t${token}":${token}`).join(',')}}}}`,
  )
  await expect(reader.ask('model', { folder: at('model') })).rejects.toMatchObject({
    code: 'out-of-memory',
    message: `Reading ${at('model')} was ended: it took more than 210 MB of memory.`,
    hint: expect.stringContaining('divide it'),
  })
  expect((await reader.ask('inspect', { path: writeRows(3), options })).rows.length).toBe(3)
})

test('a file that keeps its reader busy without end is given up', async () => {
  reader = createReader({ execPath: process.execPath, args: [hanging] }, { ...defaultLimits(), silentMs: 1000 })
  await expect(reader.ask('inspect', { path: '/some/file', options })).rejects.toMatchObject({
    code: 'input-invalid',
    message: 'Reading /some/file was ended: something in it kept the reader busy for more than 1 seconds.',
  })
})

test('reading ends when it is cancelled, even in the middle of a loop', async () => {
  reader = createReader({ execPath: process.execPath, args: [hanging] })
  const abort = new AbortController()
  const asked = reader.ask('inspect', { path: 'file', options }, { signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(asked).rejects.toThrow('enough')
})

test.skipIf(process.platform === 'win32')(
  'no reader outlives the app, not even one that is caught in a loop',
  async () => {
    const app = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `
    import { startReader } from ${JSON.stringify(path.join(here, '../../main/app/reading/reader-process.ts'))}
    const made = startReader({ execPath: process.execPath, args: [${JSON.stringify(hanging)}] }, { memoryBytes: 2 ** 31, silentMs: 600_000 })
    console.log(made.pid)
    made.run('inspect', {}, { subject: '' }).next()
  `,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [said] = (await once(app.stdout, 'data')) as [Buffer]
    const pid = Number(said.toString())
    await new Promise((resolve) => setTimeout(resolve, 1500)) // it has begun to loop
    const isThere = (): boolean => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    }
    expect(isThere()).toBe(true)
    app.kill('SIGKILL')
    await waitUntil('the reader to be gone', () => !isThere())
  },
)

test('the app asks it for every file and folder that a person gives', async () => {
  const made = await makeApp()
  try {
    const { client } = made
    const device = '/dev/zero'
    const answers = await Promise.all(
      [
        client.call('datasets.inspect', { path: device }),
        client.call('datasets.import', { path: device }),
        client.call('texts.import', { path: device }),
        client.call('segments.import', { path: device, name: 'x', world: null }),
        client.call('rankings.import', { path: device }),
        client
          .call('models.inspect', { path: device })
          .then(({ problems }) =>
            Promise.reject(Object.assign(new Error(problems[0]!.message), { code: 'input-invalid' })),
          ),
      ].map((call) =>
        call.then(
          () => 'accepted',
          (error: { code: string; message: string }) => `${error.code} ${error.message}`,
        ),
      ),
    )
    for (const answer of answers)
      expect(answer).toMatch(/^(input-invalid|file-not-found) .*\/dev\/zero is (a device|a file)/)
  } finally {
    await made.end()
  }
})
