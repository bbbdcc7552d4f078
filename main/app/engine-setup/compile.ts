import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { runProgram } from '../../base/processes/run-program.ts'

export interface CompileJob {
  readonly sources: readonly string[]
  readonly includes: readonly string[]
  /** Folder with the libraries to link. */
  readonly libraryFolder: string
  readonly libraries: readonly string[]
  /** Where the libraries are looked for at run time; may begin with $ORIGIN. */
  readonly runPaths: readonly string[]
  readonly output: string
}

const COMPILERS = ['g++', 'clang++', 'c++']

/** CXX, or the first compiler that answers. @throws AppError `engine-unavailable` saying which package brings one */
export function findCompiler(env: NodeJS.ProcessEnv = process.env): string {
  const wanted = env['CXX'] === undefined || env['CXX'] === '' ? COMPILERS : [env['CXX']]
  const found = wanted.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore', env }).status === 0)
  if (found !== undefined) return found
  throw new AppError({
    code: 'engine-unavailable',
    message: `There is no C++ compiler (${wanted.join(', ')}), which joins TensorFlow to this Node.`,
    hint: 'Install one: Debian or Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++; then run the command again.',
  })
}

/** A Node addon. @throws AppError `engine-unavailable` naming the header or library that is missing */
export async function compileAddon(compiler: string, job: CompileJob, signal?: AbortSignal): Promise<void> {
  const args = [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-shared',
    '-DNAPI_VERSION=8',
    ...job.includes.map((folder) => `-I${folder}`),
    ...job.sources,
    '-o',
    job.output,
    `-L${job.libraryFolder}`,
    ...job.libraries.map((name) => `-l:${name}`),
    ...job.runPaths.map((folder) => `-Wl,-rpath,${folder}`),
  ]
  const { status, stderr, startError } = await runProgram(compiler, args, { signal })
  if (status === 0 && existsSync(job.output)) return
  throw describeFailure(path.basename(compiler), startError ?? stderr)
}

/** What a compiler said, as what to do. */
export function describeFailure(compiler: string, text: string): AppError {
  const header = /fatal error: '?([^\s':]+)'?(?: file not found|: No such file)/.exec(text)?.[1]
  const library = /cannot find -l:?(\S+)/.exec(text)?.[1]
  const symbol = /undefined (?:reference to|symbol:?) [`']?([\w:]+)/.exec(text)?.[1]
  const what =
    header !== undefined
      ? `the header ${header} is missing`
      : library !== undefined
        ? `the library ${library.replace(/:$/, '')} is missing`
        : symbol !== undefined
          ? `${symbol} is not in these libraries`
          : (
              text
                .split('\n')
                .find((line) => /error|multiple definition/i.test(line) && !line.startsWith('collect2')) ??
              text.split('\n')[0] ??
              ''
            ).trim()
  const hint =
    header?.startsWith('node') === true || header === 'js_native_api.h'
      ? 'Node’s headers come with the package node-api-headers: run npm ci in the source checkout.'
      : header !== undefined && !header.includes('tensorflow') && !header.includes('tsl') && !header.includes('absl')
        ? 'The compiler’s own headers are missing. Debian or Ubuntu: apt-get install build-essential.'
        : 'The wheel does not hold what its version should; take another version (2.15 or newer).'
  return new AppError({
    code: 'engine-unavailable',
    message: `${compiler} could not build the TensorFlow addon: ${what}.`,
    hint,
    details: { output: text.slice(0, 4000) },
  })
}
