// Adapters that were trained beside merged adapters, for a program that lays one pair of matrices beside each layer.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { NamedTensor } from '../learn/models/parameters.ts'
import { CHECKPOINT_FILES, checkpointState } from './checkpoint-files.ts'
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  isAdapterFolder,
  openAdapterFolder,
  peftName,
  type AdapterFolder,
} from './peft.ts'
import { writeSafeTensors, type TensorToWrite } from './write.ts'

const A = '.lora_A.weight'
const B = '.lora_B.weight'

/**
 * Writes a checkpoint's adapters in PEFT's layout. Where the run went on from a run of adapters, all of them become one beside
 * the model below: s₁B₁A₁ + s₂B₂A₂ = [s₁B₁ s₂B₂] [A₁; A₂], of as many ranks as they have together.
 * @param checkpoint folder of one that holds adapters, its files checked
 */
export async function writeAdapters(checkpoint: string, folder: string): Promise<void> {
  const places = adaptersBelow(checkpoint)
  if (places.length === 1) {
    for (const name of [ADAPTER_CONFIG, ADAPTER_WEIGHTS])
      copyFileSync(path.join(checkpoint, name), path.join(folder, name))
    return
  }
  const stack = places.map((place) => openAdapterFolder(place))
  try {
    const rank = stack.reduce((sum, one) => sum + one.rank, 0)
    const configs = places.map(
      (place) => JSON.parse(readFileSync(path.join(place, ADAPTER_CONFIG), 'utf8')) as Record<string, unknown>,
    )
    await writeSafeTensors(path.join(folder, ADAPTER_WEIGHTS), stacked(stack), { format: 'pt' })
    const config = {
      ...configs.at(-1),
      base_model_name_or_path: configs[0]!['base_model_name_or_path'],
      r: rank,
      lora_alpha: rank, // each brings its own scale along in its B
      target_modules: [...new Set(configs.flatMap((one) => one['target_modules'] as string[]))],
    }
    writeFileSync(path.join(folder, ADAPTER_CONFIG), `${JSON.stringify(config, null, 2)}\n`)
  } finally {
    for (const one of stack) one.close()
  }
}

/** Folders of the adapters, those that stand beside the model first. */
function adaptersBelow(checkpoint: string): string[] {
  const state = checkpointState.parse(JSON.parse(readFileSync(path.join(checkpoint, CHECKPOINT_FILES.state), 'utf8')))
  const below = state.base === null ? null : path.resolve(checkpoint, state.base.path)
  return [...(below !== null && isAdapterFolder(below) ? adaptersBelow(below) : []), checkpoint]
}

/** Under the library's names. A layer that some of them left alone has zeros of theirs. */
function stacked(stack: readonly AdapterFolder[]): Record<string, TensorToWrite> {
  const names = [...new Set(stack.flatMap((one) => [...one.names]))]
  return Object.fromEntries(
    names.map((name): [string, TensorToWrite] => {
      const { shape, data } = stackedTensor(name, stack)
      return [peftName(name), { shape, read: () => data }]
    }),
  )
}

function stackedTensor(name: string, stack: readonly AdapterFolder[]): NamedTensor {
  const having = stack.filter((one) => one.names.has(name))
  if (!name.endsWith(A) && !name.endsWith(B)) return having.at(-1)!.read(name) // trained whole beside them
  const ranks = stack.map((one) => one.rank)
  const rank = ranks.reduce((sum, one) => sum + one, 0)
  const parts = stack.map((one) => (having.includes(one) ? one.read(name) : null))
  const [rows, columns] = parts.find((part) => part !== null)!.shape as [number, number]
  const data = new Float32Array(name.endsWith(A) ? rank * columns : rows * rank)
  let at = 0
  for (const [index, part] of parts.entries()) {
    const own = ranks[index]!
    if (part !== null && name.endsWith(A)) data.set(part.data, at * columns)
    else if (part !== null)
      for (let row = 0; row < rows; row += 1)
        for (let r = 0; r < own; r += 1) data[row * rank + at + r] = stack[index]!.scale * part.data[row * own + r]!
    at += own
  }
  return { shape: name.endsWith(A) ? [rank, columns] : [rows, rank], data }
}
