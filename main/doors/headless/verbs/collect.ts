import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { Command } from 'commander'
import { z } from 'zod'
import { collectSettings, type CollectRequest } from '../../../../shared/collecting.ts'
import type { DatasetSummary } from '../../../../shared/contract/datasets.ts'
import type { CollectJob } from '../../../../shared/contract/segments.ts'
import type { JobId } from '../../../../shared/domain.ts'
import { AppError, describeIssues, ERROR_EXIT_STATUS, fromWire } from '../../../../shared/errors.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatCount, formatDuration } from '../../../../shared/units.ts'
import { nullIfUnknown, withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { createCountView } from '../progress.ts'
import { reportDataset } from '../report-import.ts'
import { addSchemaFlags, readSchemaFlags } from '../schema-flags.ts'
import { formatTable, type Output } from '../output.ts'
import { readNumber } from './import-options.ts'
import { resolveGiven } from '../../../base/files/given-path.ts'
import { pickRun } from './runs.ts'

/** Behind the run that is named otherwise: by id, its beginning, or name. */
const flagsSchema = z.toJSONSchema(collectSettings.omit({ runId: true }).partial({ world: true }), { io: 'input' })

export function collectCommand(): Command {
  const command = new Command('collect')
    .description(
      'Let a policy act in a simulated world, and keep pairs of segments as a data set to label or to train on. Without --world the worlds are listed.',
    )
    .option('--run <run>', 'whose policy acts: --behaviour learned')
    .option('--to <name>', 'name of the data set')
  addSchemaFlags(command, flagsSchema, 'What is collected:')
  return command
    .addHelpText(
      'after',
      '\nExample:\n  pairlab collect --world reach --segments 2000 --label regret --to "Reach, by regret"\n  pairlab train cpl --data "Reach, by regret"',
    )
    .action(async (flags: Readonly<Record<string, unknown>>, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(
        dataDir,
        async ({ client }) => {
          if (flags['world'] === undefined) return listWorlds(client, out)
          const run = typeof flags['run'] === 'string' ? await pickRun(client, flags['run']) : null
          const given = {
            ...readSchemaFlags(flagsSchema, flags),
            ...(run === null ? {} : { behaviour: 'learned', runId: run.runId }),
          }
          const settings = collectSettings.safeParse(given)
          if (!settings.success)
            throw new AppError({
              code: 'usage-invalid',
              message: `The collection cannot be made: ${describeIssues(settings.error)}.`,
              hint: 'See pairlab collect --help for the values that flags take.',
            })
          const { world, label } = settings.data
          const name = typeof flags['to'] === 'string' ? flags['to'] : `${world}, ${label}`
          const made = await followCollection(client, { ...settings.data, name }, out)
          if (made !== null)
            await reportDataset(client, await client.call('datasets.get', { datasetId: made.datasetId }), out)
        },
        'own',
      )
    })
}

async function listWorlds(client: Client, out: Output): Promise<void> {
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
}

const POLL_MS = 150

/** Told as it goes; begun again where it went with the process that did it. @returns null where Ctrl+C ended it */
async function followCollection(client: Client, request: CollectRequest, out: Output): Promise<DatasetSummary | null> {
  const clientKey = randomUUID()
  const begin = async (): Promise<JobId> =>
    (await client.call('segments.startCollecting', { ...request, clientKey })).jobId
  let jobId = await begin()
  let interrupted = false
  const cancel = (): void => {
    interrupted = true
    void client.call('segments.cancelCollecting', { jobId }).catch(() => undefined) // then it has ended, or the app has
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, cancel)
  const view = createCountView(`Collecting ${formatCount(request.segments)} segments in ${request.world}`, out)
  try {
    for (;;) {
      const job = await nullIfUnknown(client.call('segments.collectJob', { jobId }))
      if (job === null || (job.state === 'cancelled' && !interrupted)) {
        jobId = await begin()
        continue
      }
      view.update(job.done, job.total, describeJob(job))
      // A terminal's Ctrl+C ends the process that acts as well, which may be told first.
      if (job.state === 'cancelled' || (job.state === 'failed' && interrupted)) {
        process.exitCode = ERROR_EXIT_STATUS.cancelled
        view.end()
        out.note('Cancelled. Nothing of it was kept.')
        return null
      }
      if (job.state === 'failed' && job.error !== null) throw fromWire(job.error)
      if (job.state === 'finished' && job.datasetId !== null) {
        const { datasetId } = job
        const all = await client.call('datasets.list', {})
        return all.find((one) => one.datasetId === datasetId) ?? null // it may have been deleted at once
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  } finally {
    view.end()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, cancel)
  }
}

function describeJob({ state, phase, remainingMs }: CollectJob): string {
  if (state === 'waiting') return 'waiting for its turn'
  return remainingMs === null ? phase : `${phase}, ${formatDuration(remainingMs)} left`
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
