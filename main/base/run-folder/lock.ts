import { execFileSync } from 'node:child_process'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { isErrno } from '../files/system-error.ts'
import { runPaths } from './paths.ts'

/**
 * A process, told apart from a later one that got the same number. `started` is the operating system's own word for
 * when it began; empty where the system does not tell, and then nothing is proved by it.
 */
export const processIdentity = z.strictObject({ pid: z.int().positive(), started: z.string() })
export type ProcessIdentity = z.infer<typeof processIdentity>

/** Identity of a running process, null when there is none with this number (a zombie is none). */
export function identify(pid: number): ProcessIdentity | null {
  if (process.platform === 'linux') return identifyLinux(pid)
  if (!exists(pid)) return null
  const [file, args] =
    process.platform === 'win32'
      ? (['powershell.exe', ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`]] as const)
      : (['ps', ['-o', 'lstart=', '-p', String(pid)]] as const)
  try {
    return {
      pid,
      started: execFileSync(file, [...args], {
        encoding: 'utf8',
        timeout: 10_000,
        windowsHide: true,
        env: { ...process.env, LC_ALL: 'C' },
      }).trim(),
    }
  } catch (error) {
    // It may have ended in between; where the tool itself is missing, the bare number has to do.
    if (!exists(pid)) return null
    if (isErrno(error, 'ENOENT', 'ETIMEDOUT')) return { pid, started: '' }
    throw error
  }
}

function identifyLinux(pid: number): ProcessIdentity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in brackets may hold spaces and brackets itself: count from the last one (proc(5): state is field 3, starttime 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const state = fields[0] ?? ''
    if (state === 'Z' || state === 'X') return null
    // Ticks count from the boot, so the boot belongs to the identity.
    return { pid, started: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19] ?? ''}` }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return null
    throw error
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false
    if (isErrno(error, 'EPERM')) return true
    throw error
  }
}

export function isRunning(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid)
  if (now === null) return false
  return now.started === '' || now.started === identity.started // where the system does not tell, it may be
}

/** Whether this very process runs, proved by its number and its start as the system tells them now. Only such a one may be signalled. */
export function isProved({ pid, started }: ProcessIdentity): boolean {
  return pid > 1 && pid !== process.pid && started !== '' && identify(pid)?.started === started
}

/** Who holds the run folder as its trainer; null when nobody alive does. */
export function lockOwner(folder: string): ProcessIdentity | null {
  const owner = readLock(runPaths(folder).lock)
  return owner !== null && isRunning(owner) ? owner : null
}

function readLock(file: string): ProcessIdentity | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
  try {
    return processIdentity.parse(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null // cut off by a power failure: its writer is gone too
    throw error
  }
}

/**
 * Makes this process the only trainer of the folder until it ends. A lock of a dead process is taken over.
 * @throws AppError `run-conflict` when a living process trains this run.
 */
export function acquireRunLock(folder: string): () => void {
  const file = runPaths(folder).lock
  const me = identify(process.pid) ?? { pid: process.pid, started: '' }
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (createExclusively(file, JSON.stringify(me))) return () => rmSync(file, { force: true })
    const owner = lockOwner(folder)
    if (owner !== null) {
      throw new AppError({
        code: 'run-conflict',
        message: `Process ${owner.pid} is already training the run in ${folder}.`,
        hint: 'Wait for it, or stop it first.',
        details: { pid: owner.pid },
      })
    }
    // Moving it away first: of several processes that found the same dead lock, one succeeds and the others start over.
    moveAway(file, `${file}.${process.pid}.stale`)
  }
  throw new AppError({
    code: 'run-conflict',
    message: `Several processes want to train the run in ${folder} at the same time.`,
    hint: 'Stop the others and resume the run.',
  })
}

/** Linked into place with its content, so that nobody reads a lock that is still being written. */
function createExclusively(file: string, text: string): boolean {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, text, { flush: true })
  try {
    linkSync(temporary, file)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

function moveAway(file: string, target: string): void {
  try {
    renameSync(file, target)
    rmSync(target, { force: true })
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
