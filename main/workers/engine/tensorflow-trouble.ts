import { spawnSync } from 'node:child_process'
import { AppError } from '../../../shared/errors.ts'

function unavailable(message: string, hint: string, cause?: unknown): AppError {
  return new AppError({ code: 'engine-unavailable', message, hint, cause })
}

const ADD_AGAIN = 'Run: pairlab engine add tensorflow'

/** What the dynamic loader said, as what to do. */
export function loaderTrouble(error: unknown, folder: string): AppError {
  if (error instanceof AppError) return error
  const text = error instanceof Error ? error.message : String(error)
  const glibc = /version [`']?(GLIBC(?:XX)?_[\d.]+)'? not found/.exec(text)?.[1]
  if (glibc !== undefined)
    return unavailable(
      `TensorFlow's libraries need ${glibc}, which this system does not have.`,
      'Add an older TensorFlow wheel, or use a newer system.',
      error,
    )
  const library = /(lib[\w.+-]+\.so[.\d]*): cannot open shared object file/.exec(text)?.[1]
  if (library !== undefined) {
    const nvidia = /^lib(cuda|cudart|cublas|cudnn|cufft|curand|cusolver|cusparse|nccl|nvrtc|nvJitLink)/.test(library)
    return nvidia
      ? unavailable(
          `The CUDA library ${library} is missing.`,
          library.startsWith('libcuda.')
            ? 'It comes with the NVIDIA driver: install the driver.'
            : 'Add TensorFlow again with the nvidia wheels beside its own: pairlab engine add tensorflow --wheel <folder of wheels>',
          error,
        )
      : unavailable(`The library ${library} is missing from ${folder}.`, ADD_AGAIN, error)
  }
  if (/undefined symbol/.test(text))
    return unavailable("The addon and TensorFlow's libraries are of different versions.", ADD_AGAIN, error)
  if (/invalid ELF header|wrong ELF class|file too short/.test(text))
    return unavailable(
      `The engine's files in ${folder} are damaged, or are of another kind of machine.`,
      ADD_AGAIN,
      error,
    )
  if (/NODE_MODULE_VERSION|did not self-register|napi/i.test(text))
    return unavailable('The addon was built for another Node.', ADD_AGAIN, error)
  if (/cannot open shared object file|Cannot find module/.test(text))
    return unavailable(`The addon in ${folder} is gone.`, ADD_AGAIN, error)
  return unavailable(`TensorFlow could not be loaded: ${text}`, ADD_AGAIN, error)
}

/** The oldest driver that the CUDA 12 of current wheels runs on. */
const OLDEST_DRIVER = 525
const OLDEST_COMPUTE = 6

/**
 * Why a CUDA build found no graphics card to use, from what nvidia-smi says.
 * @param run the program, for tests
 */
export function cudaTrouble(run: () => { readonly status: number | null; readonly stdout: string } = askDriver): {
  readonly message: string
  readonly hint: string
} {
  const { status, stdout } = run()
  if (status === null)
    return {
      message: 'there is no NVIDIA driver on this machine.',
      hint: 'Install the driver, then check it with nvidia-smi.',
    }
  if (status !== 0)
    return {
      message: `the NVIDIA driver does not answer (${stdout.trim().split('\n')[0] ?? ''}).`,
      hint: 'Restart after a driver update; check it with nvidia-smi.',
    }
  const [name = '', driver = '', compute = ''] = (stdout.trim().split('\n')[0] ?? '')
    .split(',')
    .map((part) => part.trim())
  if (name === '')
    return {
      message: 'the driver sees no NVIDIA graphics card.',
      hint: 'Check CUDA_VISIBLE_DEVICES and the container’s device settings.',
    }
  if (Number.parseFloat(driver) < OLDEST_DRIVER)
    return {
      message: `the NVIDIA driver ${driver} is too old for CUDA 12.`,
      hint: `Install driver ${OLDEST_DRIVER} or newer.`,
    }
  if (Number.parseFloat(compute) < OLDEST_COMPUTE)
    return {
      message: `the ${name} has compute capability ${compute}, which this TensorFlow does not support.`,
      hint: 'Use the webgpu engine for this card.',
    }
  return {
    message: `TensorFlow did not take the ${name}.`,
    hint: 'A CUDA library may be missing; the log names it when TF_CPP_MIN_LOG_LEVEL is 0.',
  }
}

function askDriver(): { status: number | null; stdout: string } {
  const { status, stdout, error } = spawnSync(
    'nvidia-smi',
    ['--query-gpu=name,driver_version,compute_cap', '--format=csv,noheader,nounits'],
    { encoding: 'utf8' },
  )
  return { status: error === undefined ? status : null, stdout: stdout ?? '' }
}
