import { format } from 'node:util'
import { Command, CommanderError } from 'commander'
import { AppError, ERROR_EXIT_STATUS } from '../../../shared/errors.ts'
import { APP_VERSION } from '../../app/app.ts'
import { keepFilesPrivate } from '../../base/private-folder.ts'
import { reportError, writeError, writeOut } from './output.ts'
import { goldenCommand } from './verbs/check.ts'
import { collectCommand, importSegmentsCommand } from './verbs/collect.ts'
import { compareCommand } from './verbs/compare.ts'
import { versusCommand } from './verbs/versus.ts'
import { evaluateCommand } from './verbs/evaluate.ts'
import { agreementCommand, datasetsCommand, exportCommand, inspectCommand, samplesCommand } from './verbs/data.ts'
import { importCommand } from './verbs/import.ts'
import { demoCommand } from './verbs/demo.ts'
import { doctorCommand } from './verbs/doctor.ts'
import { embedCommand } from './verbs/embed.ts'
import { engineCommand } from './verbs/engine.ts'
import { generateCommand } from './verbs/generate.ts'
import { labelCommand } from './verbs/label.ts'
import { modelsCommand } from './verbs/models.ts'
import { recoverCommand } from './verbs/recover.ts'
import { reproduceCommand } from './verbs/reproduce.ts'
import { runsCommand } from './verbs/runs.ts'
import { serveCommand } from './verbs/serve.ts'
import { trainCommand } from './verbs/train.ts'
import { trashCommand } from './verbs/trash.ts'
import { verifyCommand } from './verbs/verify.ts'

const EXAMPLES = `
The whole road:
  pairlab import pairs.jsonl --name mine      read a file; bad rows are listed, good ones kept
  pairlab label mine --annotator ann          label in the terminal, or open the app: pairlab serve --open
  pairlab train sft --data mine --seeds 1-3   a policy from scratch, once for each seed
  pairlab train dpo --data mine --model run:<sft run> --seeds 1-3
  pairlab generate --model run:<dpo run> --chat --prompt "…"
  pairlab compare                             mean ± interval over seeds, and what can be concluded

Exit status: 0 done, 2 usage, 3 bad input, 4 not found, 5 conflict, 6 engine or memory, 7 disk, 8 database, 9 training
failed, 10 refused, 70 unexpected, 130 cancelled.`

/** Complaints of the parser quote what was given. */
const OUTPUT = { writeOut, writeErr: writeError }

function createProgram(): Command {
  const program = new Command('pairlab')
    .description('Label preferences by hand, train policies on them, compare the runs. Offline.')
    .version(APP_VERSION)
    .option('--json', 'one JSON document on standard output')
    .option('--data-dir <folder>', 'where everything is kept (default: PAIRLAB_DATA, else the usual place)')
    .addHelpText('after', EXAMPLES)
    .configureOutput(OUTPUT)
    .showSuggestionAfterError()
  const commands = [
    importCommand(),
    inspectCommand(),
    samplesCommand(),
    collectCommand(),
    importSegmentsCommand(),
    datasetsCommand(),
    labelCommand(),
    agreementCommand(),
    exportCommand(),
    modelsCommand(),
    trainCommand((method) => process.argv.includes(method)),
    generateCommand(),
    embedCommand(),
    runsCommand(),
    compareCommand(),
    versusCommand(),
    evaluateCommand(),
    serveCommand(),
    engineCommand(),
    demoCommand(),
    goldenCommand(),
    reproduceCommand(),
    doctorCommand(),
    verifyCommand(),
    recoverCommand(),
    trashCommand(),
  ]
  for (const command of commands) program.addCommand(withGlobals(command))
  return program
}

/** The global options are taken behind a verb as well, where people write them. */
function withGlobals(command: Command): Command {
  for (const inner of command.commands) withGlobals(inner as Command)
  return command
    .option('--json', 'one JSON document on standard output')
    .option('--data-dir <folder>', 'where everything is kept')
    .configureOutput(OUTPUT)
    .exitOverride()
}

/** commander has already printed its help or its complaint, on standard error. */
function reportUsage(error: CommanderError, json: boolean): number {
  if (error.exitCode === 0) return 0
  const [what = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const usage = new AppError({
    code: 'usage-invalid',
    message: what,
    hint: rest.join(' ').trim() || 'See: pairlab --help, pairlab <verb> --help',
  })
  if (json) return reportError(usage, true)
  if (rest.length === 0) writeError(`${usage.hint}\n`)
  return ERROR_EXIT_STATUS['usage-invalid']
}

/** The reader of a pipe has seen enough (`| head`): that is no failure. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  process.exitCode = ERROR_EXIT_STATUS['disk-full'] // the answer is lost; what was done is done
}

/** Libraries warn on the console, also of what stands in a file. */
function quietConsole(): void {
  const write = (...words: unknown[]): void => writeError(`${format(...words)}\n`)
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) console[name] = write
}

async function main(): Promise<void> {
  keepFilesPrivate()
  quietConsole()
  const json = process.argv.includes('--json')
  process.stdout.on('error', endWithReader)
  process.stderr.on('error', () => undefined) // a full disk or a closed terminal behind it must not end the app
  try {
    await createProgram().exitOverride().parseAsync()
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? reportUsage(error, json) : reportError(error, json)
  }
}

await main()
