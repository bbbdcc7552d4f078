import { existsSync } from 'node:fs'
import path from 'node:path'
import { Command, Option } from 'commander'
import { engineName, type EngineName } from '../../../../shared/domain.ts'
import { AppError } from '../../../../shared/errors.ts'
import { enginesFolderOf } from '../../../app/engine-setup/folder.ts'
import { formatGoldenReport, runGolden } from '../../../workers/golden/run-golden.ts'
import { openEngine } from '../../../workers/engine/choose.ts'
import { resolveDataFolder } from '../connect.ts'
import { globals } from '../globals.ts'
import { findSource } from '../places.ts'

export function goldenCommand(): Command {
  return new Command('golden')
    .description("Check the code's own losses, gradients, optimizer, tokenizer and statistics against a folder of golden vectors.")
    .argument('[folder]', 'default: the vectors that come with the source')
    .addOption(new Option('--engine <name>').choices(engineName.options).default('cpu'))
    .action(async (given: string | undefined, options: { engine: EngineName }, command: Command) => {
      const { out, dataDir } = globals(command)
      const folder = given === undefined ? findSource('test/golden') : path.resolve(given)
      if (folder === null || !existsSync(folder)) throw new AppError({ code: 'file-not-found', message: `There is no folder ${given ?? 'of golden vectors here'}.`, hint: 'Give the folder that holds the vector files.' })
      const engine = await openEngine(options.engine, { enginesFolder: enginesFolderOf(resolveDataFolder(dataDir)) })
      const report = await runGolden(folder, { engine: options.engine })
      await engine.dispose()
      out.result(report, formatGoldenReport(report))
      if (report.failed > 0) process.exitCode = 1
    })
}
