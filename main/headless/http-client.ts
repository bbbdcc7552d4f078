import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError, wireError } from '../../shared/errors.ts'
import { unwrap, type Client } from '../../shared/rpc.ts'
import type { Output } from '../../shared/contract.ts'

const address = z.strictObject({ port: z.int(), token: z.string(), pid: z.int(), /** Whether it serves the page, too. */ page: z.boolean() })
const invitation = z.object({ code: z.string() })
const reply = z.union([z.object({ ok: z.literal(true), value: z.unknown() }), z.object({ ok: z.literal(false), error: wireError })])

function addressPath(dataFolder: string): string {
  return path.join(dataFolder, 'serve.json')
}

/** Leaves word for command lines of the same person: only they can read it. Returns the way to take it back. */
export function announceHost(dataFolder: string, host: { readonly port: number; readonly token: string }, page: boolean): () => void {
  const file = addressPath(dataFolder)
  rmSync(file, { force: true }) // `mode` counts only for a new file
  writeFileSync(file, JSON.stringify({ port: host.port, token: host.token, pid: process.pid, page }), { mode: 0o600 })
  return () => rmSync(file, { force: true })
}

async function findAnswering(dataFolder: string): Promise<z.infer<typeof address> | null> {
  let found: z.infer<typeof address>
  try {
    found = address.parse(JSON.parse(readFileSync(addressPath(dataFolder), 'utf8')))
  } catch {
    return null // no host, or a file that a crash left half written
  }
  try {
    await httpClient(found).call('settings.get', {})
    return found
  } catch {
    return null // the host that left it is gone
  }
}

/** The app that already holds this data folder, by the address it left; null when it left none or does not answer. */
export async function findHost(dataFolder: string): Promise<Client | null> {
  const found = await findAnswering(dataFolder)
  return found === null ? null : httpClient(found)
}

/** Whether the app that holds this data folder serves its page. */
export async function servesPage(dataFolder: string): Promise<boolean> {
  return (await findAnswering(dataFolder))?.page === true
}

/** The page's address of the app that holds this data folder, with a fresh code to open it once; null where none serves it. */
export async function askForAddress(dataFolder: string): Promise<string | null> {
  const found = await findAnswering(dataFolder)
  if (found === null || !found.page) return null
  const response = await fetch(`http://127.0.0.1:${found.port}/invite`, { method: 'POST', headers: { authorization: `Bearer ${found.token}` } })
  const { code } = invitation.parse(unwrap(reply.parse(await response.json())))
  return `http://127.0.0.1:${found.port}/?code=${code}`
}

/** The contract over HTTP, for the command line beside a running app. */
export function httpClient(host: { readonly port: number; readonly token: string }): Client {
  return {
    async call(name, input) {
      let response: Response
      try {
        response = await fetch(`http://127.0.0.1:${host.port}/call/${name}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${host.token}`, 'content-type': 'application/json' },
          body: JSON.stringify(input),
        })
      } catch (error) {
        throw new AppError({ code: 'internal', message: 'The running Pairlab does not answer.', hint: 'Close it and try again.', cause: error })
      }
      return unwrap(reply.parse(await response.json())) as Output<typeof name> // checked by dispatch on the other side
    },
  }
}
