import path from 'node:path'
import { AppError, ERROR_EXIT_STATUS } from '../../shared/errors.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'
import { createApp, type App } from '../app.ts'
import { defaultDataFolder } from '../data-folder.ts'
import { announceHost, findHost } from './http-client.ts'
import { writeError } from './output.ts'
import { serve } from './serve.ts'

export interface Connection {
  readonly client: Client
  /** Null when the verb speaks to an app that runs elsewhere. */
  readonly app: App | null
  readonly dataFolder: string
}

export function resolveDataFolder(given: string | undefined): string {
  return path.resolve(given ?? defaultDataFolder())
}

/** A verb that is done in a moment may hold the folder just now; a longer one leaves its address. */
const LOCK_PATIENCE_MS = 3000
const LOCK_RETRY_MS = 150

/**
 * Runs `work` against the data folder: through the app that has it open, if one does, else through one of our own
 * that is closed again. Training processes outlive either.
 * @param share for verbs that take long: other command lines reach the app meanwhile
 * @param interrupts `own`: the verb itself listens for Ctrl+C and ends by itself
 * @throws AppError `db-locked` when the folder's owner cannot be reached, as with the desktop window
 */
export async function withClient<T>(dataDir: string | undefined, work: (connection: Connection) => Promise<T>, share = false, interrupts: 'close' | 'own' = 'close'): Promise<T> {
  const dataFolder = resolveDataFolder(dataDir)
  const found = await findOrOpen(dataFolder)
  if (!('app' in found)) return work({ client: found.running, app: null, dataFolder })
  const { app } = found
  const host = share ? await serve({ app, rendererFolder: null }) : null
  const forget = host === null ? null : announceHost(dataFolder, host, false)
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => (closing ??= (async () => {
    forget?.()
    await host?.close()
    await app.close()
  })())
  const interrupt = (): void => {
    writeError('\nInterrupted. Runs that train go on by themselves, or checkpoint first if Settings say so: pairlab runs\n')
    void close().finally(() => process.exit(ERROR_EXIT_STATUS.cancelled))
  }
  const signals = interrupts === 'own' ? [] : (['SIGINT', 'SIGTERM'] as const)
  for (const signal of signals) process.once(signal, interrupt)
  try {
    return await work({ client: inProcess(app.handlers), app, dataFolder })
  } finally {
    for (const signal of signals) process.off(signal, interrupt)
    await close()
  }
}

async function findOrOpen(dataFolder: string): Promise<{ readonly running: Client } | { readonly app: App }> {
  const endMs = Date.now() + LOCK_PATIENCE_MS
  for (;;) {
    const running = await findHost(dataFolder)
    if (running !== null) return { running }
    try {
      return { app: await createApp({ dataFolder }) }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'db-locked' || Date.now() > endMs) throw error
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS))
    }
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
