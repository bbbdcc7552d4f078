import { tf } from '../../core/learn/tf.ts'
import { repairCpu } from './cpu-repairs.ts'
import type { Engine } from './engine.ts'

/** Plain JavaScript: slow, and the same everywhere, bit for bit. */
export async function openCpu(): Promise<Engine> {
  await tf.setBackend('cpu')
  await tf.ready()
  repairCpu()
  return {
    name: 'cpu',
    device: 'JavaScript, 1 thread',
    threads: 1,
    memory: () => ({ tensors: tf.memory().numTensors, tensorBytes: tf.memory().numBytes, peakBytes: null }),
    // Its numbers are ordinary arrays, collected with their tensors.
    dispose: () => undefined,
  }
}
