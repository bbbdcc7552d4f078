import { existsSync } from 'node:fs'
import { AppError } from '../../../shared/errors.ts'

/** Where Linux distributions keep the Vulkan loader, which Dawn opens by name. */
const VULKAN_LOADERS = [
  '/usr/lib/x86_64-linux-gnu/libvulkan.so.1',
  '/usr/lib/aarch64-linux-gnu/libvulkan.so.1',
  '/usr/lib64/libvulkan.so.1',
  '/usr/lib/libvulkan.so.1',
]

/** No adapter was found. @param name part of the name that was asked for */
export function adapterTrouble(name: string | null, cause?: unknown): AppError {
  if (name !== null) {
    const names = Array.from(String(cause).matchAll(/name: '([^']*)'/g), ([, one]) => `"${one}"`)
    return new AppError({
      code: 'engine-unavailable',
      message: `There is no graphics adapter "${name}".`,
      hint:
        names.length === 0 ? 'No adapter was found at all; is the driver installed?' : `There is ${names.join(', ')}.`,
      cause,
    })
  }
  const noLoader =
    process.platform === 'linux' &&
    !VULKAN_LOADERS.some((file) => existsSync(file)) &&
    (process.env['LD_LIBRARY_PATH'] ?? '') === ''
  return new AppError({
    code: 'engine-unavailable',
    message: noLoader
      ? 'WebGPU found no graphics adapter: the Vulkan loader (libvulkan.so.1) is not installed.'
      : 'WebGPU found no graphics adapter.',
    hint: noLoader
      ? 'Install it (Debian, Ubuntu: apt install libvulkan1) and the driver of the graphics card.'
      : 'Install the driver of the graphics card, or use the wasm engine.',
  })
}

export function deviceLost(reason: string, message: string): AppError {
  return new AppError({
    code: 'engine-unavailable',
    message: `The graphics device was lost (${reason}): ${message}`,
    hint: 'Its driver was reset, or it was unplugged. Resume the run: it goes on from its last checkpoint.',
  })
}

export function outOfMemory(message: string): AppError {
  return new AppError({
    code: 'out-of-memory',
    message: `The graphics card has no memory left: ${message}`,
    hint: 'Other programs may hold some of the card’s memory.',
  })
}

/** A request that the device refused: its result would be zeros. */
export function wrongUse(message: string): AppError {
  return new AppError({
    code: 'trainer-failed',
    message: `The graphics device refused an operation: ${message}`,
    hint: 'Use the wasm engine for this run. A smaller micro-batch may stay within the device’s limits.',
  })
}
