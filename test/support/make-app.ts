import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createApp, type App } from '../../main/app/app.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'

export interface TestApp {
  readonly app: App
  readonly client: Client
  readonly dataFolder: string
  /** Closes the app and removes its folder. */
  end(): Promise<void>
}

/**
 * An app on a folder of its own, whose path has a space and a letter outside ASCII, as people's have.
 * @param prepare puts something into the folder before the app starts
 */
export async function makeApp(prepare?: (dataFolder: string) => void): Promise<TestApp> {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab tést '))
  prepare?.(dataFolder)
  const app = await createApp({ dataFolder })
  return {
    app,
    client: inProcess(app.handlers),
    dataFolder,
    async end() {
      await app.close('checkpoint')
      rmSync(dataFolder, { recursive: true, force: true })
    },
  }
}

export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const endMs = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`waited ${limitMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
