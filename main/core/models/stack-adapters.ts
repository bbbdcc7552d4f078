// Adapters that were trained beside merged adapters, as one: s₁B₁A₁ + s₂B₂A₂ = [s₁B₁ s₂B₂] [A₁; A₂].
import type { NamedTensor } from '../learn/models/parameters.ts'
import type { AdapterFolder } from './peft.ts'

const A = '.lora_A.weight'
const B = '.lora_B.weight'

/**
 * Of as many ranks as they have together, each with its own scale in its B. A layer that some of them left alone has zeros of
 * theirs. @param stack those that stand beside the model first; closed with what is returned
 */
export function stackAdapters(stack: readonly AdapterFolder[]): AdapterFolder {
  return {
    names: new Set(stack.flatMap((one) => [...one.names])),
    rank: rankOf(stack),
    scale: 1,
    read: (name) => stackedTensor(name, stack),
    close() {
      for (const one of stack) one.close()
    },
  }
}

function rankOf(stack: readonly AdapterFolder[]): number {
  return stack.reduce((sum, one) => sum + one.rank, 0)
}

function stackedTensor(name: string, stack: readonly AdapterFolder[]): NamedTensor {
  const having = stack.filter((one) => one.names.has(name))
  if (!name.endsWith(A) && !name.endsWith(B)) return having.at(-1)!.read(name) // trained whole beside them
  const rank = rankOf(stack)
  const parts = stack.map((one) => (having.includes(one) ? one.read(name) : null))
  const [rows, columns] = parts.find((part) => part !== null)!.shape as [number, number]
  const data = new Float32Array(name.endsWith(A) ? rank * columns : rows * rank)
  let at = 0
  for (const [index, part] of parts.entries()) {
    const own = stack[index]!.rank
    if (part !== null && name.endsWith(A)) data.set(part.data, at * columns)
    else if (part !== null)
      for (let row = 0; row < rows; row += 1)
        for (let r = 0; r < own; r += 1) data[row * rank + at + r] = stack[index]!.scale * part.data[row * own + r]!
    at += own
  }
  return { shape: name.endsWith(A) ? [rank, columns] : [rows, rank], data }
}
