import path from 'node:path'
import type { EngineInfo, EngineState } from '../../../shared/contract/engines.ts'
import type { EngineName } from '../../../shared/domain.ts'
import { toWire } from '../../../shared/errors.ts'
import type { TestedEngine } from './figures.ts'
import { readEngineRecord } from './folder.ts'
import { isOwnEngine, notOwn } from '../../base/own-engines.ts'

const WORDS: Readonly<Record<EngineName, { readonly title: string; readonly note: string }>> = {
  tensorflow: {
    title: 'TensorFlow',
    note: 'The native library, on the processor or on an NVIDIA graphics card. It is added once, also without internet.',
  },
  webgpu: {
    title: 'WebGPU',
    note: 'A graphics card through its own driver (Vulkan, Metal or Direct3D). Nothing to add.',
  },
  wasm: { title: 'WebAssembly', note: 'Part of the app, on every processor core. Works everywhere.' },
  cpu: {
    title: 'Plain JavaScript',
    note: 'The reference the others are held against: exactly repeatable, and some hundred times slower.',
  },
}

export const ADD_TENSORFLOW = 'pairlab engine add tensorflow'

/** One engine as it is known: from its last test, or, before there was one, from what lies on the disk. */
export function describeEngine(name: EngineName, tested: TestedEngine | undefined, enginesFolder: string): EngineInfo {
  const record = name === 'tensorflow' ? readEngineRecord(enginesFolder) : null
  const words = { name, ...WORDS[name], addCommand: name === 'tensorflow' ? ADD_TENSORFLOW : null }
  const added =
    record === null ? null : { version: record.tensorflowVersion, source: record.source, builtAtMs: record.builtAtMs }
  const unknown = {
    ...words,
    added,
    device: '',
    threads: null,
    peakBytes: null,
    card: null,
    speed: null,
    testedAtMs: null,
    measuredAtMs: null,
  }
  if (name === 'tensorflow' && record === null) {
    return {
      ...unknown,
      state: 'not-here',
      error: {
        code: 'engine-unavailable',
        message: 'It is not added on this machine.',
        hint: `Add it here, or with: ${ADD_TENSORFLOW}`,
      },
    }
  }
  if (name === 'tensorflow' && !isOwnEngine(path.join(enginesFolder, name), false) && tested?.available !== true) {
    return { ...unknown, state: 'not-here', error: toWire(notOwn(path.join(enginesFolder, name))) }
  }
  if (tested === undefined) return { ...unknown, state: 'not-tested', error: null }
  const { device, threads, peakBytes, error, card, speed, testedAtMs, measuredAtMs } = tested
  return {
    ...words,
    added,
    state: stateOf(tested),
    device,
    threads,
    peakBytes,
    error,
    card,
    speed,
    testedAtMs,
    measuredAtMs,
  }
}

function stateOf({ available, software }: TestedEngine): EngineState {
  return available ? (software ? 'emulated' : 'ready') : 'not-here'
}
