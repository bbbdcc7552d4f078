import { Command } from 'commander'
import { AppError } from '../../../../shared/errors.ts'
import type { TrashEntryInfo } from '../../../../shared/contract/trash.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatBytes, formatCount } from '../../../../shared/units.ts'
import { withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable } from '../output.ts'

const RULE =
  'What holds no labels of people is removed 30 days after it was deleted; everything else only by: pairlab trash empty'
const day = (atMs: number | null): string => (atMs === null ? '–' : new Date(atMs).toISOString().slice(0, 10))

function listCommand(): Command {
  return new Command('list')
    .description('What was deleted and can be restored.')
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const all = await client.call('trash.list', {})
        const table = formatTable(
          [
            { title: 'id', text: (row) => row.trashId },
            { title: 'what', text: (row) => row.kind },
            { title: 'name', text: (row) => row.name },
            { title: 'size', right: true, text: (row) => formatBytes(row.sizeBytes) },
            { title: 'label events', right: true, text: (row) => formatCount(row.labelEvents) },
            { title: 'deleted', text: (row) => day(row.deletedAtMs) },
            { title: 'removed', text: (row) => (row.removedAtMs === null ? 'on command' : day(row.removedAtMs)) },
          ],
          all,
        )
        out.result(all, all.length === 0 ? 'The trash is empty.' : `${table}\n${RULE}`)
      })
    })
}

async function pickEntry(client: Client, wanted: string): Promise<TrashEntryInfo> {
  const all = await client.call('trash.list', {})
  const found = all.filter((entry) => entry.trashId === wanted || entry.name === wanted)
  if (found.length === 1 && found[0] !== undefined) return found[0]
  throw new AppError({
    code: 'not-found',
    message:
      found.length === 0 ? `There is no "${wanted}" in the trash.` : `${found.length} entries are called "${wanted}".`,
    hint: 'Give an id of: pairlab trash list',
  })
}

export function trashCommand(): Command {
  return new Command('trash')
    .description('What was deleted: list it, restore it, or remove it for good.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(
      new Command('restore')
        .description('Put it back where it was, with its labels.')
        .argument('<id or name>')
        .action(async (wanted: string, _options: unknown, command: Command) => {
          const { out, dataDir } = globals(command)
          await withClient(dataDir, async ({ client }) => {
            const { trashId } = await pickEntry(client, wanted)
            const done = await client.call('trash.restore', { trashId })
            out.result(done, `"${done.name}" is back.`)
          })
        }),
    )
    .addCommand(
      new Command('empty')
        .description('Remove it for good; without an id, everything.')
        .argument('[id or name]')
        .action(async (wanted: string | undefined, _options: unknown, command: Command) => {
          const { out, dataDir } = globals(command)
          await withClient(dataDir, async ({ client }) => {
            const done = await client.call('trash.empty', {
              trashIds: wanted === undefined ? null : [(await pickEntry(client, wanted)).trashId],
            })
            out.result(
              done,
              [
                `${formatCount(done.removed)} removed, ${formatBytes(done.freedBytes)} free.`,
                ...(done.remains.length === 0
                  ? []
                  : ['Texts of it may still stand in:', ...done.remains.map((file) => `  ${file}`)]),
              ].join('\n'),
            )
          })
        }),
    )
}
