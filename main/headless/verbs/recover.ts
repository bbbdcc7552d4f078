import { Command } from 'commander'
import { recoverData } from '../../app.ts'
import { resolveDataFolder } from '../connect.ts'
import { globals } from '../globals.ts'

export function recoverCommand(): Command {
  return new Command('recover')
    .description('Build the database anew from the data sets, label journals and run folders. The old file is kept beside it.')
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      const report = await recoverData(resolveDataFolder(dataDir))
      out.result(report, Object.entries(report).map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join('; ') : String(value)}`).join('\n'))
    })
}
