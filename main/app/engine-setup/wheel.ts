// A Python wheel is a zip archive with a telling name. Python is needed neither to read it nor to run what is in it.
import { createWriteStream, mkdirSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { AppError } from '../../../shared/errors.ts'
import { openRegularFile } from '../../base/files/regular-file.ts'
import { formatBytes } from '../../../shared/units.ts'

/** TensorFlow's largest wheels hold 20,000 files. */
const MOST_ENTRIES = 200_000

export interface WheelName {
  readonly distribution: string
  readonly version: string
  /** e.g. manylinux_2_27_x86_64 */
  readonly platform: string
}

/** name-version(-build)?-python-abi-platform.whl @throws AppError `input-invalid` */
export function parseWheelName(file: string): WheelName {
  const parts = path
    .basename(file)
    .replace(/\.whl$/, '')
    .split('-')
  if (!file.endsWith('.whl') || parts.length < 5) {
    throw new AppError({
      code: 'input-invalid',
      message: `${path.basename(file)} is not a wheel's name.`,
      hint: 'A wheel is called name-version-python-abi-platform.whl; keep the name it was fetched under.',
    })
  }
  return { distribution: parts[0]!.toLowerCase().replaceAll('_', '-'), version: parts[1]!, platform: parts.at(-1)! }
}

/** @throws AppError `engine-unavailable` for a wheel of another system or processor, or of a newer C library */
export function checkWheelPlatform(
  wheel: WheelName,
  machine: { readonly platform: string; readonly arch: string; readonly glibc: string | null },
): void {
  const wanted = { x64: 'x86_64', arm64: 'aarch64' }[machine.arch] ?? machine.arch
  const fits =
    wheel.platform === 'any' ||
    (machine.platform === 'linux' && wheel.platform.includes('linux') && wheel.platform.endsWith(wanted))
  if (!fits) {
    throw new AppError({
      code: 'engine-unavailable',
      message: `The wheel ${wheel.distribution} ${wheel.version} is for ${wheel.platform}; this machine is ${machine.platform} ${wanted}.`,
      hint:
        machine.platform === 'linux'
          ? `Fetch the one whose name ends in linux…_${wanted}.whl.`
          : 'The tensorflow engine is built on Linux alone; use the wasm or webgpu engine here.',
    })
  }
  if (wheel.platform.startsWith('musl') || machine.glibc === null) {
    throw new AppError({
      code: 'engine-unavailable',
      message: 'TensorFlow needs the GNU C library, which this Linux does not have.',
      hint: 'Use the wasm engine here, or a distribution such as Debian or Fedora.',
    })
  }
  const needed = /manylinux_(\d+)_(\d+)/.exec(wheel.platform)
  const [major = 0, minor = 0] = machine.glibc.split('.').map(Number)
  if (needed !== null && (Number(needed[1]) > major || (Number(needed[1]) === major && Number(needed[2]) > minor))) {
    throw new AppError({
      code: 'engine-unavailable',
      message: `The wheel needs glibc ${needed[1]}.${needed[2]}; this system has ${machine.glibc}.`,
      hint: 'Take an older TensorFlow wheel, or a newer system.',
    })
  }
}

/**
 * Writes the wanted entries below `target`, one after the other, a stream each.
 * @param wanted → path below the target, or null to leave the entry
 * @returns how many were written
 * @throws AppError `input-invalid` for what is no zip archive or reaches outside, `disk-full` before writing anything
 */
export async function extractWheel(
  file: string,
  target: string,
  wanted: (entry: string) => string | null,
  signal?: AbortSignal,
): Promise<number> {
  const zip = await open(file)
  try {
    const entries: { readonly entry: Entry; readonly to: string }[] = []
    if (zip.entryCount > MOST_ENTRIES)
      throw new AppError({
        code: 'input-invalid',
        message: `${path.basename(file)} says that it holds ${zip.entryCount} files; a wheel is read up to ${MOST_ENTRIES}.`,
        hint: 'Do not use this file; fetch it again.',
      })
    for await (const entry of zip.eachEntry()) {
      const to = entry.fileName.endsWith('/') ? null : wanted(entry.fileName)
      if (to !== null) entries.push({ entry, to: inside(target, to) })
    }
    checkSpace(
      target,
      entries.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0),
    )
    for (const { entry, to } of entries) {
      signal?.throwIfAborted()
      mkdirSync(path.dirname(to), { recursive: true })
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(to, { mode: 0o644 }), {
        ...(signal === undefined ? {} : { signal }),
      })
    }
    return entries.length
  } catch (error) {
    if (error instanceof AppError) throw error
    signal?.throwIfAborted()
    throw new AppError({
      code: 'input-invalid',
      message: `${path.basename(file)} cannot be unpacked: ${error instanceof Error ? error.message : String(error)}.`,
      hint: 'The file is damaged or was not fetched whole; fetch it again.',
      cause: error,
    })
  } finally {
    zip.close()
  }
}

async function open(file: string): Promise<ZipFile> {
  try {
    await (await openRegularFile(file)).handle.close()
    return await openPromise(file, { autoClose: false, lazyEntries: true })
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError({
      code: 'input-invalid',
      message: `${path.basename(file)} cannot be opened as a wheel: ${error instanceof Error ? error.message : String(error)}.`,
      hint: 'A wheel is a zip archive; fetch it again.',
      cause: error,
    })
  }
}

function inside(target: string, relative: string): string {
  const to = path.resolve(target, relative)
  if (to.startsWith(path.resolve(target) + path.sep)) return to
  throw new AppError({
    code: 'input-invalid',
    message: `The wheel holds a file that would be written outside its folder: ${relative}.`,
    hint: 'Do not use this file.',
  })
}

const SPARE_BYTES = 500e6

function checkSpace(target: string, neededBytes: number): void {
  const disk = statfsSync(target)
  const free = disk.bavail * disk.bsize
  if (free > neededBytes + SPARE_BYTES) return
  throw new AppError({
    code: 'disk-full',
    message: `Unpacking takes ${formatBytes(neededBytes)}; ${formatBytes(free)} are free in ${target}.`,
    hint: 'Free some space, or set PAIRLAB_ENGINES to a folder on another disk.',
  })
}
