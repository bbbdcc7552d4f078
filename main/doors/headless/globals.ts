import type { Command } from 'commander'
import { createOutput, type Output } from './output.ts'

export interface Globals {
  readonly out: Output
  readonly dataDir: string | undefined
}

/** What every verb takes. */
export function globals(command: Command): Globals {
  const options = command.optsWithGlobals<{ json?: boolean; dataDir?: string }>()
  return { out: createOutput(options.json === true), dataDir: options.dataDir }
}
