import { randomBytes } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError, toWire } from '../../../shared/errors.ts'
import { dispatch } from '../../../shared/rpc.ts'
import type { App } from '../../app/app.ts'
import { createServer } from './node-http.ts'
import { followEvents, type EventSockets } from './serve-events.ts'
import { createOneTimeCodes, type OneTimeCodes } from './serve-codes.ts'
import { answerGreeting, answerReturn } from './serve-return.ts'
import {
  answerJson,
  ASK_FOR_ADDRESS,
  bearerToken,
  comesFromUs,
  limitSilence,
  readBody,
  refuse,
  sameToken,
  socketToken,
} from './serve-guard.ts'
import { sendExport, sendPage, takeUpload } from './serve-files.ts'
import { createTraffic, HandingOver, type Traffic } from './traffic.ts'

const LOOPBACK = '127.0.0.1'
const CALL_LIMIT_BYTES = 1024 * 1024
const ENTRY_LIMIT_BYTES = 1024
/** There is no limit while bytes flow. */
const IDLE_MS = 60_000
const HEADERS_MS = 60_000

export interface ServeOptions {
  /** One that is still opening lets its callers wait. */
  readonly app: App | Promise<App>
  /** Folder of the built page; null serves calls and events alone. */
  readonly rendererFolder: string | null
  /** 0 lets the system choose. */
  readonly port?: number
  /** Taken where it is free and `port` leaves the choice. */
  readonly portBefore?: number | null
  readonly token?: string
  /** What pages that are still open know this data folder's hosts by; null: they cannot. */
  readonly returnSecret?: string | null
  /** How long an address may wait to be opened; for tests. */
  readonly codeLifeMs?: number
  /** Counts the calls. Default: one that lets every call in. */
  readonly traffic?: Traffic
  /** Another door asks for the folder; without this it is told that it cannot have it. */
  readonly onHandOver?: () => void
  /** Silence after which an upload or the body of a call is given up. Default: IDLE_MS. */
  readonly idleMs?: number
}

export interface Host {
  readonly port: number
  /** The key of this session: it stands in no address, no argument and no log. */
  readonly token: string
  /** The page's address with a fresh code, good for opening it once, soon. The page changes the code for the key and keeps that for its tab. */
  address(): string
  /** Hangs up on everybody who waits for an answer; new callers are still heard. */
  hangUp(): void
  close(): Promise<void>
}

/** Transport 2: the same handlers over HTTP and a WebSocket, on the loopback interface alone, behind a random key. */
export async function serve(options: ServeOptions): Promise<Host> {
  const {
    rendererFolder,
    onHandOver = null,
    traffic = createTraffic(),
    idleMs = IDLE_MS,
    returnSecret = null,
  } = options
  const token = options.token ?? randomBytes(24).toString('base64url')
  const opening = Promise.resolve(options.app)
  opening.catch(() => undefined) // told to those who ask
  // Node would end every request after five minutes, however busily its bytes arrive.
  const server = createServer({ requestTimeout: 0, headersTimeout: HEADERS_MS })
  await listenOn(server, options.port ?? 0, options.portBefore ?? null)
  const { port } = server.address() as AddressInfo // listening on a port, not a pipe
  const codes = createOneTimeCodes(options.codeLifeMs)
  const drawn = createOneTimeCodes(options.codeLifeMs)
  let sockets: EventSockets | null = null
  void opening.then(
    (app) => (sockets = followEvents(app)),
    () => undefined,
  )
  server.on('request', (request, response) => {
    if (request.method === 'POST' || request.method === 'PUT') limitSilence(request, response, idleMs)
    handle(request, response, {
      opening,
      rendererFolder,
      token,
      codes,
      drawn,
      returnSecret,
      port,
      traffic,
      onHandOver,
    }).catch((error: unknown) => {
      answerJson(response, 500, { ok: false, error: toWire(error) })
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy()) // a stranger that hangs up must not end the host
    const url = readAddress(request, port)
    if (url?.pathname !== '/events' || !comesFromUs(request, port) || !sameToken(socketToken(request), token)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n')
      return
    }
    if (sockets === null) return void socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n')
    sockets.accept(request, socket, head, url.searchParams.get('since'))
  })
  return {
    port,
    token,
    address: () => `http://${LOOPBACK}:${port}/?code=${codes.issue()}`,
    hangUp: () => server.closeAllConnections(),
    async close() {
      sockets?.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function listenOn(server: Server, port: number, portBefore: number | null): Promise<void> {
  if (port !== 0 || portBefore === null) return listen(server, port)
  await listen(server, portBefore).catch(() => listen(server, 0)) // somebody else has it by now
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, LOOPBACK, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Null for what is no address, like `//`. */
function readAddress(request: IncomingMessage, port: number): URL | null {
  const base = `http://${LOOPBACK}:${port}`
  const target = request.url ?? '/'
  return URL.canParse(target, base) ? new URL(target, base) : null
}

interface Door {
  readonly opening: Promise<App>
  readonly traffic: Traffic
  readonly onHandOver: (() => void) | null
  readonly rendererFolder: string | null
  readonly token: string
  readonly codes: OneTimeCodes
  /** What this host drew for pages that come back. */
  readonly drawn: OneTimeCodes
  readonly returnSecret: string | null
  readonly port: number
}

async function handle(request: IncomingMessage, response: ServerResponse, door: Door): Promise<void> {
  if (!comesFromUs(request, door.port))
    return refuse(
      response,
      403,
      'forbidden',
      'This address is not for other pages.',
      'Open the address that Pairlab printed.',
    )
  const url = readAddress(request, door.port)
  if (url === null)
    return refuse(
      response,
      400,
      'usage-invalid',
      'The address is not well formed.',
      'Open the address that Pairlab printed.',
    )
  if (url.pathname === '/enter' && request.method === 'POST') return handleEntry(request, response, door)
  if (url.pathname === '/greet' && request.method === 'POST') return answerGreeting(request, response, door)
  if (url.pathname === '/return' && request.method === 'POST') return answerReturn(request, response, door)
  const guarded = /^\/(call\/|invite$|remember$|hand-over$|upload$|download$)/.test(url.pathname)
  if (!guarded) {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(
        response,
        405,
        'usage-invalid',
        `${request.method} is not possible here.`,
        'Calls go to /call/<name> with POST.',
      )
    if (door.rendererFolder === null)
      return refuse(response, 404, 'not-found', 'There is no page here.', 'Start one with: pairlab serve --open')
    return sendPage(response, door.rendererFolder, url.pathname)
  }
  if (!sameToken(bearerToken(request), door.token))
    return refuse(response, 401, 'forbidden', 'The key of this session is missing or wrong.', ASK_FOR_ADDRESS)
  if (door.traffic.refusing) return refuseHandingOver(response)
  if (url.pathname === '/invite' && request.method === 'POST')
    return answerJson(response, 200, { ok: true, value: { code: door.codes.issue() } })
  if (url.pathname === '/remember' && request.method === 'POST')
    return answerJson(response, 200, { ok: true, value: { secret: door.returnSecret } })
  if (url.pathname === '/hand-over' && request.method === 'POST' && door.onHandOver !== null) {
    answerJson(response, 200, { ok: true, value: null })
    return door.onHandOver()
  }
  const { dataFolder } = await door.opening
  if (url.pathname === '/download' && request.method === 'GET')
    return sendExport(response, dataFolder, url.searchParams.get('path') ?? '')
  if (url.pathname === '/upload' && request.method === 'PUT') {
    const sent = {
      name: url.searchParams.get('name') ?? '',
      folder: url.searchParams.get('folder'),
      into: url.searchParams.get('into'),
    }
    return takeUpload(request, response, dataFolder, sent).catch((error: unknown) => {
      response.setHeader('connection', 'close') // the rest of the file is not read
      const status = error instanceof AppError && error.code === 'input-invalid' ? 400 : 413
      answerJson(response, status, { ok: false, error: toWire(error) })
    })
  }
  if (url.pathname.startsWith('/call/') && request.method === 'POST')
    return handleCall(request, response, door, url.pathname.slice('/call/'.length))
  refuse(
    response,
    405,
    'usage-invalid',
    `${request.method} is not possible here.`,
    'Calls go to /call/<name> with POST.',
  )
}

/** Changes a one-time code for the key. */
async function handleEntry(request: IncomingMessage, response: ServerResponse, door: Door): Promise<void> {
  const code = await readBody(request, ENTRY_LIMIT_BYTES).catch(() => '') // longer than any code
  if (!door.codes.redeem(code))
    return refuse(response, 401, 'forbidden', 'This address was opened before, or is too old.', ASK_FOR_ADDRESS)
  answerJson(response, 200, { ok: true, value: { key: door.token } })
}

async function handleCall(request: IncomingMessage, response: ServerResponse, door: Door, name: string): Promise<void> {
  let input: unknown
  try {
    const body = await readBody(request, CALL_LIMIT_BYTES)
    input = body === '' ? {} : JSON.parse(body)
  } catch (error) {
    if (error instanceof SyntaxError)
      return refuse(
        response,
        400,
        'input-invalid',
        `The body is not JSON: ${error.message}`,
        'Send the input of the call as JSON.',
      )
    response.setHeader('connection', 'close')
    return answerJson(response, 413, { ok: false, error: toWire(error) })
  }
  door.traffic.noteOther()
  try {
    answerJson(
      response,
      200,
      await door.traffic.run(async () => dispatch((await door.opening).handlers, name, input, 'loopback')),
    )
  } catch (error) {
    if (error instanceof HandingOver) return refuseHandingOver(response)
    throw error
  } finally {
    door.traffic.noteOther()
  }
}

/** The caller looks for the next owner of the folder, and asks that one. */
function refuseHandingOver(response: ServerResponse): void {
  refuse(response, 503, 'db-locked', 'This Pairlab is giving its data folder to another one.', 'Try again in a moment.')
}
