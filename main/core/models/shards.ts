// The weights of a model folder: safetensors in one file, or in shards behind an index; or a GGUF file.
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { findGguf, ggufHeader } from './gguf/place.ts'
import { openGgufWeights } from './gguf/weights.ts'
import { readJson } from './model-files.ts'
import { openSafeTensors } from './safetensors-file.ts'
import type { WeightsReader } from './weights-reader.ts'

export interface Shards {
  /** By file name. */
  readonly readers: ReadonlyMap<string, WeightsReader>
  /** Tensor name → file name. */
  readonly places: ReadonlyMap<string, string>
}

const indexFile = z.looseObject({ weight_map: z.record(z.string(), z.string()) })

/** @throws AppError `file-not-found`, `model-unsupported` naming the file or the tensor */
export function openShards(folder: string): Shards {
  const gguf = findGguf(folder)
  if (gguf !== null) return alone(openGgufWeights(ggufHeader(gguf)))
  const index = readJson(folder, 'model.safetensors.index.json', false)
  if (index === null) {
    if (!existsSync(path.join(folder, 'model.safetensors'))) throw noWeights(folder)
    return alone(openSafeTensors(path.join(folder, 'model.safetensors')))
  }
  const parsed = indexFile.safeParse(index)
  if (!parsed.success)
    throw new AppError({
      code: 'model-unsupported',
      message: 'model.safetensors.index.json does not say which file holds which tensor.',
      hint: 'The file is damaged; fetch it again.',
    })
  const places = new Map(Object.entries(parsed.data.weight_map))
  const readers = new Map<string, WeightsReader>()
  try {
    for (const file of new Set(places.values())) readers.set(file, openShard(folder, file))
    for (const [name, file] of places) {
      if (readers.get(file)!.entries[name] === undefined)
        throw new AppError({
          code: 'model-unsupported',
          message: `${file} does not hold ${name}, which the index says it does.`,
          hint: 'The file is damaged or from another version of the model; fetch it again.',
        })
    }
  } catch (error) {
    for (const reader of readers.values()) reader.close()
    throw error
  }
  return { readers, places }
}

function alone(reader: WeightsReader): Shards {
  const file = path.basename(reader.file)
  return {
    readers: new Map([[file, reader]]),
    places: new Map(Object.keys(reader.entries).map((name) => [name, file])),
  }
}

function openShard(folder: string, file: string): WeightsReader {
  if (path.basename(file) !== file)
    throw new AppError({
      code: 'model-unsupported',
      message: `The index names the file "${file}", which is not in the model's folder.`,
      hint: 'Shards must lie beside their index.',
    })
  if (!existsSync(path.join(folder, file)))
    throw new AppError({
      code: 'model-unsupported',
      message: `The shard ${file} is missing.`,
      hint: 'The model was not copied whole; fetch the file into the same folder.',
    })
  return openSafeTensors(path.join(folder, file))
}

function noWeights(folder: string): AppError {
  const others = readdirSync(folder)
  const pickle = others.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name))
  if (pickle !== undefined) {
    return new AppError({
      code: 'model-unsupported',
      message: `The weights are in ${pickle}, a pickle file: reading it can run any program inside it.`,
      hint: 'Save the model as safetensors where it was made (save_pretrained does so), or take a version that has model.safetensors.',
    })
  }
  return new AppError({
    code: 'file-not-found',
    message: `There is no model.safetensors in ${folder}.`,
    hint: 'Choose the folder that holds config.json and the weights.',
  })
}
