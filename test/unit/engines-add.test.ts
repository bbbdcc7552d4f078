import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { addTensorflow, removeTensorflow, type AddOptions } from '../../main/app/engine-setup/add-tensorflow.ts'
import { describeFailure, findCompiler } from '../../main/app/engine-setup/compile.ts'
import { nodeHeaders } from '../../main/app/engine-setup/checkout.ts'
import { chooseEngine, readFigures, writeFigures } from '../../main/app/engine-setup/figures.ts'
import { enginesFolderOf, librarySearchPath, readEngineRecord } from '../../main/app/engine-setup/folder.ts'
import { probeEngine, type EngineProbe } from '../../main/app/engine-setup/probe.ts'
import { checkWheelPlatform, extractWheel, parseWheelName } from '../../main/app/engine-setup/wheel.ts'
import { cudaTrouble, loaderTrouble } from '../../main/workers/engine/tensorflow-trouble.ts'
import { AppError } from '../../shared/errors.ts'
import { zipOf } from '../support/zip.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'engines-'))
  vi.stubEnv('PAIRLAB_CONFIG', path.join(folder, 'config'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** With entries of any name, also a bad one. */
function makeWheel(name: string, files: Readonly<Record<string, string>>): string {
  const file = path.join(folder, name)
  writeFileSync(
    file,
    zipOf(Object.fromEntries(Object.entries(files).map(([entry, text]) => [entry, Buffer.from(text, 'latin1')]))),
  )
  return file
}

const WHEEL = 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_17_x86_64.whl'
const said: string[] = []

/** As much of the package's addon, and of TensorFlow's headers, as what is compiled beside them touches. */
const ADDON_SOURCES = {
  'tfjs_backend.cc': 'static int nothing() { return 0; }\n',
  'tfjs_backend.h': '#pragma once\nnamespace tfnodejs { class TFJSBackend { private: TFE_Context *tfe_context_; }; }\n',
  'tf_auto_status.h': '#pragma once\nnamespace tfnodejs { struct TF_AutoStatus { TF_Status *status; }; }\n',
  'tfjs_binding.cc': `#include "tfjs_backend.h"
namespace tfnodejs {
static TFJSBackend *GetTFJSBackend(napi_env) { return nullptr; }
static napi_value InitTFNodeJSBinding(napi_env, napi_value exports) { return exports; }
NAPI_MODULE(addon, InitTFNodeJSBinding)
}
`,
}
const HEADERS = {
  'tensorflow/include/tensorflow/c/c_api.h': `#pragma once
#include <stddef.h>
struct TF_Status;
struct TF_Buffer { const void *data; size_t length; };
enum { TF_OK };
int TF_GetCode(const TF_Status *);
const char *TF_Message(const TF_Status *);
TF_Buffer *TF_GetAllOpList();
void TF_DeleteBuffer(TF_Buffer *);
`,
  'tensorflow/include/tensorflow/c/eager/c_api.h': `#pragma once
struct TFE_Context;
void TFE_ContextAddFunctionDef(TFE_Context *, const char *, size_t, TF_Status *);
void TFE_ContextRemoveFunction(TFE_Context *, const char *, TF_Status *);
`,
}

function options(more: Partial<AddOptions> = {}): AddOptions {
  const packageFolder = path.join(folder, 'package')
  mkdirSync(path.join(packageFolder, 'binding'), { recursive: true })
  for (const [name, text] of Object.entries(ADDON_SOURCES))
    writeFileSync(path.join(packageFolder, 'binding', name), text)
  return {
    enginesFolder: path.join(folder, 'engines'),
    wheels: [],
    python: path.join(folder, 'no-python'),
    fetch: false,
    cuda: false,
    packages: [packageFolder],
    nodeHeaders: nodeHeaders(),
    say: (text) => said.push(text),
    selfTest: async () => ({ device: 'a device' }),
    ...more,
  }
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => new Error('it worked'),
    (one: unknown) => one,
  )
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}

function hasCompiler(): boolean {
  try {
    findCompiler()
    return true
  } catch {
    return false // a machine without one: what is said there is tested below
  }
}

const linuxX64 = process.platform === 'linux' && process.arch === 'x64'

describe.runIf(linuxX64)('adding TensorFlow', () => {
  test('says where to get it when there is none', async () => {
    const error = await failure(addTensorflow(options({ fetch: true })))
    expect(error).toMatchObject({
      code: 'engine-unavailable',
      message: expect.stringContaining('pip could not fetch one'),
    })
    expect(error.hint).toContain('pip download')
    expect(existsSync(path.join(folder, 'engines/tensorflow'))).toBe(false)
  })

  test('asks pip only after a yes', async () => {
    const python = path.join(folder, 'python')
    const asked = path.join(folder, 'asked')
    writeFileSync(python, `#!/bin/sh\necho "$@ in $(pwd)" >> "${asked}"\nexit 1\n`, { mode: 0o755 })
    const error = await failure(addTensorflow(options({ python })))
    expect(error.message).toContain('Nothing was asked of the network.')
    expect(error.hint).toContain('--from-index')
    expect(readFileSync(asked, 'utf8')).not.toContain('pip')
    await failure(addTensorflow(options({ python, fetch: true })))
    expect(readFileSync(asked, 'utf8')).toContain('-m pip download')
    expect(readFileSync(asked, 'utf8').trimEnd()).toMatch(/ in \/$/) // no module is taken from where the command was given
  })

  test('names a file that is not there, is no wheel, or is damaged', async () => {
    expect((await failure(addTensorflow(options({ wheels: ['/nowhere.whl'] })))).message).toBe(
      'There is no file /nowhere.whl.',
    )
    expect((await failure(addTensorflow(options({ wheels: [makeWheel('strange.whl', {})] })))).message).toContain(
      "strange.whl is not a wheel's name",
    )
    expect(
      (
        await failure(
          addTensorflow(options({ wheels: [makeWheel('numpy-1-cp311-cp311-manylinux_2_17_x86_64.whl', {})] })),
        )
      ).message,
    ).toBe("None of the wheels is TensorFlow's: numpy.")
    const cut = path.join(folder, WHEEL)
    writeFileSync(cut, 'not a zip')
    expect((await failure(addTensorflow(options({ wheels: [cut] })))).message).toContain('cannot be opened as a wheel')
  })

  test('names what a stripped wheel lacks', async () => {
    expect(
      (await failure(addTensorflow(options({ wheels: [makeWheel(WHEEL, { 'tensorflow/x.py': '' })] })))).message,
    ).toBe(`${WHEEL} does not hold libtensorflow_cc.so.2.`)
    const libraries = { 'tensorflow/libtensorflow_cc.so.2': 'x', 'tensorflow/libtensorflow_framework.so.2': 'x' }
    expect((await failure(addTensorflow(options({ wheels: [makeWheel(WHEEL, libraries)] })))).message).toBe(
      `${WHEEL} does not hold TensorFlow's headers.`,
    )
  })

  test('says what is missing from the checkout', async () => {
    expect((await failure(addTensorflow(options({ packages: [] })))).hint).toContain('npm ci')
    expect((await failure(addTensorflow(options({ nodeHeaders: null })))).message).toBe(
      "Node's headers are not installed.",
    )
  })

  test.runIf(hasCompiler())('builds, tests, and only then gives the old one up; a failing test leaves it', async () => {
    const real = path.join(folder, 'lib.cc')
    writeFileSync(real, 'int nothing() { return 0; }\n')
    execFileSync(findCompiler(), ['-shared', '-fPIC', '-o', path.join(folder, 'lib.so'), real])
    // Contents do not matter to the linker's caller here: the wheel holds a library that links.
    const text = readFileSync(path.join(folder, 'lib.so')).toString('latin1')
    const wheel = makeWheel(WHEEL, {
      'tensorflow/libtensorflow_cc.so.2': text,
      'tensorflow/libtensorflow_framework.so.2': text,
      ...HEADERS,
    })
    const { record } = await addTensorflow(options({ wheels: [wheel] }))
    expect(record).toMatchObject({
      tensorflowVersion: '2.21.0',
      cuda: false,
      addon: 'tfjs_binding.node',
      libraries: ['tensorflow'],
    })
    const engines = path.join(folder, 'engines')
    expect(readEngineRecord(engines)).toEqual(record)
    expect(librarySearchPath(engines)).toBe(path.join(engines, 'tensorflow/tensorflow'))
    expect(existsSync(path.join(engines, 'tensorflow/tensorflow/include'))).toBe(false)
    const refused = await failure(
      addTensorflow(
        options({
          wheels: [wheel],
          selfTest: async () => {
            throw new AppError({ code: 'engine-unavailable', message: 'wrong numbers', hint: 'h' })
          },
        }),
      ),
    )
    expect(refused.message).toBe('wrong numbers')
    expect(readEngineRecord(engines)).toEqual(record)
    expect(readdirSync(engines)).toEqual(['tensorflow'])
    expect(removeTensorflow(engines)).toBe(true)
    expect(removeTensorflow(engines)).toBe(false)
  })
})

describe('a wheel', () => {
  const machine = { platform: 'linux', arch: 'x64', glibc: '2.36' }
  const of = (platform: string): ReturnType<typeof parseWheelName> =>
    parseWheelName(`tensorflow-2.21.0-cp311-cp311-${platform}.whl`)
  test('is held against the machine', () => {
    const message = (platform: string, other: Partial<typeof machine> | { glibc: null } = {}): string => {
      try {
        checkWheelPlatform(of(platform), { ...machine, ...other })
      } catch (error) {
        return (error as Error).message
      }
      return ''
    }
    expect(message('manylinux_2_27_x86_64')).toBe('')
    expect(message('manylinux_2_27_aarch64')).toContain('this machine is linux x86_64')
    expect(message('win_amd64')).toContain('is for win_amd64')
    expect(message('manylinux_2_39_x86_64')).toBe('The wheel needs glibc 2.39; this system has 2.36.')
    expect(message('manylinux_2_27_x86_64', { glibc: null })).toContain('GNU C library')
  })

  test('may not write outside its folder', async () => {
    const file = makeWheel('evil-1-py3-none-any.whl', { 'a.txt': 'fine' })
    const error = await failure(extractWheel(file, folder, () => '../../outside.txt'))
    expect(error.message).toContain('outside its folder')
    expect(await extractWheel(file, folder, (entry) => entry)).toBe(1)
  })
})

describe('what stands in the way is named', () => {
  test('no compiler', () => {
    expect(() => findCompiler({ PATH: folder })).toThrow(/There is no C\+\+ compiler/)
    const fake = path.join(folder, 'mycc')
    writeFileSync(fake, '#!/bin/sh\nexit 0\n')
    chmodSync(fake, 0o755)
    expect(findCompiler({ PATH: '/bin:/usr/bin', CXX: fake })).toBe(fake)
  })

  test.each([
    ['x.cc:1:10: fatal error: node_api.h: No such file or directory', 'the header node_api.h is missing', 'npm ci'],
    ["x.cc:1:10: fatal error: 'cstdint' file not found", 'the header cstdint is missing', 'build-essential'],
    [
      '/usr/bin/ld: cannot find -l:libtensorflow_cc.so.2: No such file',
      'the library libtensorflow_cc.so.2 is missing',
      'version',
    ],
    ["undefined reference to `TFE_NewContext'", 'TFE_NewContext is not in these libraries', 'version'],
  ])('by the compiler: %s', (text, what, hint) => {
    const error = describeFailure('g++', text)
    expect(error.message).toContain(what)
    expect(error.hint).toContain(hint)
  })

  test.each([
    [
      'libcudart.so.12: cannot open shared object file: No such file or directory',
      'The CUDA library libcudart.so.12 is missing',
      'nvidia wheels',
    ],
    ['libcuda.so.1: cannot open shared object file: No such file', 'libcuda.so.1 is missing', 'driver'],
    [
      'libtensorflow_cc.so.2: cannot open shared object file: No such file',
      'The library libtensorflow_cc.so.2 is missing from',
      'engine add',
    ],
    ["/lib/libc.so.6: version `GLIBC_2.38' not found", 'GLIBC_2.38', 'older'],
    ['x.node: undefined symbol: TF_Version', 'different versions', 'engine add'],
    ['x.node: invalid ELF header', 'damaged', 'engine add'],
    [
      'The module was compiled against a different Node.js version using NODE_MODULE_VERSION 93',
      'another Node',
      'engine add',
    ],
  ])('by the loader: %s', (text, message, hint) => {
    const error = loaderTrouble(new Error(text), '/engines/tensorflow')
    expect(error.code).toBe('engine-unavailable')
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
  })

  test.each([
    [null, '', 'no NVIDIA driver'],
    [9, 'Failed to initialize NVML: Driver/library version mismatch', 'version mismatch'],
    [0, '', 'sees no NVIDIA graphics card'],
    [0, 'Tesla T4, 470.82.01, 7.5\n', '470.82.01 is too old'],
    [0, 'GeForce GTX 980, 550.54, 5.2\n', 'compute capability 5.2'],
    [0, 'NVIDIA A100, 550.54, 8.0\n', 'did not take the NVIDIA A100'],
  ])('by nvidia-smi (%s, %s)', (status, stdout, message) => {
    expect(cudaTrouble(() => ({ status, stdout })).message).toContain(message)
  })
})

describe('a test of an engine in a process of its own', () => {
  const run = (script: string): Promise<EngineProbe> =>
    probeEngine({ execPath: process.execPath, args: ['-e', script, '--'] }, 'wasm', {
      enginesFolder: folder,
      threads: null,
      seconds: 0,
    })
  test('survives a crash, a silent end and a program that is not there', async () => {
    expect((await run('process.kill(process.pid, "SIGSEGV")')).error?.message).toContain('was ended by SIGSEGV')
    expect((await run('process.exit(3)')).error?.message).toContain('ended with status 3')
    expect(
      (
        await probeEngine({ execPath: path.join(folder, 'none'), args: [] }, 'wasm', {
          enginesFolder: folder,
          threads: null,
          seconds: 0,
        })
      ).error?.message,
    ).toContain('could not be started')
  })
})

describe('the choice', () => {
  const probe = (
    name: EngineProbe['name'],
    training: number,
    sampling: number,
    more: Partial<EngineProbe> = {},
  ): EngineProbe => ({
    name,
    available: true,
    device: '',
    threads: null,
    peakBytes: null,
    software: false,
    card: null,
    speed: {
      trainingTokensPerSec: training,
      samplingTokensPerSec: sampling,
      productFlopsPerSec: 1e9,
      memoryBytesPerSec: 1e9,
    },
    error: null,
    ...more,
  })
  test('is the fastest for the work, never an emulated card or the reference', () => {
    const engines = [
      probe('tensorflow', 30, 5),
      probe('wasm', 10, 20),
      probe('webgpu', 99, 99, { software: true }),
      probe('cpu', 999, 999),
    ]
    expect(chooseEngine({ engines }, 'training')).toEqual({
      name: 'tensorflow',
      why: 'the fastest at training here: 3.0 × wasm',
    })
    expect(chooseEngine({ engines }, 'sampling').name).toBe('wasm')
    expect(
      chooseEngine({ engines: [probe('tensorflow', 1, 1, { available: false }), probe('wasm', 1, 1)] }, 'training')
        .name,
    ).toBe('wasm')
    expect(chooseEngine(null, 'training').name).toBe('wasm')
  })

  test('keeps its figures for this machine and version alone', () => {
    const figures = writeFigures(folder, '1.0.0', [probe('wasm', 1, 1)], 5)
    expect(readFigures(folder, '1.0.0')).toEqual(figures)
    expect(readFigures(folder, '1.0.1')).toBeNull()
    writeFileSync(path.join(folder, 'figures.json'), JSON.stringify({ ...figures, machine: 'another' }))
    expect(readFigures(folder, '1.0.0')).toBeNull()
    writeFileSync(path.join(folder, 'figures.json'), '{')
    expect(readFigures(folder, '1.0.0')).toBeNull()
  })
})

test('engines are kept in the data folder unless told otherwise', () => {
  const before = process.env['PAIRLAB_ENGINES']
  delete process.env['PAIRLAB_ENGINES']
  expect(enginesFolderOf('/data')).toBe('/data/engines')
  process.env['PAIRLAB_ENGINES'] = '/elsewhere'
  expect(enginesFolderOf('/data')).toBe('/elsewhere')
  if (before === undefined) delete process.env['PAIRLAB_ENGINES']
  else process.env['PAIRLAB_ENGINES'] = before
})
