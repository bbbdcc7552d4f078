// Where the libraries of TensorFlow come from: wheels, a Python that has it, or pip.
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { runProgram } from '../../base/processes/run-program.ts'
import { checkWheelPlatform, extractWheel, parseWheelName } from './wheel.ts'

export const CC_LIBRARY = 'libtensorflow_cc.so.2'
export const FRAMEWORK_LIBRARY = 'libtensorflow_framework.so.2'

export interface Libraries {
  readonly version: string
  readonly cuda: boolean
  /** In words. */
  readonly source: string
  /** Absolute: holds the two libraries. */
  readonly folder: string
  /** Absolute. */
  readonly include: string
  /** Further folders of libraries, absolute. */
  readonly more: readonly string[]
  /** The headers are a copy of ours, to be deleted after the build. */
  readonly headersAreOurs: boolean
}

/** A wheel, or every wheel in a folder. @throws AppError `file-not-found` */
export function listWheels(given: readonly string[]): string[] {
  return given.flatMap((one) => {
    const file = path.resolve(one)
    if (!existsSync(file))
      throw new AppError({
        code: 'file-not-found',
        message: `There is no file ${file}.`,
        hint: 'Give the path of a TensorFlow wheel (tensorflow_cpu-….whl), or of a folder of wheels.',
      })
    if (!statSync(file).isDirectory()) return [file]
    const inside = readdirSync(file)
      .filter((name) => name.endsWith('.whl'))
      .map((name) => path.join(file, name))
    if (inside.length === 0)
      throw new AppError({
        code: 'file-not-found',
        message: `There is no wheel in ${file}.`,
        hint: 'Give the path of a TensorFlow wheel, or of a folder of wheels.',
      })
    return inside
  })
}

export function glibcVersion(): string | null {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined // not in Node's types
  return report?.header?.glibcVersionRuntime ?? null
}

/**
 * Unpacks libraries and headers of the TensorFlow wheel, and the libraries of the nvidia wheels beside it.
 * @throws AppError `input-invalid`, `engine-unavailable`, `disk-full`
 */
export async function fromWheels(
  files: readonly string[],
  target: string,
  say: (text: string) => void,
  signal?: AbortSignal,
): Promise<Libraries> {
  const named = files.map((file) => ({ file, ...parseWheelName(file) }))
  const main = named.find(({ distribution }) => /^tensorflow(-cpu|-intel|-aarch64)?$/.test(distribution))
  if (main === undefined)
    throw new AppError({
      code: 'input-invalid',
      message: `None of the wheels is TensorFlow's: ${named.map((one) => one.distribution).join(', ')}.`,
      hint: 'Give tensorflow_cpu-….whl, or tensorflow-….whl with the nvidia wheels beside it.',
    })
  const machine = { platform: process.platform, arch: process.arch, glibc: glibcVersion() }
  checkWheelPlatform(main, machine)
  mkdirSync(target, { recursive: true })
  say(`Unpacking ${path.basename(main.file)}`)
  await extractWheel(
    main.file,
    target,
    (entry) => {
      if (entry === `tensorflow/${CC_LIBRARY}` || entry === `tensorflow/${FRAMEWORK_LIBRARY}`) return entry
      return /^tensorflow\/include\/.*\.(h|hpp|inc|def)$/.test(entry) ? entry : null
    },
    signal,
  )
  const nvidia = named.filter(({ distribution }) => distribution.startsWith('nvidia-'))
  for (const { file, ...wheel } of nvidia) {
    checkWheelPlatform(wheel, machine)
    say(`Unpacking ${path.basename(file)}`)
    await extractWheel(
      file,
      target,
      (entry) => (/^nvidia\/.*\/lib\/[^/]+\.so[.\d]*$/.test(entry) ? entry : null),
      signal,
    )
  }
  const folder = path.join(target, 'tensorflow')
  requireLibraries(folder, path.basename(main.file))
  return {
    version: main.version,
    cuda: nvidia.length > 0,
    source: named.map(({ file }) => path.basename(file)).join(', '),
    folder,
    include: path.join(folder, 'include'),
    more: libraryFolders(path.join(target, 'nvidia')),
    headersAreOurs: true,
  }
}

function requireLibraries(folder: string, from: string): void {
  for (const name of [CC_LIBRARY, FRAMEWORK_LIBRARY]) {
    if (!existsSync(path.join(folder, name)))
      throw new AppError({
        code: 'engine-unavailable',
        message: `${from} does not hold ${name}.`,
        hint: 'Take a TensorFlow wheel for Linux of version 2.15 or newer.',
      })
  }
  if (!existsSync(path.join(folder, 'include/tensorflow/c/c_api.h')))
    throw new AppError({
      code: 'engine-unavailable',
      message: `${from} does not hold TensorFlow's headers.`,
      hint: 'Take the wheel as it was published, not one that was stripped.',
    })
}

function libraryFolders(root: string): string[] {
  if (!existsSync(root)) return []
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name === 'lib')
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()
}

const FIND =
  'import importlib.util as u, importlib.metadata as m, os\ns = u.find_spec("tensorflow")\nif s: print(os.path.dirname(s.origin)); print(next(m.version(n) for n in ("tensorflow", "tensorflow-cpu", "tensorflow-intel") if any(d.metadata["Name"].lower() == n for d in m.distributions())))'

/** An installed Python's TensorFlow, used where it is; null where there is none. */
export async function fromPython(python: string, signal?: AbortSignal): Promise<Libraries | null> {
  const { status, stdout } = await runProgram(python, ['-c', FIND], { signal })
  const [folder = '', version = ''] = status === 0 ? stdout.trim().split('\n') : []
  if (folder === '' || !existsSync(path.join(folder, CC_LIBRARY))) return null
  requireLibraries(folder, folder)
  const more = libraryFolders(path.join(path.dirname(folder), 'nvidia'))
  return {
    version,
    cuda: more.length > 0,
    source: `the TensorFlow of ${python}`,
    folder,
    include: path.join(folder, 'include'),
    more,
    headersAreOurs: false,
  }
}

/** Fetches wheels from pip's package index into the folder; null where pip cannot. The one place where Pairlab reaches beyond this machine. */
export async function downloadWheels(
  python: string,
  cuda: boolean,
  folder: string,
  say: (text: string) => void,
  signal?: AbortSignal,
): Promise<string[] | null> {
  mkdirSync(folder, { recursive: true })
  const wanted = cuda ? ['tensorflow[and-cuda]'] : ['--no-deps', 'tensorflow-cpu']
  say(`Asking pip for ${wanted.at(-1)}`)
  const { status } = await runProgram(
    python,
    ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--only-binary=:all:', '-d', folder, ...wanted],
    { signal },
  )
  if (status !== 0) return null
  return readdirSync(folder)
    .filter((name) => /^(tensorflow|nvidia)/.test(name) && name.endsWith('.whl'))
    .map((name) => path.join(folder, name))
}
