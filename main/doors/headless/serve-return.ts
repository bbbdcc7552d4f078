// A page that is still open when its host was started anew goes on with that one. Both know a secret of the data folder
// and show each other that they do, without sending it: whatever else has got the port in between learns nothing, and
// what it passes on between the two is of another port.
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { z } from 'zod'
import { configFolder } from '../../base/config-folder.ts'
import { replaceFile } from '../../base/files/durable.ts'
import type { OneTimeCodes } from './serve-codes.ts'
import { answerJson, ASK_FOR_ADDRESS, readBody, refuse, sameToken } from './serve-guard.ts'

const kept = z.strictObject({ folder: z.string(), secret: z.string().min(32), port: z.int().min(1).max(65_535) })
/** What a page and the hosts of one data folder share. */
export type Kept = z.infer<typeof kept>

/** Outside of the data folder: in one that somebody else made they would know the secret. */
function keptFolder(): string {
  return path.join(configFolder(), 'pages')
}

function keptPath(dataFolder: string): string {
  return path.join(keptFolder(), `${createHash('sha256').update(dataFolder).digest('hex').slice(0, 32)}.json`)
}

function read(file: string): Kept | null {
  try {
    return kept.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null // none, or a strange one
  }
}

/** Of the host that served this folder's page last; null where none did. */
export function readKept(dataFolder: string): Kept | null {
  const found = read(keptPath(dataFolder))
  return found?.folder === dataFolder ? found : null
}

/** Only its person can read it. What is kept of folders that are gone goes. Where it cannot be written, pages are opened anew. */
export function keep(given: Kept): void {
  try {
    mkdirSync(keptFolder(), { recursive: true, mode: 0o700 })
    replaceFile(keptPath(given.folder), JSON.stringify(given), { mode: 0o600 })
    for (const name of readdirSync(keptFolder())) {
      const file = path.join(keptFolder(), name)
      const other = read(file) // what is not of this kind is left alone
      if (other !== null && !existsSync(other.folder)) rmSync(file, { force: true })
    }
  } catch {
    // A home that cannot be written, or another start that tidies up at the same time.
  }
}

export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** HMAC-SHA-256 of who speaks, on which port, and what the other one drew. @returns base64url */
export function proofOf(secret: string, who: 'host' | 'page', port: number, nonce: string): string {
  return createHmac('sha256', secret).update(`${who} ${port} ${nonce}`).digest('base64url')
}

const greeting = z.strictObject({ nonce: z.string().min(16).max(128) })
const answered = z.strictObject({ nonce: z.string().max(128), proof: z.string().max(128) })

/** What a host needs for that. */
interface Returning {
  /** Null: pages cannot come back. */
  readonly returnSecret: string | null
  readonly port: number
  /** What this host drew for pages that come back. */
  readonly drawn: OneTimeCodes
  /** The key of this session. */
  readonly token: string
}

const BODY_LIMIT_BYTES = 1024

async function readSaid(request: IncomingMessage): Promise<unknown> {
  try {
    return JSON.parse(await readBody(request, BODY_LIMIT_BYTES))
  } catch {
    return null // too long, or no JSON
  }
}

/** Shows a page that is still open that this is the host of its data folder, and draws a number for it in turn. */
export async function answerGreeting(
  request: IncomingMessage,
  response: ServerResponse,
  { returnSecret, port, drawn }: Returning,
): Promise<void> {
  const said = greeting.safeParse(await readSaid(request))
  if (returnSecret === null || !said.success)
    return refuse(response, 401, 'forbidden', 'This is no greeting.', ASK_FOR_ADDRESS)
  const value = { proof: proofOf(returnSecret, 'host', port, said.data.nonce), nonce: drawn.issue() }
  answerJson(response, 200, { ok: true, value })
}

/** Gives the key to a page that shows in turn that it knew the host before; what was drawn for it counts once. */
export async function answerReturn(
  request: IncomingMessage,
  response: ServerResponse,
  { returnSecret, port, drawn, token }: Returning,
): Promise<void> {
  const said = answered.safeParse(await readSaid(request))
  const known =
    returnSecret !== null &&
    said.success &&
    drawn.redeem(said.data.nonce) &&
    sameToken(said.data.proof, proofOf(returnSecret, 'page', port, said.data.nonce))
  if (!known) return refuse(response, 401, 'forbidden', 'This page is not known here.', ASK_FOR_ADDRESS)
  answerJson(response, 200, { ok: true, value: { key: token } })
}
