// Pairlab's kernels for WebGPU under the names by which fused.ts and the optimizer ask for them.
import { registerAttention } from './attention.ts'
import { registerCachedAttention } from './cached-attention.ts'
import { registerElementwise } from './elementwise.ts'
import { registerNorms } from './norms.ts'
import { registerRows } from './rows.ts'
import { registerUpdate } from './update.ts'

export function registerWebGpuKernels(): void {
  registerAttention()
  registerCachedAttention()
  registerElementwise()
  registerNorms()
  registerRows()
  registerUpdate()
}
