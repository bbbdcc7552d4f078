import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { wireError } from '../../../shared/errors.ts'
import { unwrap, type Client } from '../../../shared/rpc.ts'
import type { Output } from '../../../shared/contract.ts'
import { request as httpRequest } from './node-http.ts'

const address = z.strictObject({
  port: z.int().min(1).max(65_535),
  token: z.string(),
  pid: z.int(),
  /** Whether it serves the page, too. */ page: z.boolean(),
})
export type HostAddress = z.infer<typeof address>
const invitation = z.object({ code: z.string() })
const reply = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: wireError }),
])

/** The process behind an address does not answer, or gives its app up. */
export class HostLost extends Error {
  /** False where the call was certainly not carried out. */
  readonly maybeDone: boolean

  constructor(message: string, maybeDone: boolean) {
    super(message)
    this.name = 'HostLost'
    this.maybeDone = maybeDone
  }
}

function addressPath(dataFolder: string): string {
  return path.join(dataFolder, 'serve.json')
}

/** Leaves word for other doors of the same person: only they can read it. To be called while the folder's lock is held. */
export function announceHost(
  dataFolder: string,
  host: { readonly port: number; readonly token: string },
  page: boolean,
): void {
  const file = addressPath(dataFolder)
  rmSync(file, { force: true }) // `mode` counts only for a new file
  writeFileSync(file, JSON.stringify({ port: host.port, token: host.token, pid: process.pid, page }), { mode: 0o600 })
}

/** Takes the word back, while the folder's lock is still held: the next owner leaves its own. */
export function withdrawHost(dataFolder: string): void {
  rmSync(addressPath(dataFolder), { force: true })
}

/** The address that the owner of the folder left; it may be gone without having taken it back. */
export function readHostAddress(dataFolder: string): HostAddress | null {
  try {
    return address.parse(JSON.parse(readFileSync(addressPath(dataFolder), 'utf8')))
  } catch {
    return null // no host, or a file that a crash left half written
  }
}

/** Whether the process that left an address answers under it, is about to give the folder up, or is gone. */
export async function askHost(found: HostAddress): Promise<'answers' | 'hands-over' | 'gone'> {
  const answer = await post(found, '/call/settings.get', '{}').catch(() => null)
  if (answer === null) return 'gone'
  if (answer.status === 503) return 'hands-over'
  return answer.status === 200 ? 'answers' : 'gone'
}

/** Whether the app that holds this data folder serves its page. */
export async function servesPage(dataFolder: string): Promise<boolean> {
  return (await findPage(dataFolder)) !== null
}

/** The page's address of the app that holds this data folder, with a fresh code to open it once; null where none serves it. */
export async function askForAddress(dataFolder: string): Promise<string | null> {
  const found = await findPage(dataFolder)
  if (found === null) return null
  const { code } = invitation.parse(unwrap(readReply((await post(found, '/invite', '')).body)))
  return `http://127.0.0.1:${found.port}/?code=${code}`
}

async function findPage(dataFolder: string): Promise<HostAddress | null> {
  const found = readHostAddress(dataFolder)
  return found !== null && found.page && (await askHost(found)) === 'answers' ? found : null
}

/** Asks a command that holds the folder to go on through another door; what is no command stays. */
export async function askToHandOver(found: HostAddress): Promise<'hands-over' | 'stays' | 'gone'> {
  const answer = await post(found, '/hand-over', '').catch(() => null)
  if (answer === null) return 'gone'
  return answer.status === 200 || answer.status === 503 ? 'hands-over' : 'stays'
}

/** The contract over HTTP, for a door beside the one that has the folder. Calls throw HostLost when that one is gone. */
export function httpClient(host: Pick<HostAddress, 'port' | 'token'>): Client {
  return {
    async call(name, input) {
      const { status, body } = await post(host, `/call/${name}`, JSON.stringify(input))
      if (status === 503 || status === 401) throw new HostLost('The running Pairlab gives its data folder up.', false)
      return unwrap(readReply(body)) as Output<typeof name> // checked by dispatch on the other side
    },
  }
}

/** Something else may have got the port of a host that is gone. */
function readReply(body: string): z.infer<typeof reply> {
  try {
    return reply.parse(JSON.parse(body))
  } catch {
    throw new HostLost('What answers is no Pairlab.', true)
  }
}

/**
 * One request on a connection of its own. It waits as long as the call takes: an import may take an hour.
 * @throws HostLost
 */
function post(
  host: Pick<HostAddress, 'port' | 'token'>,
  target: string,
  body: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const lost = (error: NodeJS.ErrnoException): void =>
      reject(new HostLost(`The running Pairlab does not answer: ${error.message}.`, error.code !== 'ECONNREFUSED'))
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: host.port,
        path: target,
        method: 'POST',
        agent: false,
        headers: { authorization: `Bearer ${host.token}`, 'content-type': 'application/json' },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        )
        response.on('error', lost)
      },
    )
    request.on('error', lost)
    request.end(body)
  })
}
