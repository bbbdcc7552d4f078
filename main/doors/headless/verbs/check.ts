import { existsSync } from 'node:fs'
import path from 'node:path'
import { Command, Option } from 'commander'
import { engineName, type EngineName } from '../../../../shared/domain.ts'
import { AppError } from '../../../../shared/errors.ts'
import { askWorker } from '../../../base/processes/ask-worker.ts'
import { globals } from '../globals.ts'
import { findSource } from '../places.ts'
import { workerFor } from '../worker.ts'

export function goldenCommand(): Command {
  return new Command('golden')
    .description(
      "Check the code's own losses, gradients, optimizer, tokenizer and statistics against a folder of golden vectors.",
    )
    .argument('[folder]', 'default: the vectors that come with the source')
    .addOption(new Option('--engine <name>').choices(engineName.options).default('cpu'))
    .action(async (given: string | undefined, options: { engine: EngineName }, command: Command) => {
      const { out, dataDir } = globals(command)
      const folder = given === undefined ? findSource('test/golden') : path.resolve(given)
      if (folder === null || !existsSync(folder))
        throw new AppError({
          code: 'file-not-found',
          message: `There is no folder ${given ?? 'of golden vectors here'}.`,
          hint: 'Give the folder that holds the vector files.',
        })
      const { worker, enginesFolder } = workerFor(dataDir)
      const { report, text } = await askWorker(worker, 'golden', { folder, engine: options.engine, enginesFolder })
      out.result(report, text)
      if (report.failed > 0) process.exitCode = 1
    })
}
