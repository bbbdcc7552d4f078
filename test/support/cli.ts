import { spawn, type ChildProcess } from 'node:child_process'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtProgram } from './built-program.ts'

export const cliPath =
  builtProgram('cli.js') ?? path.join(fileURLToPath(new URL('../..', import.meta.url)), 'main/doors/headless/cli.ts')

/** Instead of the person's own; where engines were added for the tests, that knows them. */
const config =
  process.env['PAIRLAB_ENGINES'] === undefined
    ? { PAIRLAB_CONFIG: path.join(tmpdir(), `pairlab tests of ${userInfo().username}`) }
    : {}

export interface CliResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly dataFolder: string
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

export function startCli(args: readonly string[], options: CliOptions): ChildProcess {
  return spawn(process.execPath, [cliPath, ...args], {
    env: { ...config, ...process.env, PAIRLAB_DATA: options.dataFolder, ...options.env },
    stdio: 'pipe',
  })
}

/** Runs the command line to its end. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const child = startCli(args, options)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.stdin?.end(options.input ?? '')
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}

/** The one document on standard output of a verb with --json. */
export async function runJson(args: readonly string[], options: CliOptions, status = 0): Promise<unknown> {
  const result = await runCli([...args, '--json'], options)
  if (result.status !== status)
    throw new Error(
      `pairlab ${args.join(' ')} ended with ${result.status}, not ${status}\n${result.stderr}\n${result.stdout}`,
    )
  return JSON.parse(result.stdout)
}
