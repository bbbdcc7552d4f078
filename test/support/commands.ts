// Several commands on one data folder, as a person starts them in several terminals.
import { spawn, type ChildProcess } from 'node:child_process'
import { cliPath } from './cli.ts'

export interface RunningCommand {
  readonly words: readonly string[]
  readonly child: ChildProcess
  /** Both streams as they came. */
  said(): string
  readonly ended: Promise<{
    readonly status: number | null
    readonly signal: NodeJS.Signals | null
    readonly stdout: string
    readonly stderr: string
  }>
}

export function startCommand(words: readonly string[], dataFolder: string): RunningCommand {
  const child = spawn(process.execPath, [cliPath, ...words, '--data-dir', dataFolder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
  const ended = new Promise<Awaited<RunningCommand['ended']>>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, ...text }))
  })
  return { words, child, said: () => text.stdout + text.stderr, ended }
}
