// Adapters that were trained beside merged adapters, for a program that lays one pair of matrices beside each layer.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { readState } from './checkpoint-files.ts'
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  isAdapterFolder,
  openAdapterFolder,
  peftName,
  type AdapterFolder,
} from './peft.ts'
import { stackAdapters } from './stack-adapters.ts'
import { writeSafeTensors, type TensorToWrite } from './write.ts'

/**
 * Writes a checkpoint's adapters in PEFT's layout. Where the run went on from a run of adapters, all of them become one beside
 * the model below.
 * @param checkpoint folder of one that holds adapters, its files checked
 */
export async function writeAdapters(checkpoint: string, folder: string): Promise<void> {
  const places = adaptersBelow(checkpoint)
  if (places.length === 1) {
    for (const name of [ADAPTER_CONFIG, ADAPTER_WEIGHTS])
      copyFileSync(path.join(checkpoint, name), path.join(folder, name))
    return
  }
  const stack = stackAdapters(places.map((place) => openAdapterFolder(place)))
  try {
    const configs = places.map(
      (place) => JSON.parse(readFileSync(path.join(place, ADAPTER_CONFIG), 'utf8')) as Record<string, unknown>,
    )
    await writeSafeTensors(path.join(folder, ADAPTER_WEIGHTS), tensorsOf(stack), { format: 'pt' })
    const config = {
      ...configs.at(-1),
      base_model_name_or_path: configs[0]!['base_model_name_or_path'],
      r: stack.rank,
      lora_alpha: stack.rank,
      target_modules: [...new Set(configs.flatMap((one) => one['target_modules'] as string[]))],
    }
    writeFileSync(path.join(folder, ADAPTER_CONFIG), `${JSON.stringify(config, null, 2)}\n`)
  } finally {
    stack.close()
  }
}

/** Folders of the adapters, those that stand beside the model first. */
function adaptersBelow(checkpoint: string): string[] {
  const { base } = readState(checkpoint)
  const below = base === null ? null : path.resolve(checkpoint, base.path)
  return [...(below !== null && isAdapterFolder(below) ? adaptersBelow(below) : []), checkpoint]
}

/** Under the library's names. */
function tensorsOf(adapters: AdapterFolder): Record<string, TensorToWrite> {
  return Object.fromEntries(
    [...adapters.names].map((name): [string, TensorToWrite] => {
      const { shape, data } = adapters.read(name)
      return [peftName(name), { shape, read: () => data }]
    }),
  )
}
