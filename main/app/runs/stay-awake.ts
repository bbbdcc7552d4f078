// A machine that trains over night is not to fall asleep: the system is asked, by its own program, for as long as the trainer is there.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { childEnvironment } from '../../base/processes/child-environment.ts'

interface AwakeProgram {
  readonly file: string
  /** It goes when the process of this number does, also where the app that started it is long gone. */
  args(pid: number): string[]
}

const PROGRAMS: Readonly<Partial<Record<NodeJS.Platform, AwakeProgram>>> = {
  linux: {
    file: 'systemd-inhibit',
    args: (pid) => [
      '--what=sleep:idle',
      '--mode=block',
      '--who=Pairlab',
      '--why=A run trains',
      'tail',
      `--pid=${pid}`,
      '-f',
      '/dev/null',
    ],
  },
  darwin: { file: 'caffeinate', args: (pid) => ['-i', '-w', String(pid)] },
}

/** The program that keeps this machine awake; null where there is none, as on Windows, where the window does it. */
export function findAwakeProgram(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string | null {
  const program = PROGRAMS[platform]
  if (program === undefined) return null
  return (
    (env['PATH'] ?? '')
      .split(path.delimiter)
      .filter((folder) => path.isAbsolute(folder))
      .map((folder) => path.join(folder, program.file))
      .find(isProgram) ?? null
  )
}

/** Keeps the machine awake while a process is there. Where the system does not want to be asked, it may sleep: the run goes on after it. */
export function stayAwakeFor(pid: number): void {
  const file = findAwakeProgram()
  const program = PROGRAMS[process.platform]
  if (file === null || program === undefined) return
  const child = spawn(file, program.args(pid), {
    detached: true, // as the trainer: it outlives the app
    stdio: 'ignore',
    cwd: path.parse(process.execPath).root,
    env: childEnvironment(process.env),
  })
  child.once('error', () => undefined)
  child.unref()
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
