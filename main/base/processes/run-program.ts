import { spawn } from 'node:child_process'
import path from 'node:path'
import { childEnvironment } from './child-environment.ts'

export interface ProgramEnd {
  /** Null when it could not be started, or was ended by a signal. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** Why it could not be started; null when it was. */
  readonly startError: string | null
}

export interface RunOptions {
  /** Ends it. */
  readonly signal?: AbortSignal | undefined
  /** What it is given of the environment. Default: what fetching and building needs. */
  readonly purpose?: 'compute' | 'build'
}

/** Python takes modules from where it is run, and a command line may stand in a folder of somebody else. */
const NOBODYS_FOLDER = path.parse(process.execPath).root

/**
 * Runs a program to its end without holding up the rest of the app, away from the folder of the command line.
 * @param file a name that is looked for in PATH, or an absolute path
 * @throws the signal's reason when it was aborted; the program is ended
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  { signal, purpose = 'build' }: RunOptions = {},
): Promise<ProgramEnd> {
  signal?.throwIfAborted()
  const end = await new Promise<ProgramEnd>((resolve) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      cwd: NOBODYS_FOLDER,
      env: childEnvironment(process.env, purpose),
    })
    const text = { stdout: '', stderr: '' }
    const kill = (): void => void child.kill('SIGKILL')
    signal?.addEventListener('abort', kill)
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
    child.once('error', (error) => resolve({ status: null, ...text, startError: error.message }))
    child.once('close', (status) => {
      signal?.removeEventListener('abort', kill)
      resolve({ status, ...text, startError: null })
    })
  })
  signal?.throwIfAborted()
  return end
}
