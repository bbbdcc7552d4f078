import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serve, type Host } from '../../main/doors/headless/serve.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'

const IDLE_MS = 1500
let made: TestApp
let host: Host

beforeAll(async () => {
  made = await makeApp()
  host = await serve({ app: made.app, rendererFolder: null, idleMs: IDLE_MS })
})
afterAll(async () => {
  await host.close()
  await made.end()
})

/** Sends the pieces with a pause before each, and never ends where `ends` is false. */
function send(
  target: string,
  method: string,
  pieces: readonly string[],
  { pauseMs, ends }: { readonly pauseMs: number; readonly ends: boolean },
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: host.port,
        path: target,
        method,
        headers: { authorization: `Bearer ${host.token}`, 'transfer-encoding': 'chunked' },
      },
      (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      },
    )
    request.on('error', reject)
    request.flushHeaders()
    void (async () => {
      for (const piece of pieces) {
        await new Promise((next) => setTimeout(next, pauseMs))
        request.write(piece)
      }
      if (ends) request.end()
    })()
  })
}

test('an upload may take as long as it likes while bytes flow', async () => {
  const pieces = Array.from({ length: 12 }, (_one, at) => `piece ${at}\n`)
  const { status, body } = await send('/upload?name=slow.jsonl', 'PUT', pieces, { pauseMs: IDLE_MS / 6, ends: true }) // twice the limit in all
  expect(status).toBe(200)
  expect(readFileSync((JSON.parse(body) as { path: string }).path, 'utf8')).toBe(pieces.join(''))
})

test.each([
  ['an upload', '/upload?name=silent.jsonl', 'PUT'],
  ['a call', '/call/settings.get', 'POST'],
])('%s of which nothing comes any more is given up, with the reason', async (_what, target, method) => {
  const { status, body } = await send(target, method, ['{'], { pauseMs: 1, ends: false })
  expect([status, JSON.parse(body)]).toEqual([
    408,
    { ok: false, error: expect.objectContaining({ code: 'input-invalid', hint: 'Send it again.' }) },
  ])
})
