// The one way in which a file of a person is opened. What only looks like a file (a named pipe, a device, a socket, a
// folder, a link in a circle) is refused before it is opened: opening a pipe waits for ever, and a device never ends.
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { AppError } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'

/** A pipe that took the file's place after it was looked at does not hold the opening up either. Windows has no such flag. */
const READ_ONLY = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/** @throws AppError `file-not-found`, `input-invalid` for what is no regular file */
export async function openRegularFile(
  file: string,
): Promise<{ readonly handle: FileHandle; readonly sizeBytes: number }> {
  let handle: FileHandle | null = null
  try {
    refuseOthers(await stat(file), file)
    handle = await open(file, READ_ONLY)
    const found = await handle.stat()
    refuseOthers(found, file)
    return { handle, sizeBytes: found.size }
  } catch (error) {
    await handle?.close()
    throw describeFileError(error, file)
  }
}

/** The same at once, for readers that do not wait. The descriptor is the caller's to close. */
export function openRegularFileSync(file: string): { readonly descriptor: number; readonly sizeBytes: number } {
  let descriptor: number | null = null
  try {
    refuseOthers(statSync(file), file)
    descriptor = openSync(file, READ_ONLY)
    const found = fstatSync(descriptor)
    refuseOthers(found, file)
    return { descriptor, sizeBytes: found.size }
  } catch (error) {
    if (descriptor !== null) closeSync(descriptor)
    throw describeFileError(error, file)
  }
}

/**
 * A whole file in memory. @param limitBytes most that a file of this kind can sensibly have
 * @throws AppError `file-not-found`, `input-invalid` for what is no regular file, `too-large` naming the bound
 */
export function readWholeFile(file: string, limitBytes: number): Buffer {
  const { descriptor, sizeBytes } = openRegularFileSync(file)
  try {
    if (sizeBytes > limitBytes)
      throw new AppError({
        code: 'too-large',
        message: `${file} has ${formatBytes(sizeBytes)}; a file of this kind is read up to ${formatBytes(limitBytes)}.`,
        hint: 'It is probably not the file that its name says. Put the right one in its place.',
      })
    return readStart(descriptor, sizeBytes)
  } finally {
    closeSync(descriptor)
  }
}

/** No more than the first bytes of a file, however long it is. @throws AppError as `readWholeFile`, but `too-large` */
export function readFileHead(file: string, limitBytes: number): { readonly bytes: Buffer; readonly whole: boolean } {
  const { descriptor, sizeBytes } = openRegularFileSync(file)
  try {
    return { bytes: readStart(descriptor, Math.min(sizeBytes, limitBytes)), whole: sizeBytes <= limitBytes }
  } finally {
    closeSync(descriptor)
  }
}

/** Fewer where the file was cut meanwhile. */
function readStart(descriptor: number, lengthBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(lengthBytes)
  let done = 0
  while (done < lengthBytes) {
    const count = readSync(descriptor, buffer, done, lengthBytes - done, done)
    if (count === 0) break
    done += count
  }
  return buffer.subarray(0, done)
}

function refuseOthers(found: Stats, file: string): void {
  if (found.isFile()) return
  const what = found.isDirectory()
    ? 'a folder'
    : found.isFIFO()
      ? 'a named pipe, not a file'
      : found.isSocket()
        ? 'a socket, not a file'
        : 'a device, not a file'
  throw new AppError({
    code: 'input-invalid',
    message: `${file} is ${what}.`,
    hint: found.isDirectory() ? 'Choose one file in it.' : 'Give a file: write what it delivers into one first.',
  })
}

/** System errors in the user's words. Unknown ones are returned as they came. */
export function describeFileError(error: unknown, file: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new AppError({
      code: 'file-not-found',
      message: `There is no file at ${file}.`,
      hint: 'Check the path; the file may have been moved or renamed.',
      cause: error,
    })
  if (code === 'EACCES' || code === 'EPERM')
    return new AppError({
      code: 'file-not-found',
      message: `The file ${file} may not be read.`,
      hint: 'Give yourself the permission to read it, or copy it to another folder.',
      cause: error,
    })
  if (code === 'ELOOP')
    return new AppError({
      code: 'file-not-found',
      message: `${file} is a link that leads back to itself.`,
      hint: 'Put the file itself in its place.',
      cause: error,
    })
  if (code === 'ENAMETOOLONG' || code === 'ERR_INVALID_ARG_VALUE')
    return new AppError({
      code: 'file-not-found',
      message: `There can be no file at ${file.replaceAll('\0', '\\0').slice(0, 200)}.`,
      hint: 'Check the path.',
      cause: error,
    })
  if (code === 'EISDIR')
    return new AppError({
      code: 'input-invalid',
      message: `${file} is a folder.`,
      hint: 'Choose one file in it.',
      cause: error,
    })
  if (code === 'EIO' || code === 'ENXIO' || code === 'ENODEV' || code === 'EAGAIN')
    return new AppError({
      code: 'file-not-found',
      message: `The file ${file} cannot be read: ${(error as Error).message}.`,
      hint: 'The disk or the device does not deliver it. Copy the file to another place and try again.',
      cause: error,
    })
  return error
}
