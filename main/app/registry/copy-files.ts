import { mkdir, open, stat, statfs, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { openRegularFile } from '../../base/files/regular-file.ts'
import { formatBytes } from '../../../shared/units.ts'
import { fileIn } from '../../core/models/model-files.ts'
import { isErrno } from '../../base/files/system-error.ts'
import { syncFolder } from '../../base/files/durable.ts'

const CHUNK_BYTES = 4 * 2 ** 20
/** Left for everything else that is written meanwhile. */
const RESERVE_BYTES = 64 * 2 ** 20

export async function freeBytes(folder: string): Promise<number> {
  const disk = await statfs(folder)
  return disk.bavail * disk.bsize
}

/** @throws AppError `disk-full` before the first byte is written */
export async function requireSpace(
  folder: string,
  neededBytes: number,
  hint = 'Free some space, or add the model by link: its files then stay where they are.',
): Promise<void> {
  const free = await freeBytes(folder)
  if (free >= neededBytes + RESERVE_BYTES) return
  throw new AppError({
    code: 'disk-full',
    message: `A copy takes ${formatBytes(neededBytes)}; the disk with ${folder} has ${formatBytes(free)} free.`,
    hint,
  })
}

/**
 * Copies files piece by piece, each on the disk before the next begins.
 * @param files relative to both folders
 * @throws AppError `disk-full`, `model-unsupported` when a file changes while it is read; the signal's reason
 */
export async function copyFiles(
  from: string,
  to: string,
  files: readonly string[],
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(to, { recursive: true })
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (const name of files) {
    signal.throwIfAborted()
    await mkdir(path.dirname(path.join(to, name)), { recursive: true })
    const source = fileIn(from, name)
    const before = await stat(source)
    await copyOne({ from: source, to: path.join(to, name), buffer, onBytes, signal })
    const after = await stat(source)
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
      throw new AppError({
        code: 'model-unsupported',
        message: `${source} was changed while it was copied.`,
        hint: 'Wait until whatever writes it is done, then add the model again.',
      })
  }
  syncFolder(to)
}

interface CopyOne {
  readonly from: string
  readonly to: string
  readonly buffer: Buffer
  onBytes(bytes: number): void
  readonly signal: AbortSignal
}

async function copyOne({ from, to, buffer, onBytes, signal }: CopyOne): Promise<void> {
  const { handle: source } = await openRegularFile(from)
  try {
    const target = await open(to, 'w')
    try {
      for (;;) {
        signal.throwIfAborted()
        const { bytesRead } = await source.read(buffer, 0, buffer.length, null)
        if (bytesRead === 0) break
        await writeAll(target, buffer.subarray(0, bytesRead))
        onBytes(bytesRead)
      }
      await target.sync()
    } finally {
      await target.close()
    }
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error
    throw new AppError({
      code: 'disk-full',
      message: `The disk with ${path.dirname(to)} became full while the model was copied.`,
      hint: 'Free some space, or add the model by link. Nothing was kept.',
      cause: error,
    })
  } finally {
    await source.close()
  }
}

/** A write may take fewer bytes than it was given. */
async function writeAll(target: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await target.write(bytes, done)).bytesWritten
}
