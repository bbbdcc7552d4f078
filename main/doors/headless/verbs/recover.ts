import { Command } from 'commander'
import { recoverData } from '../../../app/app.ts'
import { resolveDataFolder } from '../connect.ts'
import { globals } from '../globals.ts'

/** One line a finding; lists of things by their names. */
function describe(report: object): string {
  const text = (value: unknown): string =>
    Array.isArray(value)
      ? `${value.length}${value.map((one) => `\n  ${text(one)}`).join('')}`
      : typeof value === 'object' && value !== null
        ? Object.values(value).map(String).join(', ')
        : String(value)
  return Object.entries(report)
    .map(([name, value]) => `${name}: ${text(value)}`)
    .join('\n')
}

export function recoverCommand(): Command {
  return new Command('recover')
    .description(
      'Build the database anew from the data sets, label journals and run folders. The old file is kept beside it.',
    )
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      const report = await recoverData(resolveDataFolder(dataDir))
      out.result(report, describe(report))
    })
}
