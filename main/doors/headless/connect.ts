import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { contract, type CallName, type Input } from '../../../shared/contract.ts'
import { AppError, ERROR_EXIT_STATUS, type ErrorCode } from '../../../shared/errors.ts'
import type { Client } from '../../../shared/rpc.ts'
import { defaultDataFolder } from '../../base/data-folder.ts'
import { askHost, HostLost, httpClient, readHostAddress } from './http-client.ts'
import { writeError } from './output.ts'
import { openSharedApp, type SharedApp } from './shared-app.ts'

export interface Connection {
  readonly client: Client
  readonly dataFolder: string
}

export function resolveDataFolder(given: string | undefined): string {
  return path.resolve(given ?? defaultDataFolder())
}

/** How long the folder may be held by somebody who left no address that answers: one that opens, closes or was just killed. */
const LOCK_PATIENCE_MS = 4000
const LOCK_RETRY_MS = 100
const TELL_MS = 1000

/**
 * Runs `work` against the data folder: through the app that has it open, else through one of our own that others reach
 * meanwhile. Whichever process that is may end or be killed: the commands that are left find each other again, and
 * calls go on where they stopped. Training processes outlive all of them.
 * @param interrupts `own`: the verb itself listens for Ctrl+C and ends by itself
 * @throws AppError `db-locked` when the folder's owner cannot be reached
 */
export async function withClient<T>(
  dataDir: string | undefined,
  work: (connection: Connection) => Promise<T>,
  interrupts: 'close' | 'own' = 'close',
): Promise<T> {
  const dataFolder = resolveDataFolder(dataDir)
  const door = createDoor(dataFolder)
  const interrupt = (): void => {
    writeError(
      '\nInterrupted. Runs that train go on by themselves, or checkpoint first if Settings say so: pairlab runs\n',
    )
    void door.leave('now').finally(() => process.exit(ERROR_EXIT_STATUS.cancelled))
  }
  const signals = interrupts === 'own' ? [] : (['SIGINT', 'SIGTERM'] as const)
  for (const signal of signals) process.once(signal, interrupt)
  try {
    return await work({ client: door.client, dataFolder })
  } finally {
    const told = setTimeout(
      () =>
        writeError(
          'Done. Waiting for what other commands do in this process; Ctrl+C lets them do it again in another.\n',
        ),
      TELL_MS,
    )
    await door.leave('idle') // an interrupt cuts this short
    clearTimeout(told)
    for (const signal of signals) process.off(signal, interrupt)
  }
}

interface Door {
  readonly client: Client
  /** After this, calls of ours wait for ever. */
  leave(when: 'idle' | 'now'): Promise<void>
}

/** Where calls go at the moment: to our own app, or to the process that has the folder. */
interface Place {
  readonly client: Client
  readonly own: SharedApp | null
}

/** Calls that find nothing left to do when they are made again have done it the first time. */
const DONE_ALREADY: { readonly [N in CallName]?: ErrorCode } = {
  'datasets.delete': 'not-found',
  'models.delete': 'not-found',
  'runs.delete': 'not-found',
  'runs.resume': 'run-conflict',
  'runs.checkpoint': 'run-conflict',
  'runs.stop': 'run-conflict',
}

function createDoor(dataFolder: string): Door {
  let place: Promise<Place> | null = null
  let leaving = false

  async function call<N extends CallName>(name: N, input: Input<N>): Promise<unknown> {
    const request = withClientKey(name, input)
    for (let maybeDone = false; ;) {
      if (leaving) await new Promise(() => undefined) // the process ends
      const found = (place ??= findPlace(dataFolder).catch((error: unknown) => {
        place = null
        throw error
      }))
      try {
        return await (await found).client.call(name, request)
      } catch (error) {
        if (!(error instanceof HostLost)) {
          if (maybeDone && error instanceof AppError && error.code === DONE_ALREADY[name]) return null
          throw error
        }
        maybeDone ||= error.maybeDone
        if (place === found) place = null
        await (await found).own?.end('idle') // our own app was asked for by a door that stays
        await sleep(LOCK_RETRY_MS)
      }
    }
  }

  return {
    client: { call: call as Client['call'] }, // what the place's client answers is checked there
    async leave(when) {
      leaving = true
      const found = await place?.catch(() => null)
      await found?.own?.end(when)
    },
  }
}

/** A call that makes something carries a key, so that making it again after a lost answer makes nothing twice. */
function withClientKey<N extends CallName>(name: N, input: Input<N>): Input<N> {
  const { input: schema } = contract[name]
  return 'clientKey' in schema.shape && !('clientKey' in input) ? { ...input, clientKey: randomUUID() } : input
}

async function findPlace(dataFolder: string): Promise<Place> {
  for (let patientUntilMs = Date.now() + LOCK_PATIENCE_MS; ; await sleep(LOCK_RETRY_MS)) {
    const address = readHostAddress(dataFolder)
    const state = address === null ? 'gone' : await askHost(address)
    if (address !== null && state === 'answers') return { client: httpClient(address), own: null }
    if (state === 'hands-over') {
      patientUntilMs = Date.now() + LOCK_PATIENCE_MS
      continue
    }
    try {
      const own = await openSharedApp({ dataFolder, rendererFolder: null, yields: true })
      return { client: own.client, own }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'db-locked' || Date.now() > patientUntilMs) throw error
    }
  }
}

/** What is known of something that lives in one process only; null when that process is gone and the next does not know it. */
export async function nullIfUnknown<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return null
    throw error
  }
}

/** Finds one thing by id, the beginning of its id, or its name; says what there is when it finds none or several. */
export function pick<T>(
  things: readonly T[],
  wanted: string,
  noun: string,
  id: (thing: T) => string,
  name: (thing: T) => string,
): T {
  const exact = things.filter((thing) => id(thing) === wanted || name(thing) === wanted)
  const matches =
    exact.length > 0
      ? exact
      : things.filter(
          (thing) => id(thing).startsWith(wanted) || name(thing).toLowerCase().startsWith(wanted.toLowerCase()),
        )
  const [first] = matches
  if (first !== undefined && (matches.length === 1 || exact.length === 1)) return first
  const known = things
    .slice(0, 8)
    .map((thing) => `${id(thing)} (${name(thing)})`)
    .join(', ')
  throw new AppError({
    code: matches.length > 1 ? 'usage-invalid' : 'not-found',
    message: matches.length > 1 ? `"${wanted}" fits ${matches.length} ${noun}s.` : `There is no ${noun} "${wanted}".`,
    hint: known === '' ? `There is no ${noun} yet.` : `Give one of: ${known}.`,
  })
}
