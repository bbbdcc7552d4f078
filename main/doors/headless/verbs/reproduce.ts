import os from 'node:os'
import { Command, Option } from 'commander'
import { engineName, type EngineName } from '../../../../shared/domain.ts'
import { AppError } from '../../../../shared/errors.ts'
import type { KeptReport } from '../../../../shared/contract/papers.ts'
import { formatDuration } from '../../../../shared/units.ts'
import { APP_VERSION } from '../../../app/app.ts'
import { enginesFolderOf } from '../../../app/engine-setup/folder.ts'
import { keepReport } from '../../../app/papers/report-files.ts'
import type { Reproduction } from '../../../workers/reproduce/define.ts'
import { formatReport } from '../../../workers/reproduce/format-report.ts'
import { findReproduction, reproductions } from '../../../workers/reproduce/registry.ts'
import { openEngine } from '../../../workers/engine/choose.ts'
import { resolveDataFolder } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable } from '../output.ts'

interface Flags {
  readonly full?: boolean
  readonly seeds?: string
  readonly engine: EngineName
  readonly list?: boolean
}

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description("Repeat a paper's experiment here and say whether its claim holds. Reports are kept for the Papers page.")
    .argument('[names...]', 'default: all; --list names them')
    .option('--list', 'name every experiment, with its claim and how long it takes')
    .option('--full', 'the long form, with more seeds and larger sizes')
    .option('--seeds <n>', 'how many seeds in place of what the form asks for')
    .addOption(new Option('--engine <name>').choices(engineName.options).default('wasm'))
    .action(async (names: string[], flags: Flags, command: Command) => {
      const { out, dataDir } = globals(command)
      if (flags.list === true) return out.result(reproductions.map(({ id, paper, claim, minutes }) => ({ id, paper, claim, minutes })), listText())
      const seedCount = flags.seeds === undefined ? null : Number(flags.seeds)
      if (seedCount !== null && !(Number.isInteger(seedCount) && seedCount >= 1)) throw new AppError({ code: 'usage-invalid', message: `--seeds ${flags.seeds} is not a whole number from 1.`, hint: 'For example: --seeds 3' })
      const chosen = names.length === 0 ? reproductions : names.map(findReproduction)
      const dataFolder = resolveDataFolder(dataDir)
      const engine = await openEngine(flags.engine, { enginesFolder: enginesFolderOf(dataFolder) })
      const kept: KeptReport[] = []
      for (const one of chosen) {
        out.note(`${one.id}: ${one.claim}`)
        const done = await reproduce(one, { form: flags.full === true ? 'full' : 'quick', seedCount, engine: engine.device, say: (text) => out.note(`  ${text}`) })
        keepReport(dataFolder, done)
        kept.push(done)
        out.say(`${formatReport(done.report)} (${formatDuration(done.wallMs)})\n`)
      }
      await engine.dispose()
      out.result(kept, kept.length < 2 ? undefined : summaryText(kept))
      if (kept.some(({ report }) => report.verdict === 'does not hold')) process.exitCode = 1
    })
}

async function reproduce(one: Reproduction, { form, seedCount, engine, say }: { readonly form: 'quick' | 'full'; readonly seedCount: number | null; readonly engine: string; readonly say: (text: string) => void }): Promise<KeptReport> {
  const startedAtMs = Date.now()
  const report = await one.run({ form, seedCount, say })
  const plain = JSON.parse(JSON.stringify(report)) as KeptReport['report'] // what the file will hold; its schema checks it
  return { formatVersion: 1, report: plain, engine, appVersion: APP_VERSION, processor: os.cpus()[0]?.model.trim() ?? 'unknown', startedAtMs, wallMs: Date.now() - startedAtMs }
}

function listText(): string {
  return formatTable([
    { title: 'name', text: (one: Reproduction) => one.id },
    { title: 'minutes', right: true, text: (one) => `${one.minutes.quick}` },
    { title: 'full', right: true, text: (one) => `${one.minutes.full}` },
    { title: 'claim', text: (one) => one.claim },
  ], reproductions)
}

function summaryText(kept: readonly KeptReport[]): string {
  return formatTable([
    { title: 'experiment', text: ({ report }: KeptReport) => report.id },
    { title: 'verdict', text: ({ report }) => report.verdict },
    { title: 'gates that hold', right: true, text: ({ report }) => `${report.gates.filter((gate) => gate.verdict === 'holds').length} of ${report.gates.length}` },
    { title: 'time', right: true, text: ({ wallMs }) => formatDuration(wallMs) },
  ], kept)
}
