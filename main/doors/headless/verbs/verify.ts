import { Command } from 'commander'
import { formatCount } from '../../../../shared/units.ts'
import { withClient } from '../connect.ts'
import { globals } from '../globals.ts'

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Read every file of the data folder and compare it with its fingerprint, the database and its neighbours. Changes nothing; exit status 8 where something is damaged.',
    )
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const found = await client.call('system.verify', {})
        const seen = `${formatCount(found.datasets)} data sets and ${formatCount(found.runs)} runs were read`
        out.result(
          found,
          found.troubles.length === 0
            ? `${seen}: everything is as it was written.`
            : [
                ...found.troubles.map(({ path, trouble, hint }) => `${path}\n  ${trouble}\n  ${hint}`),
                `${seen}: ${found.troubles.length} troubles.`,
              ].join('\n'),
        )
        if (found.troubles.length > 0) process.exitCode = 8
      })
    })
}
