import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { compileAddon, findCompiler } from './compile.ts'
import { RECORD_FILE, type EngineRecord } from './folder.ts'
import { FUNCTION_DOOR } from './function-door.ts'
import { PACKAGE_INDEX } from '../../../shared/connections.ts'
import { moveDurably } from '../../base/files/durable.ts'
import { engineMoved, rememberEngine } from '../../base/own-engines.ts'
import {
  CC_LIBRARY,
  downloadWheels,
  FRAMEWORK_LIBRARY,
  fromPython,
  fromWheels,
  listWheels,
  type Libraries,
} from './tensorflow-sources.ts'

export interface AddOptions {
  readonly enginesFolder: string
  /** Wheels or folders of wheels; empty: look elsewhere. */
  readonly wheels: readonly string[]
  readonly python: string
  /** The person said yes to pip asking its package index. */
  readonly fetch: boolean
  /** Then for the CUDA build. */
  readonly cuda: boolean
  /** The folders of @tensorflow/tfjs-node-gpu or -node, in order of preference. */
  readonly packages: readonly string[]
  /** Folder with node_api.h. */
  readonly nodeHeaders: string | null
  readonly say: (text: string) => void
  /** Opens the engine in a process of its own and computes with it. @throws AppError with what went wrong */
  readonly selfTest: (enginesFolder: string) => Promise<{ readonly device: string }>
  /** Gives up between two pieces of work, and ends the program that runs. */
  readonly signal?: AbortSignal
}

/**
 * Brings the tensorflow engine onto this machine: libraries from the first source that has them, an addon built
 * against them, a test, and only then the old engine gives way. A failure leaves everything as it was.
 * @throws AppError `engine-unavailable`, `input-invalid`, `file-not-found`, `disk-full`
 */
export async function addTensorflow(
  options: AddOptions,
): Promise<{ readonly record: EngineRecord; readonly device: string }> {
  if (process.platform !== 'linux')
    throw new AppError({
      code: 'engine-unavailable',
      message: 'The tensorflow engine is built on Linux alone.',
      hint: 'Use the webgpu or the wasm engine on this system.',
    })
  const staging = path.join(options.enginesFolder, '.staging')
  const folder = path.join(staging, 'tensorflow')
  rmSync(staging, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    const record = downloadedByNpm(options, folder) ?? (await build(options, folder, staging))
    writeFileSync(path.join(folder, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`)
    rememberEngine(folder)
    options.say('Testing it')
    const { device } = await options.selfTest(staging)
    options.signal?.throwIfAborted()
    moveIntoPlace(folder, path.join(options.enginesFolder, 'tensorflow'))
    return { record, device }
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

function moveIntoPlace(from: string, to: string): void {
  const old = `${to}.old`
  rmSync(old, { recursive: true, force: true })
  if (existsSync(to)) moveDurably(to, old)
  moveDurably(from, to)
  engineMoved(from, to)
  rmSync(old, { recursive: true, force: true })
}

/** True when there was one. */
export function removeTensorflow(enginesFolder: string): boolean {
  const folder = path.join(enginesFolder, 'tensorflow')
  const was = existsSync(folder)
  rmSync(folder, { recursive: true, force: true })
  return was
}

/** What the package's own install script may have left; wheels that were named come before it. */
function downloadedByNpm(options: AddOptions, folder: string): EngineRecord | null {
  if (options.wheels.length > 0) return null
  for (const root of options.packages) {
    const addon = path.join(root, 'lib/napi-v8/tfjs_binding.node')
    const libraries = path.join(root, 'deps/lib')
    if (!existsSync(addon) || !existsSync(libraries)) continue
    options.say(`Taking what npm downloaded into ${root}`)
    return recordOf(
      {
        tensorflowVersion: 'as downloaded by npm',
        cuda: root.endsWith('-gpu'),
        source: `the package ${path.basename(root)}`,
        addon: path.relative(folder, addon),
        libraries: [libraries],
      },
      folder,
    )
  }
  return null
}

async function build(options: AddOptions, folder: string, staging: string): Promise<EngineRecord> {
  const compiler = findCompiler()
  const binding = options.packages.find((root) => existsSync(path.join(root, 'binding/tfjs_binding.cc')))
  if (binding === undefined)
    throw new AppError({
      code: 'engine-unavailable',
      message: 'The package @tensorflow/tfjs-node-gpu is not installed, whose addon is built.',
      hint: 'Run npm ci in the source checkout: it is an optional package and may have been left out.',
    })
  if (options.nodeHeaders === null)
    throw new AppError({
      code: 'engine-unavailable',
      message: "Node's headers are not installed.",
      hint: 'Run npm ci in the source checkout: they come with the package node-api-headers.',
    })
  const libraries = await findLibraries(options, folder, staging)
  const own = (absolute: string): string =>
    absolute.startsWith(folder + path.sep) ? path.relative(folder, absolute) : absolute
  const searched = [libraries.folder, ...libraries.more].map(own)
  options.say(`Building the addon with ${compiler}`)
  const door = path.join(staging, 'function-door.cc')
  writeFileSync(door, FUNCTION_DOOR)
  await compileAddon(
    compiler,
    {
      sources: [path.join(binding, 'binding/tfjs_backend.cc'), door],
      includes: [options.nodeHeaders, path.join(binding, 'binding'), path.dirname(binding), libraries.include],
      libraryFolder: libraries.folder,
      libraries: [CC_LIBRARY, FRAMEWORK_LIBRARY],
      runPaths: searched.map((one) => (path.isAbsolute(one) ? one : `$ORIGIN/${one}`)),
      output: path.join(folder, 'tfjs_binding.node'),
    },
    options.signal,
  )
  if (libraries.headersAreOurs) rmSync(libraries.include, { recursive: true, force: true }) // a quarter of a gigabyte that nothing reads again
  return recordOf(
    {
      tensorflowVersion: libraries.version,
      cuda: libraries.cuda,
      source: libraries.source,
      addon: 'tfjs_binding.node',
      libraries: searched,
    },
    folder,
  )
}

async function findLibraries(options: AddOptions, folder: string, staging: string): Promise<Libraries> {
  if (options.wheels.length > 0) return fromWheels(listWheels(options.wheels), folder, options.say, options.signal)
  const installed = await fromPython(options.python, options.signal)
  if (installed !== null) {
    options.say(`Taking TensorFlow ${installed.version} of ${options.python}`)
    return installed
  }
  const wheels = options.fetch
    ? await downloadWheels(options.python, options.cuda, path.join(staging, 'wheels'), options.say, options.signal)
    : null
  if (wheels !== null && wheels.length > 0) return fromWheels(wheels, folder, options.say, options.signal)
  const here = `TensorFlow is not on this machine: npm downloaded none, ${options.python} has none`
  const carry =
    'on a machine with internet run: pip download --no-deps tensorflow-cpu (or, for a graphics card, pip download "tensorflow[and-cuda]"); carry the wheels over and run: pairlab engine add tensorflow --wheel <file or folder>'
  throw new AppError(
    options.fetch
      ? { code: 'engine-unavailable', message: `${here}, and pip could not fetch one.`, hint: `O${carry.slice(1)}` }
      : {
          code: 'engine-unavailable',
          message: `${here}. Nothing was asked of the network.`,
          hint: `To have pip fetch it from its package index (${PACKAGE_INDEX}): pairlab engine add tensorflow --from-index. Or ${carry}`,
        },
  )
}

function recordOf(
  parts: Pick<EngineRecord, 'tensorflowVersion' | 'cuda' | 'source' | 'addon' | 'libraries'>,
  folder: string,
): EngineRecord {
  const addonSha256 = createHash('sha256')
    .update(readFileSync(path.resolve(folder, parts.addon)))
    .digest('hex')
  return {
    formatVersion: 1,
    name: 'tensorflow',
    builtAtMs: Date.now(),
    platform: `${process.platform} ${process.arch}`,
    addonSha256,
    ...parts,
  }
}
