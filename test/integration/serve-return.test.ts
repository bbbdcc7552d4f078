import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { serve, type Host } from '../../main/doors/headless/serve.ts'
import { keep, newSecret, proofOf, readKept } from '../../main/doors/headless/serve-return.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'

const returnSecret = newSecret()
let made: TestApp
let host: Host

beforeAll(async () => {
  made = await makeApp()
  host = await serve({ app: made.app, rendererFolder: null, returnSecret })
})
afterAll(async () => {
  await host.close()
  await made.end()
})

const key = (): Record<string, string> => ({ authorization: `Bearer ${host.token}` })

/** fetch() would not send another Origin. */
function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: host.port, path, method: 'POST', headers }, (response) => {
      text(response).then((answer) => resolve(JSON.parse(answer)), reject)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}

test('gives its key to a page that knew the host before, once for each number drawn, and shows itself first', async () => {
  expect(await post('/remember', '')).toMatchObject({ ok: false })
  expect(await post('/remember', '', key())).toEqual({ ok: true, value: { secret: returnSecret } })
  const nonce = 'drawn by the page'
  const draw = async (): Promise<string> => {
    const { value } = (await post('/greet', { nonce })) as { value: { proof: string; nonce: string } }
    expect(value.proof).toBe(proofOf(returnSecret, 'host', host.port, nonce))
    return value.nonce
  }
  for (const strange of [
    '',
    { nonce: 'short' },
    { nonce: 'x'.repeat(200) },
    { nonce, more: 1 },
    null,
    'x'.repeat(3000),
  ])
    expect(await post('/greet', strange)).toMatchObject({ ok: false })
  const drawn = await draw()
  const proof = proofOf(returnSecret, 'page', host.port, drawn)
  expect(await post('/return', { nonce: drawn, proof }, { origin: 'https://evil.example' })).toMatchObject({
    ok: false,
  })
  expect(await post('/return', { nonce: drawn, proof })).toEqual({ ok: true, value: { key: host.token } })
  expect(await post('/return', { nonce: drawn, proof })).toMatchObject({ ok: false })
  const wrong = [
    (of: string) => proofOf(returnSecret, 'host', host.port, of), // what the host itself says, sent back
    (of: string) => proofOf(returnSecret, 'page', host.port + 1, of), // of another port, passed on
    (of: string) => proofOf(newSecret(), 'page', host.port, of),
    () => proof,
    () => '',
  ]
  for (const make of wrong) {
    const next = await draw()
    expect(await post('/return', { nonce: next, proof: make(next) })).toMatchObject({ ok: false })
  }
  const own = 'never drawn by the host'
  expect(await post('/return', { nonce: own, proof: proofOf(returnSecret, 'page', host.port, own) })).toMatchObject({
    ok: false,
  })
})

test('what is kept of a folder is found again; of one that is gone it goes, and nothing strange is touched', () => {
  const config = mkdtempSync(path.join(tmpdir(), 'pairlab config ü '))
  vi.stubEnv('PAIRLAB_CONFIG', config)
  try {
    const pages = path.join(config, 'pages')
    mkdirSync(path.join(pages, 'a folder.json'), { recursive: true })
    writeFileSync(path.join(pages, 'b.json'), '{"broken')
    const gone = path.join(config, 'gone')
    mkdirSync(gone)
    const one = { folder: gone, secret: newSecret(), port: 4000 }
    keep(one)
    expect(readKept(gone)).toEqual(one)
    rmSync(gone, { recursive: true })
    const own = { folder: config, secret: newSecret(), port: 4001 }
    keep(own)
    expect([readKept(config), readKept(gone)]).toEqual([own, null])
    expect(existsSync(path.join(pages, 'a folder.json'))).toBe(true)
    expect(readFileSync(path.join(pages, 'b.json'), 'utf8')).toBe('{"broken')
    // A place that cannot be written keeps nothing, and nobody from starting.
    vi.stubEnv('PAIRLAB_CONFIG', path.join(pages, 'b.json'))
    keep(own)
    expect(readKept(config)).toBeNull()
  } finally {
    vi.unstubAllEnvs()
    rmSync(config, { recursive: true, force: true })
  }
})
