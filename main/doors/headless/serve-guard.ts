import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, toWire, type ErrorCode } from '../../../shared/errors.ts'

export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const

/** Equal in constant time, so that the token cannot be guessed letter by letter. */
export function sameToken(given: string, wanted: string): boolean {
  const one = Buffer.from(given)
  const two = Buffer.from(wanted)
  return one.length === two.length && timingSafeEqual(one, two)
}

/** A page elsewhere may resolve its own name to 127.0.0.1; the Host and Origin headers still carry that name. */
export function comesFromUs(request: IncomingMessage, port: number): boolean {
  const ours = [`127.0.0.1:${port}`, `localhost:${port}`]
  const { host, origin } = request.headers
  if (host === undefined || !ours.includes(host)) return false
  return origin === undefined || ours.some((name) => origin === `http://${name}`)
}

export function bearerToken(request: IncomingMessage): string {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
}

/** A browser lets a page set no header of a WebSocket but its protocols: the key is the second of them. */
export const SOCKET_PROTOCOL = 'pairlab'
const KEY_PROTOCOL = 'key.'

export function socketToken(request: IncomingMessage): string {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim())
  return offered.find((one) => one.startsWith(KEY_PROTOCOL))?.slice(KEY_PROTOCOL.length) ?? ''
}

/** What to do where a page has no key. */
export const ASK_FOR_ADDRESS = 'Run "pairlab serve --open": it opens the page of the app that runs, with a fresh code.'

export function answer(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return
  response.writeHead(status, { ...SAFE_HEADERS, ...headers })
  response.end(body)
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  answer(response, status, JSON.stringify(body), {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  })
}

/** Every refusal is a Reply, so that a client has one kind of answer to read. */
export function refuse(response: ServerResponse, status: number, code: ErrorCode, message: string, hint: string): void {
  answerJson(response, status, { ok: false, error: toWire(new AppError({ code, message, hint })) })
}

/** Gives up a body of which nothing comes for too long. While bytes flow there is no limit, and none on the wait for the answer. */
export function limitSilence(request: IncomingMessage, response: ServerResponse, idleMs: number): void {
  request.setTimeout(idleMs, () => {
    if (!response.headersSent) response.setHeader('connection', 'close')
    response.once('finish', () => request.destroy())
    refuse(response, 408, 'input-invalid', `Nothing came for ${Math.round(idleMs / 1000)} s.`, 'Send it again.')
  })
  request.once('end', () => request.setTimeout(0))
}

/**
 * The body as text.
 * @throws AppError `too-large` as soon as that is known, without reading the rest; the connection stays for the answer
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<string> {
  const tooLarge = new AppError({
    code: 'too-large',
    message: `The request is larger than ${limitBytes} bytes.`,
    hint: 'Send files through upload, not in a call.',
  })
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) return reject(tooLarge)
    const chunks: Buffer[] = []
    let sizeBytes = 0
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes <= limitBytes) return void chunks.push(chunk)
      request.pause()
      reject(tooLarge)
    })
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.on('error', reject)
  })
}
