// The one way in which Pairlab starts a program of its own.
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams, type SpawnOptions } from 'node:child_process'
import { childEnvironment } from './child-environment.ts'

/** How a program is started: an executable, and what comes before the words that say what it is to do. */
export interface ProgramCommand {
  readonly execPath: string
  readonly args: readonly string[]
  /** Looked at whenever one is started: engines that were added meanwhile have libraries to be found. Default: what a child needs of this process's own. */
  readonly environment?: () => NodeJS.ProcessEnv
}

interface Start extends Pick<SpawnOptions, 'detached' | 'serialization' | 'stdio'> {
  /** What the program is to do. */
  readonly words: readonly string[]
  /** For Node itself, before the program. */
  readonly nodeArgs?: readonly string[]
  /** In place of the command's. */
  readonly environment?: NodeJS.ProcessEnv
}

/** The window's executable is asked to be plain Node. What it cannot do is told by the child's `error` event. */
export function startProgram(
  command: ProgramCommand,
  start: Start & { readonly stdio: ['pipe', 'pipe', 'pipe'] },
): ChildProcessWithoutNullStreams
export function startProgram(command: ProgramCommand, start: Start): ChildProcess
export function startProgram(
  command: ProgramCommand,
  { words, nodeArgs = [], environment, ...options }: Start,
): ChildProcess {
  const env = environment ?? command.environment?.() ?? childEnvironment(process.env)
  return spawn(command.execPath, [...nodeArgs, ...command.args, ...words], {
    ...options,
    windowsHide: true,
    env: process.versions['electron'] === undefined ? env : { ...env, ELECTRON_RUN_AS_NODE: '1' },
  })
}
