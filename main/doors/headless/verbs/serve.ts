import { Command } from 'commander'
import { AppError } from '../../../../shared/errors.ts'
import { resolveDataFolder } from '../connect.ts'
import { globals } from '../globals.ts'
import { askForAddress } from '../http-client.ts'
import { openBrowser, removePages } from '../open-browser.ts'
import { findRenderer } from '../places.ts'
import { takeOverSharedApp } from '../shared-app.ts'

export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'Serve the app on a loopback address, for the browser. Ctrl+C ends it; runs go on or checkpoint, as chosen in Settings.',
    )
    .option('--port <n>', '0 lets the system choose', '0')
    .option('--open', 'open the default browser')
    .action(async (options: { port: string; open?: boolean }, command: Command) => {
      const { out, dataDir } = globals(command)
      const dataFolder = resolveDataFolder(dataDir)
      const running = await askForAddress(dataFolder)
      if (running !== null) {
        if (options.open !== true)
          throw new AppError({
            code: 'db-locked',
            message: `Pairlab is already running on the data folder ${dataFolder}.`,
            hint: 'Open its page with: pairlab serve --open; or end the other one first.',
          })
        out.result({ url: running }, `Pairlab is already running. If no browser opens: ${running}`)
        openBrowser((await askForAddress(dataFolder)) ?? running, dataFolder)
        return
      }
      const shared = await takeOverSharedApp({ dataFolder, rendererFolder: findRenderer(), port: Number(options.port) })
      const { host } = shared
      const url = host.address()
      out.result(
        { url, port: host.port, dataFolder },
        `Pairlab is at ${url}\nIt opens one tab, within ten minutes; for another: pairlab serve --open\nData folder: ${dataFolder}. Ctrl+C ends it.`,
      )
      if (options.open === true) openBrowser(host.address(), dataFolder)
      await new Promise<void>((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
      })
      removePages(dataFolder)
      await shared.end('now')
      out.say('Closed.')
    })
}
