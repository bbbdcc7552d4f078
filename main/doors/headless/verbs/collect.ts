import path from 'node:path'
import { Command, Option } from 'commander'
import { collectRequest } from '../../../../shared/contract/segments.ts'
import { formatCount } from '../../../../shared/units.ts'
import { pick, withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { reportDataset } from '../report-import.ts'
import { formatTable } from '../output.ts'
import { readNumber } from './import-options.ts'
import { resolveGiven } from '../../../base/files/given-path.ts'

interface CollectFlags {
  readonly segments: number
  readonly steps: number
  readonly perEpisode?: number
  readonly behaviour: 'weak' | 'expert' | 'random' | 'mixed' | 'learned'
  readonly run?: string
  readonly noise: number
  readonly label: 'regret' | 'reward' | 'none'
  readonly seed: number
  readonly to?: string
  readonly world?: string
}

export function collectCommand(): Command {
  const { behaviour, label } = collectRequest.shape
  return new Command('collect')
    .description(
      'Let a policy act in a simulated world, and keep pairs of segments as a data set to label or to train on.',
    )
    .option('--world <id>', 'which world; without it the worlds are listed')
    .option('--segments <n>', 'segments, two of which make a pair', readNumber, 2000)
    .option('--steps <n>', 'steps of a segment', readNumber, 64)
    .option('--per-episode <n>', 'segments of an episode, from its start; default: as many as it holds', readNumber)
    .addOption(new Option('--behaviour <name>', 'who acts').choices(behaviour.unwrap().options).default('weak'))
    .option('--run <run>', 'with --behaviour learned: whose last checkpoint acts')
    .option('--noise <deviation>', 'of the noise on actions', readNumber, 0.3)
    .addOption(
      new Option(
        '--label <kind>',
        'regret: by the sum of advantages; reward: by the sum of rewards; none: a person will judge',
      )
        .choices(label.unwrap().options)
        .default('regret'),
    )
    .option('--seed <n>', 'the same seed gives the same segments', readNumber, 1)
    .option('--to <name>', 'name of the data set')
    .addHelpText(
      'after',
      '\nExample:\n  pairlab collect --world reach --segments 2000 --label regret --to "Reach, by regret"\n  pairlab train cpl --data "Reach, by regret"',
    )
    .action(async (flags: CollectFlags, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        if (flags.world === undefined) {
          const worlds = await client.call('worlds.list', {})
          out.result(
            worlds,
            formatTable(
              [
                { title: 'world', text: (world) => world.id },
                { title: 'sees', right: true, text: (world) => String(world.observation.length) },
                { title: 'does', right: true, text: (world) => String(world.action.length) },
                { title: 'episode', right: true, text: (world) => `${world.episodeSteps} steps` },
                { title: 'what it is', text: (world) => world.summary },
              ],
              worlds,
            ),
          )
          return
        }
        const run =
          flags.run === undefined
            ? null
            : pick(
                await client.call('runs.list', {}),
                flags.run,
                'run',
                (one) => one.runId,
                (one) => one.name,
              )
        out.note(`Collecting ${formatCount(flags.segments)} segments in ${flags.world} …`)
        const made = await client.call('segments.collect', {
          world: flags.world,
          pairs: Math.floor(flags.segments / 2),
          segmentSteps: flags.steps,
          perEpisode: flags.perEpisode ?? null,
          behaviour: run === null ? flags.behaviour : 'learned',
          runId: run?.runId ?? null,
          noise: flags.noise,
          label: flags.label,
          seed: flags.seed,
          name: flags.to ?? `${flags.world}, ${flags.label}`,
        })
        await reportDataset(client, await client.call('datasets.get', { datasetId: made.datasetId }), out)
      })
    })
}

interface SegmentImportFlags {
  readonly name?: string
  readonly world?: string
  readonly score?: string
  readonly steps?: number
}

export function importSegmentsCommand(): Command {
  return new Command('import-segments')
    .description(
      "Import pairs of segments, as `import --as segments` does: Pairlab's own JSON Lines, or an npz file of CPL's code.",
    )
    .argument('<file>', '.jsonl or .npz')
    .option('--name <name>', 'name of the data set')
    .option('--world <id>', 'npz: the world they come from, if it is one of `pairlab collect`')
    .option('--score <array>', 'npz: which array orders the segments; default: rl_sum, then others that are known')
    .option('--steps <n>', 'npz of a replay buffer: steps of a segment', readNumber)
    .action(async (file: string, flags: SegmentImportFlags, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const made = await client.call('segments.import', {
          path: resolveGiven(file),
          name: flags.name ?? path.basename(file).replace(/(\.\w+)(\.gz)?$/, ''),
          world: flags.world ?? null,
          scoreName: flags.score ?? null,
          ...(flags.steps === undefined ? {} : { segmentSteps: flags.steps }),
        })
        await reportDataset(client, await client.call('datasets.get', { datasetId: made.datasetId }), out)
      })
    })
}
