// What the WebGPU backend gets wrong, put right under the same kernel names.
import { tf } from '../../core/learn/tf.ts'

type KernelFunc = NonNullable<ReturnType<typeof tf.getKernel>>['kernelFunc']

let repaired = false

/** @param buffersPerStage storage buffers a shader may see, its result included */
export function repairWebGpu(buffersPerStage: number): void {
  if (repaired) return // the kernels outlive a backend
  repaired = true
  replace('AddN', (original) => addInParts(original, buffersPerStage - 1))
}

function replace(kernelName: string, make: (original: KernelFunc) => KernelFunc): void {
  const { kernelFunc, setupFunc } = tf.getKernel(kernelName, 'webgpu')
  tf.unregisterKernel(kernelName, 'webgpu')
  tf.registerKernel({
    kernelName,
    backendName: 'webgpu',
    kernelFunc: make(kernelFunc),
    ...(setupFunc === undefined ? {} : { setupFunc }),
  })
}

/** A sum of many tensors in one shader is refused by the device: each is a buffer, and a shader sees few. */
function addInParts(original: KernelFunc, most: number): KernelFunc {
  return (params) => {
    const engine = params.backend as unknown as { disposeData(id: object): void }
    let left = Object.values(params.inputs as unknown as Record<string, { dataId: object }>)
    const made = new Set<object>()
    const sum = (terms: { dataId: object }[]): { dataId: object } => {
      const result = original({ ...params, inputs: terms as never }) as unknown as { dataId: object }
      for (const term of terms) if (made.delete(term)) engine.disposeData(term.dataId)
      return result
    }
    while (left.length > most) {
      const partial = sum(left.slice(0, most))
      made.add(partial)
      left = [...left.slice(most), partial]
    }
    return sum(left) as never
  }
}
