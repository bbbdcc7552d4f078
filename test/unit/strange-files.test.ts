import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { inspectFile } from '../../main/core/formats/inspect.ts'
import { openRows } from '../../main/core/formats/readers.ts'
import { openRegularFile, readFileHead, readWholeFile } from '../../main/base/files/regular-file.ts'
import { openAnyModel } from '../../main/core/models/folder.ts'

const golden = path.resolve(import.meta.dirname, '../golden/models/llama_gqa_untied')
let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab-strange-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => path.join(folder, name)

async function failure(work: () => unknown): Promise<AppError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** A named pipe nobody writes into: opening it the plain way waits for ever. */
function pipe(name: string): string {
  execFileSync('mkfifo', [at(name)])
  return at(name)
}

describe.skipIf(process.platform === 'win32')('what only looks like a file', () => {
  it('is refused unopened, by whichever reader', async () => {
    mkdirSync(at('folder'))
    symlinkSync(at('circle'), at('circle'))
    symlinkSync('/dev/zero', at('zero'))
    const server = createServer().listen(at('socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    const expected = {
      [pipe('pipe')]: /a named pipe/,
      [at('zero')]: /a device/,
      [at('socket')]: /a socket/,
      [at('folder')]: /a folder/,
      [at('circle')]: /leads back to itself/,
      [at('none')]: /no file at/,
      [at('a\0b')]: /can be no file/,
    }
    const readers: ((file: string) => unknown)[] = [
      openRegularFile,
      (file) => readWholeFile(file, 10),
      (file) => readFileHead(file, 10),
      (file) => inspectFile(file, { mapping: null, limit: 5 }),
      (file) => openRows(file, { format: 'jsonl' }),
    ]
    for (const [file, said] of Object.entries(expected))
      for (const reader of readers) expect((await failure(() => reader(file))).message).toMatch(said)
    server.close()
  })

  it('is refused inside the folder of a model', async () => {
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors', 'chat_template.jinja']) {
      const model = at(`model of ${name}`)
      cpSync(golden, model, { recursive: true })
      rmSync(path.join(model, name), { force: true })
      pipe(`model of ${name}/${name}`)
      expect((await failure(() => openAnyModel(model))).message).toMatch(/a named pipe/)
    }
  })
})

describe('a model folder that claims or holds too much', () => {
  const model = (change: (folder: string) => void): string => {
    cpSync(golden, at('model'), { recursive: true })
    change(at('model'))
    return at('model')
  }
  const config = (change: object): string =>
    model((target) =>
      writeFileSync(
        path.join(target, 'config.json'),
        JSON.stringify({
          ...(JSON.parse(readFileSync(path.join(golden, 'config.json'), 'utf8')) as object),
          ...change,
        }),
      ),
    )

  it.each([
    ['num_hidden_layers', 1_000_000],
    ['hidden_size', 1e12],
    ['vocab_size', 1e12],
    ['num_attention_heads', 1e9],
    ['intermediate_size', 2 ** 40],
    ['num_hidden_layers', -1],
    ['num_hidden_layers', '12'],
    ['num_hidden_layers', null],
  ])('refuses %s %s before a layer is named', async (field, value) => {
    const error = await failure(() => openAnyModel(config({ [field]: value })))
    expect([error.code, error.message]).toEqual([
      'model-unsupported',
      expect.stringContaining(`config.json: it cannot be used: ${field}`),
    ])
  })

  it('reads no file beyond what one of its kind can have', async () => {
    for (const [name, size] of [
      ['tokenizer.json', 150_000_000],
      ['config.json', 17_000_000],
      ['chat_template.jinja', 2_000_000],
    ] as const) {
      const error = await failure(() =>
        openAnyModel(
          model((target) => {
            writeFileSync(path.join(target, name), '{')
            truncateSync(path.join(target, name), size) // sparse: takes no room
          }),
        ),
      )
      expect([error.code, error.message]).toEqual([
        'too-large',
        expect.stringMatching(new RegExp(`${name.replace('.', '\\.')} has .* is read up to`)),
      ])
      rmSync(at('model'), { recursive: true })
    }
  })

  it('shows the beginning of an endless licence, and finds the one of a page without search by pattern', () => {
    const long = openAnyModel(
      model((target) => {
        writeFileSync(path.join(target, 'LICENSE'), 'Apache')
        truncateSync(path.join(target, 'LICENSE'), 600_000_000)
      }),
    )
    long.close()
    expect(long.licence!.text.length).toBeLessThan(300_000)
    rmSync(path.join(at('model'), 'LICENSE'))
    const page = (text: string): string | null => {
      writeFileSync(path.join(at('model'), 'README.md'), text)
      const opened = openAnyModel(at('model'))
      opened.close()
      return opened.licence?.text ?? null
    }
    expect(page(`---\nlicense:${' '.repeat(200_000)}`)).toBeNull()
    expect(page(`---\n${'license: \n'.repeat(20_000)}---\n`)).toBeNull()
    expect(page('---\r\ntags: [a]\r\nlicense:  mit \r\n---\r\nlicense: other\r\n')).toBe('mit')
    expect(page('# no front matter\nlicense: mit\n')).toBeNull()
  })

  it('believes no header of weights', async () => {
    for (const claim of [2n ** 63n, 2n ** 40n, 99_000_000n]) {
      const error = await failure(() =>
        openAnyModel(
          model((target) => {
            const head = Buffer.alloc(16)
            head.writeBigUInt64LE(claim)
            writeFileSync(path.join(target, 'model.safetensors'), head)
            truncateSync(path.join(target, 'model.safetensors'), 100_000_000)
          }),
        ),
      )
      expect([error.code, error.message]).toEqual(['model-unsupported', expect.stringContaining('its header claims')])
    }
  })
})

describe('a compressed file', () => {
  it('is unpacked no further than a preview looks', async () => {
    // 64 MB of blanks in 64 kB, ten times: gzip members may stand one after the other.
    const blanks = gzipSync(Buffer.alloc(64 * 2 ** 20, ' '))
    writeFileSync(at('blanks.jsonl.gz'), Buffer.concat(Array.from({ length: 10 }, () => blanks)))
    const before = process.memoryUsage().rss
    const error = await failure(() => inspectFile(at('blanks.jsonl.gz'), { mapping: null, limit: 5 }))
    expect(error.code).toBe('dataset-invalid')
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6)
  })
})
