import path from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'
import { createApp, type App } from '../app.ts'
import { defaultDataFolder } from '../data-folder.ts'
import { findHost } from './http-client.ts'

export interface Connection {
  readonly client: Client
  /** Null when the verb speaks to an app that runs elsewhere. */
  readonly app: App | null
  readonly dataFolder: string
}

export function resolveDataFolder(given: string | undefined): string {
  return path.resolve(given ?? defaultDataFolder())
}

/**
 * Runs `work` against the data folder: through the app that has it open, if one does, else through one of our own
 * that is closed again. Training processes outlive either.
 */
export async function withClient<T>(dataDir: string | undefined, work: (connection: Connection) => Promise<T>): Promise<T> {
  const dataFolder = resolveDataFolder(dataDir)
  const running = await findHost(dataFolder)
  if (running !== null) return work({ client: running, app: null, dataFolder })
  const app = await createApp({ dataFolder })
  try {
    return await work({ client: inProcess(app.handlers), app, dataFolder })
  } finally {
    await app.close()
  }
}

/** Finds one thing by id, the beginning of its id, or its name; says what there is when it finds none or several. */
export function pick<T>(things: readonly T[], wanted: string, noun: string, id: (thing: T) => string, name: (thing: T) => string): T {
  const exact = things.filter((thing) => id(thing) === wanted || name(thing) === wanted)
  const matches = exact.length > 0 ? exact : things.filter((thing) => id(thing).startsWith(wanted) || name(thing).toLowerCase().startsWith(wanted.toLowerCase()))
  const [first] = matches
  if (first !== undefined && (matches.length === 1 || exact.length === 1)) return first
  const known = things.slice(0, 8).map((thing) => `${id(thing)} (${name(thing)})`).join(', ')
  throw new AppError({
    code: matches.length > 1 ? 'usage-invalid' : 'not-found',
    message: matches.length > 1 ? `"${wanted}" fits ${matches.length} ${noun}s.` : `There is no ${noun} "${wanted}".`,
    hint: known === '' ? `There is no ${noun} yet.` : `Give one of: ${known}.`,
  })
}
