import path from 'node:path'
import { Command, Option } from 'commander'
import { engineName, type EngineName } from '../../../../shared/domain.ts'
import { PACKAGE_INDEX } from '../../../../shared/connections.ts'
import { AppError } from '../../../../shared/errors.ts'
import { formatBytes, formatCount, formatRate } from '../../../../shared/units.ts'
import { APP_VERSION } from '../../../app/app.ts'
import { findWorker } from '../../../app/find-programs.ts'
import { writeAdapter } from '../../../app/engine-setup/adapter.ts'
import { addTensorflow, removeTensorflow } from '../../../app/engine-setup/add-tensorflow.ts'
import { nodeHeaders, tensorflowPackages } from '../../../app/engine-setup/checkout.ts'
import { secondsFor, selfTestStaged } from '../../../app/engine-setup/engine-service.ts'
import { chooseEngine, forgetFigures, writeFigures } from '../../../app/engine-setup/figures.ts'
import { enginesFolderOf, readEngineRecord } from '../../../app/engine-setup/folder.ts'
import { probeEngine, type EngineProbe } from '../../../app/engine-setup/probe.ts'
import { resolveDataFolder } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable } from '../output.ts'

function table(probes: readonly EngineProbe[]): string {
  const speed = (value: number | undefined): string => (value === undefined ? '' : formatCount(Math.round(value)))
  return formatTable(
    [
      { title: 'engine', text: (one: EngineProbe) => one.name },
      { title: 'state', text: (one) => (one.available ? (one.software ? 'emulated' : 'ready') : 'not here') },
      {
        title: 'device',
        text: (one) => (one.available ? one.device : `${one.error?.message ?? ''} ${one.error?.hint ?? ''}`),
      },
      { title: 'training tokens/s', text: (one) => speed(one.speed?.trainingTokensPerSec) },
      { title: 'sampling tokens/s', text: (one) => speed(one.speed?.samplingTokensPerSec) },
      {
        title: 'products',
        text: (one) => (one.speed === null ? '' : formatRate(one.speed.productFlopsPerSec, 'FLOP')),
      },
      { title: 'memory', text: (one) => (one.speed === null ? '' : formatRate(one.speed.memoryBytesPerSec, 'B')) },
      { title: 'peak memory', text: (one) => (one.peakBytes === null ? '' : formatBytes(one.peakBytes)) },
    ],
    probes,
  )
}

async function probeAll(
  enginesFolder: string,
  names: readonly EngineName[],
  seconds: number,
  say: (text: string) => void,
): Promise<EngineProbe[]> {
  const probes: EngineProbe[] = []
  for (const name of names) {
    say(`${seconds > 0 ? 'Measuring' : 'Testing'} ${name} …`)
    probes.push(
      await probeEngine(findWorker(), name, { enginesFolder, threads: null, seconds: secondsFor(name, seconds) }),
    )
  }
  return probes
}

interface AddFlags {
  readonly wheel: string[]
  readonly python: string
  readonly fromIndex?: boolean
  readonly cuda?: boolean
}

function addCommand(): Command {
  const collect = (value: string, previous: string[]): string[] => [...previous, value]
  return new Command('add')
    .description(
      'Bring an engine onto this machine. TensorFlow: from what npm downloaded, or an installed Python; from a wheel that is named; or, with --from-index, from pip’s package index, which is the one thing here that needs internet.',
    )
    .addArgument(new Command().createArgument('<engine>', 'tensorflow').choices(['tensorflow']))
    .option(
      '--wheel <file>',
      'a TensorFlow wheel, or a folder with it and the nvidia wheels; may be given several times',
      collect,
      [],
    )
    .option('--python <program>', 'whose TensorFlow, and whose pip, to use', 'python3')
    .option('--from-index', `where it is not on this machine, have pip fetch it (${PACKAGE_INDEX})`)
    .option('--cuda', 'with --from-index: the build for NVIDIA graphics cards')
    .action(async (_engine: string, flags: AddFlags, command: Command) => {
      const { out, dataDir } = globals(command)
      if (flags.cuda === true && flags.fromIndex !== true)
        throw new AppError({
          code: 'usage-invalid',
          message: '--cuda says which build pip is to fetch, and without --from-index nothing is fetched.',
          hint: 'Give both, or neither.',
        })
      const enginesFolder = enginesFolderOf(resolveDataFolder(dataDir))
      const { record, device } = await addTensorflow({
        enginesFolder,
        wheels: flags.wheel,
        python: flags.python.includes(path.sep) ? path.resolve(flags.python) : flags.python,
        fetch: flags.fromIndex === true,
        cuda: flags.cuda === true,
        packages: tensorflowPackages(),
        nodeHeaders: nodeHeaders(),
        say: (text) => out.say(`${text} …`),
        selfTest: (staged) => selfTestStaged(findWorker(), staged),
      })
      forgetFigures(enginesFolder, APP_VERSION, 'tensorflow') // what was measured of the one before
      out.result(
        { ...record, device, folder: enginesFolder },
        `${device} is ready, from ${record.source}.\nMeasure it against the others: pairlab engine test`,
      )
    })
}

export function engineCommand(): Command {
  const names = new Option('--seconds <n>', 'how long to measure each').default('10')
  return new Command('engine')
    .description('What computes: list, test, add and remove engines.')
    .addCommand(addCommand())
    .addCommand(
      new Command('list')
        .description('Every engine and whether it works here.')
        .action(async (_flags: unknown, command: Command) => {
          const { out, dataDir } = globals(command)
          const enginesFolder = enginesFolderOf(resolveDataFolder(dataDir))
          const probes = await probeAll(enginesFolder, engineName.options, 0, () => undefined)
          out.result({ engines: probes, added: readEngineRecord(enginesFolder) }, table(probes))
        }),
    )
    .addCommand(
      new Command('test')
        .description('Test and measure engines; what is fastest is chosen where a run says "auto".')
        .addArgument(new Command().createArgument('[engine]', 'default: all').choices(engineName.options))
        .addOption(names)
        .action(async (engine: EngineName | undefined, flags: { seconds: string }, command: Command) => {
          const { out, dataDir } = globals(command)
          const enginesFolder = enginesFolderOf(resolveDataFolder(dataDir))
          const probes = await probeAll(
            enginesFolder,
            engine === undefined ? engineName.options : [engine],
            Number(flags.seconds),
            (text) => out.say(text),
          )
          const figures = writeFigures(enginesFolder, APP_VERSION, probes, Date.now())
          const chosen = `\n\nauto takes for training: ${chooseEngine(figures, 'training').name} (${chooseEngine(figures, 'training').why})\nand for sampling: ${chooseEngine(figures, 'sampling').name} (${chooseEngine(figures, 'sampling').why})`
          out.result({ engines: probes }, `${table(probes)}${chosen}`)
          if (engine !== undefined && !probes[0]!.available) process.exitCode = 6
        }),
    )
    .addCommand(
      new Command('adapter')
        .argument('[name]', 'a part of its name; left out, the fastest that is found')
        .description('Which graphics card the webgpu engine takes, on machines with several.')
        .action((name: string | undefined, _flags: unknown, command: Command) => {
          const { out, dataDir } = globals(command)
          const enginesFolder = enginesFolderOf(resolveDataFolder(dataDir))
          writeAdapter(enginesFolder, name ?? null)
          forgetFigures(enginesFolder, APP_VERSION, 'webgpu')
          out.result(
            { adapter: name ?? null },
            `webgpu takes ${name === undefined ? 'the fastest adapter' : `the adapter "${name}"`}. Try it: pairlab engine test webgpu`,
          )
        }),
    )
    .addCommand(
      new Command('remove')
        .addArgument(new Command().createArgument('<engine>', 'tensorflow').choices(['tensorflow']))
        .description('Delete an engine that was added.')
        .action((_engine: string, _flags: unknown, command: Command) => {
          const { out, dataDir } = globals(command)
          const enginesFolder = enginesFolderOf(resolveDataFolder(dataDir))
          const removed = removeTensorflow(enginesFolder)
          forgetFigures(enginesFolder, APP_VERSION, 'tensorflow')
          out.result({ removed }, removed ? 'TensorFlow is removed.' : 'TensorFlow was not added.')
        }),
    )
}
