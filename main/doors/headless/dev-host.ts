// The host behind `npm run dev`: calls and events alone, under a port and a key that outlast its restarts, so that a page that is
// open goes on with the next one. `node --watch` ends it with SIGTERM and starts it again; runs go on meanwhile.
import { parseArgs } from 'node:util'
import { AppError } from '../../../shared/errors.ts'
import { keepFilesPrivate } from '../../base/private-folder.ts'
import { resolveDataFolder } from './connect.ts'
import { reportError } from './output.ts'
import { takeOverSharedApp } from './shared-app.ts'

/** What `main/doors/launch/dev-browser.mjs` gives by the environment, which only the same user can read. Processes started from here do not get it. */
function take(name: string): string {
  const value = process.env[name]
  delete process.env[name]
  if (value === undefined)
    throw new AppError({
      code: 'usage-invalid',
      message: 'This host belongs to the page of "npm run dev".',
      hint: 'Run: npm run dev',
    })
  return value
}

async function main(): Promise<void> {
  keepFilesPrivate()
  const port = Number(take('PAIRLAB_DEV_PORT'))
  const token = take('PAIRLAB_DEV_KEY')
  const { values } = parseArgs({ options: { 'data-dir': { type: 'string' } } })
  const shared = await takeOverSharedApp({
    dataFolder: resolveDataFolder(values['data-dir']),
    rendererFolder: null,
    port,
    token,
  })
  // Ctrl+C comes twice, from the terminal and from the watcher: the second one must not cut the closing short.
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, resolve)
  })
  await shared.end('now', signal === 'SIGTERM' ? 'continue' : undefined)
  process.exit(0)
}

try {
  await main()
} catch (error) {
  process.exitCode = reportError(error, false)
}
