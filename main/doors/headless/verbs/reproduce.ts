import { Command, Option } from 'commander'
import { engineName, type EngineName } from '../../../../shared/domain.ts'
import { AppError } from '../../../../shared/errors.ts'
import type { KeptReport } from '../../../../shared/contract/papers.ts'
import { formatDuration } from '../../../../shared/units.ts'
import { APP_VERSION } from '../../../app/app.ts'
import { keepFound } from '../../../app/papers/report-files.ts'
import { askWorker } from '../../../base/processes/ask-worker.ts'
import { experiments, findExperiment, type Experiment } from '../../../core/experiments.ts'
import { resolveDataFolder } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable } from '../output.ts'
import { workerFor } from '../worker.ts'

interface Flags {
  readonly full?: boolean
  readonly seeds?: string
  readonly engine: EngineName
  readonly list?: boolean
}

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description(
      "Repeat a paper's experiment here and say whether its claim holds, or study what a method's settings are worth. Reports are kept for the Papers page.",
    )
    .argument('[names...]', 'default: every experiment with a claim; --list names them, and the studies')
    .option('--list', 'name every experiment and study, with its claim or question and how long it takes')
    .option('--full', 'the long form, with more seeds and larger sizes')
    .option('--seeds <n>', 'how many seeds in place of what the form asks for')
    .addOption(new Option('--engine <name>').choices(engineName.options).default('wasm'))
    .action(async (names: string[], flags: Flags, command: Command) => {
      const { out, dataDir } = globals(command)
      if (flags.list === true) return out.result(experiments, listText())
      const seedCount = flags.seeds === undefined ? null : Number(flags.seeds)
      if (seedCount !== null && !(Number.isInteger(seedCount) && seedCount >= 1))
        throw new AppError({
          code: 'usage-invalid',
          message: `--seeds ${flags.seeds} is not a whole number from 1.`,
          hint: 'For example: --seeds 3',
        })
      const chosen = names.length === 0 ? experiments.filter(({ kind }) => kind === 'claim') : names.map(findExperiment)
      const dataFolder = resolveDataFolder(dataDir)
      const { worker, enginesFolder } = workerFor(dataDir)
      const kept: KeptReport[] = []
      for (const { id, about } of chosen) {
        out.note(`${id}: ${about}`)
        const startedAtMs = Date.now()
        const found = await askWorker(
          worker,
          'reproduce',
          { id, form: flags.full === true ? 'full' : 'quick', seedCount, engine: flags.engine, enginesFolder },
          { onNote: (text) => out.note(`  ${text}`) },
        )
        // Said before it is kept: on a full disk hours of work are still on the screen.
        out.say(`${found.text} (${formatDuration(Date.now() - startedAtMs)})\n`)
        kept.push(keepFound(dataFolder, found, { appVersion: APP_VERSION, startedAtMs }))
      }
      out.result(kept, kept.length < 2 ? undefined : summaryText(kept))
      if (kept.some(({ report }) => report.verdict === 'does not hold')) process.exitCode = 1
    })
}

function listText(): string {
  return formatTable(
    [
      { title: 'name', text: (one: Experiment) => one.id },
      { title: 'kind', text: ({ kind }) => kind },
      { title: 'minutes', right: true, text: (one) => `${one.minutes.quick}` },
      { title: 'full', right: true, text: (one) => `${one.minutes.full}` },
      { title: 'claim or question', text: (one) => one.about },
    ],
    experiments,
  )
}

function summaryText(kept: readonly KeptReport[]): string {
  return formatTable(
    [
      { title: 'experiment', text: ({ report }: KeptReport) => report.id },
      { title: 'verdict', text: ({ report }) => report.verdict ?? 'a study' },
      {
        title: 'gates that hold',
        right: true,
        text: ({ report }) =>
          `${report.gates.filter((gate) => gate.verdict === 'holds').length} of ${report.gates.length}`,
      },
      { title: 'time', right: true, text: ({ wallMs }) => formatDuration(wallMs) },
    ],
    kept,
  )
}
