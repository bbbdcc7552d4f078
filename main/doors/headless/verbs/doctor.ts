import { accessSync, constants, existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import { APP_VERSION } from '../../../app/app.ts'
import { findWorker } from '../../../app/find-programs.ts'
import { enginesFolderOf } from '../../../app/engine-setup/folder.ts'
import { probeEngine, type EngineProbe } from '../../../app/engine-setup/probe.ts'
import { engineName } from '../../../../shared/domain.ts'
import { formatBytes } from '../../../../shared/units.ts'
import { toWire } from '../../../../shared/errors.ts'
import { resolveDataFolder, withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { servesPage } from '../http-client.ts'
import { findSource } from '../places.ts'
import { formatTable } from '../output.ts'

interface Finding {
  readonly what: string
  readonly state: 'ok' | 'missing' | 'broken'
  readonly text: string
  /** The command or deed that mends it; '' when there is nothing to mend. */
  readonly mend: string
}

const LOW_DISK_BYTES = 2e9

function finding(what: string, ok: boolean, text: string, mend: string, needed = true): Finding {
  return { what, state: ok ? 'ok' : needed ? 'broken' : 'missing', text, mend: ok ? '' : mend }
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  return finding('Node', major >= 24, process.version, 'Run npm start once: it installs Node 24 beside the packages.')
}

/** Opens the store as the app would: a damaged or newer database is found here. */
async function checkStore(dataDir: string | undefined): Promise<Finding> {
  try {
    const { sqliteVersion } = await withClient(dataDir, ({ client }) => client.call('system.info', {}))
    return finding('Database', true, `SQLite ${sqliteVersion}`, '')
  } catch (error) {
    const { message, hint } = toWire(error)
    return finding('Database', false, message, hint)
  }
}

function checkElectron(): Finding {
  const folder = findSource('node_modules/electron')
  const installed =
    process.versions['electron'] !== undefined ||
    (folder !== null &&
      existsSync(path.join(folder, 'path.txt')) &&
      existsSync(path.join(folder, 'dist', readFileSync(path.join(folder, 'path.txt'), 'utf8'))))
  return finding(
    'Electron',
    installed,
    installed ? 'installed' : 'not installed: the app opens in the browser',
    'node node_modules/electron/install.js   (needs internet)',
    false,
  )
}

function checkChromium(): Finding {
  const names = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ]
  const found = [process.env['CHROMIUM_PATH'], ...names].find((name) => name !== undefined && existsSync(name))
  return finding(
    'Chromium',
    found !== undefined,
    found ?? 'not found: end-to-end tests are skipped',
    'Install Chromium or Chrome (Debian: apt-get install chromium), or set CHROMIUM_PATH',
    false,
  )
}

function checkFolder(dataFolder: string): Finding {
  try {
    mkdirSync(dataFolder, { recursive: true })
    accessSync(dataFolder, constants.W_OK)
    return finding('Data folder', true, dataFolder, '')
  } catch (error) {
    return finding(
      'Data folder',
      false,
      `${dataFolder}: ${error instanceof Error ? error.message : String(error)}`,
      'Choose another with --data-dir or PAIRLAB_DATA.',
    )
  }
}

function checkDisk(dataFolder: string): Finding {
  const disk = statfsSync(existsSync(dataFolder) ? dataFolder : os.homedir())
  const free = disk.bavail * disk.bsize
  return finding(
    'Free disk',
    free >= LOW_DISK_BYTES,
    formatBytes(free),
    'Free some space: a run keeps its checkpoints.',
  )
}

function describeEngine({ error, device }: EngineProbe): string {
  return error === null ? `${device}, passed its test` : `${error.message} ${error.hint}`
}

/** Each in a process of its own, one after the other. */
async function tryEngines(enginesFolder: string): Promise<EngineProbe[]> {
  const probes: EngineProbe[] = []
  for (const name of engineName.options)
    probes.push(await probeEngine(findWorker(), name, { enginesFolder, threads: null, seconds: 0 }))
  return probes
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('What is here, what is missing, and the command that mends it.')
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      const dataFolder = resolveDataFolder(dataDir)
      const running = await servesPage(dataFolder)
      const engines = await tryEngines(enginesFolderOf(dataFolder))
      const findings: Finding[] = [
        finding('Pairlab', true, APP_VERSION, ''),
        checkNode(),
        await checkStore(dataDir),
        ...engines.map((engine) =>
          finding(
            `Engine ${engine.name}`,
            engine.available,
            describeEngine(engine),
            'Reinstall the packages: npm ci --ignore-scripts',
            engine.name === 'wasm',
          ),
        ),
        checkElectron(),
        checkChromium(),
        checkFolder(dataFolder),
        checkDisk(dataFolder),
        finding('Running', true, running ? 'yes, on a loopback address' : 'no', ''),
        finding(
          'Machine',
          true,
          `${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown'}, ${formatBytes(os.totalmem())}`,
          '',
        ),
      ]
      const broken = findings.filter((one) => one.state === 'broken')
      const table = formatTable(
        [
          { title: 'what', text: (one: Finding) => one.what },
          { title: 'state', text: (one) => one.state },
          { title: 'found', text: (one) => one.text },
        ],
        findings,
      )
      const mends = findings.filter((one) => one.mend !== '').map((one) => `${one.what}: ${one.mend}`)
      out.result(
        { findings, broken: broken.length },
        [table, '', ...(mends.length === 0 ? ['Nothing is missing.'] : mends)].join('\n'),
      )
      if (broken.length > 0) process.exitCode = 1
    })
}
