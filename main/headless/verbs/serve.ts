import { spawn } from 'node:child_process'
import { Command } from 'commander'
import { AppError } from '../../../shared/errors.ts'
import { createApp } from '../../app.ts'
import { resolveDataFolder } from '../connect.ts'
import { globals } from '../globals.ts'
import { announceHost, findHostAddress } from '../http-client.ts'
import { findRenderer } from '../places.ts'
import { serve } from '../serve.ts'

/** Opens the address in the default browser; a machine without one is no reason to fail. */
function openBrowser(url: string): void {
  const [command, args] = process.platform === 'darwin' ? ['open', [url]] as const
    : process.platform === 'win32' ? ['cmd', ['/c', 'start', '', url.replaceAll('&', '^&')]] as const
    : ['xdg-open', [url]] as const
  const child = spawn(command, args, { stdio: 'ignore', detached: true })
  child.on('error', () => {}) // no such program: the address is printed anyway
  child.unref()
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve the app on a loopback address, for the browser. Ctrl+C ends it; runs go on or checkpoint, as chosen in Settings.')
    .option('--port <n>', '0 lets the system choose', '0')
    .option('--open', 'open the default browser')
    .action(async (options: { port: string; open?: boolean }, command: Command) => {
      const { out, dataDir } = globals(command)
      const dataFolder = resolveDataFolder(dataDir)
      const running = await findHostAddress(dataFolder)
      if (running !== null) {
        if (options.open !== true) throw new AppError({ code: 'db-locked', message: `Pairlab is already running on this data folder: ${running}`, hint: 'Open that address, or end the other one first.' })
        out.result({ url: running }, `Pairlab is already running at ${running}`)
        return openBrowser(running)
      }
      const app = await createApp({ dataFolder })
      const host = await serve({ app, rendererFolder: findRenderer(), port: Number(options.port) })
      const forget = announceHost(dataFolder, host, true)
      out.result({ url: host.url, port: host.port, dataFolder }, `Pairlab is at ${host.url}\nData folder: ${dataFolder}. Ctrl+C ends it.`)
      if (options.open === true) openBrowser(host.url)
      await new Promise<void>((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
      })
      forget()
      await host.close()
      await app.close()
      out.say('Closed.')
    })
}
