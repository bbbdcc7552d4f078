import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../../shared/errors.ts'
import { inProcess, type Client } from '../../../shared/rpc.ts'
import { createApp, type App, type AppOptions } from '../../app/app.ts'
import { announceHost, askToHandOver, HostLost, readHostAddress, withdrawHost } from './http-client.ts'
import { writeError } from './output.ts'
import { serve, type Host } from './serve.ts'
import { keep, newSecret, readKept } from './serve-return.ts'
import { createTraffic, HandingOver } from './traffic.ts'

/** An app that other doors on the same data folder reach: its owner leaves its address beside the lock. */
export interface SharedApp {
  readonly app: App
  readonly host: Host
  /** The owner's own way in; throws HostLost once the folder is being given up. */
  readonly client: Client
  /**
   * Gives the folder up. Calls of others that were not begun are sent on to the next owner.
   * @param when `idle`: after what is in hand; `now`, also later: others do again what they had in hand here, which changes nothing
   * @param mode of the runs. Default: go on where others use the folder, else as Settings say.
   */
  end(when: 'idle' | 'now', mode?: 'continue' | 'checkpoint'): Promise<void>
}

export interface SharedAppOptions extends Omit<AppOptions, 'holding'> {
  readonly dataFolder: string
  /** Folder of the built page; null where this door has none, or shows it itself. */
  readonly rendererFolder: string | null
  readonly port?: number
  /** Default: a new one. */
  readonly token?: string
  /** A command gives the folder to a door that wants to stay, and goes on through that one. */
  readonly yields: boolean
}

const IDLE_POLL_MS = 20
/** Short calls end within this time; for those that take longer nobody waits who wants to end now. */
const SHORT_CALLS_MS = 1000

/**
 * Opens the app and lets others in. @throws AppError as createApp does: `db-locked` when another process has the folder
 */
export async function openSharedApp({
  rendererFolder,
  port,
  token,
  yields,
  ...options
}: SharedAppOptions): Promise<SharedApp> {
  const { dataFolder } = options
  const traffic = createTraffic()
  const opening = Promise.withResolvers<App>()
  opening.promise.catch(() => undefined) // thrown below
  // Under a key that outlasts its starts a page goes on without.
  const returns = rendererFolder !== null && token === undefined
  const before = returns ? readKept(dataFolder) : null
  const returnSecret = returns ? (before?.secret ?? newSecret()) : null
  const host = await serve({
    app: opening.promise,
    returnSecret,
    portBefore: before?.port ?? null,
    rendererFolder,
    traffic,
    ...(port === undefined ? {} : { port }),
    ...(token === undefined ? {} : { token }),
    ...(yields ? { onHandOver: () => void end('idle', 'continue') } : {}),
  })
  let ending: Promise<void> | null = null
  let hurried = false

  async function giveUp(mode: 'continue' | 'checkpoint' | undefined): Promise<void> {
    const app = await opening.promise
    while (!hurried && (traffic.inHand > 0 || app.isBusy())) await sleep(IDLE_POLL_MS)
    traffic.refuse()
    for (let waitedMs = 0; traffic.inHand > 0 && waitedMs < SHORT_CALLS_MS; waitedMs += IDLE_POLL_MS)
      await sleep(IDLE_POLL_MS)
    if (traffic.inHand > 0) host.hangUp() // a call cut off in the app would be answered with a failure that is none
    await app.close(mode ?? (traffic.hasOthers ? 'continue' : undefined))
    await host.close()
  }

  function end(when: 'idle' | 'now', mode?: 'continue' | 'checkpoint'): Promise<void> {
    hurried ||= when === 'now'
    return (ending ??= giveUp(mode))
  }

  try {
    const app = await createApp({
      onProgress: (text) => writeError(`${text}\n`),
      ...options,
      holding: {
        begin() {
          announceHost(dataFolder, host, rendererFolder !== null)
          if (returnSecret !== null) keep({ folder: dataFolder, secret: returnSecret, port: host.port })
        },
        end: () => withdrawHost(dataFolder),
      },
    })
    opening.resolve(app)
    return { app, host, client: ownClient(app, traffic), end }
  } catch (error) {
    opening.reject(error)
    await host.close()
    throw error
  }
}

function ownClient(app: App, traffic: ReturnType<typeof createTraffic>): Client {
  const client = inProcess(app.handlers)
  return {
    async call(name, input) {
      try {
        return await traffic.run(() => client.call(name, input))
      } catch (error) {
        if (error instanceof HandingOver) throw new HostLost(error.message, false)
        throw error
      }
    },
  }
}

const TAKE_OVER_MS = 20_000
const TAKE_OVER_RETRY_MS = 25
/** An owner that just withdrew its address, or was killed, gives the lock back within this time. */
const SILENCE_MS = 4000

/**
 * Opens the app for a door that stays, like the window. Commands that have the folder hand it over when what they do
 * in it is done, and go on through this door.
 * @throws AppError `db-locked` where the owner is no command, or does not come to an end
 */
export async function takeOverSharedApp(options: Omit<SharedAppOptions, 'yields'>): Promise<SharedApp> {
  const endMs = Date.now() + TAKE_OVER_MS
  for (let patientUntilMs = Date.now() + SILENCE_MS; ; await sleep(TAKE_OVER_RETRY_MS)) {
    try {
      return await openSharedApp({ ...options, yields: false })
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'db-locked') throw error
      const owner = readHostAddress(options.dataFolder)
      const answer = owner === null ? 'gone' : await askToHandOver(owner)
      if (answer === 'hands-over') patientUntilMs = Date.now() + SILENCE_MS
      if (answer === 'stays' || Date.now() > Math.min(patientUntilMs, endMs)) throw error
    }
  }
}
