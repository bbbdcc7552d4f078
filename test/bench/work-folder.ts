import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { initialAdapters } from '../../main/core/learn/models/adapters.ts'
import { initialWeights } from '../../main/core/learn/models/decoder.ts'
import { decoderConfigFile } from '../../main/core/learn/models/hf-config.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { encodeSafeTensors } from '../../main/core/learn/models/safetensors.ts'
import {
  ADAPTERS_FILE,
  BETA,
  LEARNING_RATE,
  LORA,
  pairsOf,
  promptsOf,
  referenceOf,
  SAMPLED_TOKENS,
  SHAPES,
  type ShapeName,
} from './engine-jobs.ts'

/** The weights and rows that every participant reads. */
export function writeWork(folder: string, shapes: readonly ShapeName[]): void {
  const plan: Record<string, unknown> = {}
  for (const shape of shapes) {
    const { config, jobs: possible } = SHAPES[shape]
    mkdirSync(path.join(folder, shape))
    writeFileSync(path.join(folder, shape, 'config.json'), JSON.stringify(decoderConfigFile(config, 1024)))
    writeFileSync(
      path.join(folder, shape, 'model.safetensors'),
      encodeSafeTensors(initialWeights(config, createRandom(1)), { format: 'pt' }),
    )
    if (possible.includes('lora-sft'))
      writeFileSync(
        path.join(folder, shape, ADAPTERS_FILE),
        encodeSafeTensors(initialAdapters(config, LORA, createRandom(2)), { format: 'pt' }),
      )
    plan[shape] = { config, prompts: promptsOf(shape, 8), sft: rowsOf(shape, 'sft'), dpo: rowsOf(shape, 'dpo') }
  }
  writeFileSync(
    path.join(folder, 'plan.json'),
    JSON.stringify({
      learningRate: LEARNING_RATE,
      beta: BETA,
      lora: LORA,
      sampledTokens: SAMPLED_TOKENS,
      shapes: plan,
    }),
  )
}

function rowsOf(shape: ShapeName, job: 'sft' | 'dpo'): object {
  const pairs = pairsOf(shape, job)
  const rows =
    job === 'sft'
      ? pairs.map((pair) => pair.chosen)
      : [...pairs.map((pair) => pair.chosen), ...pairs.map((pair) => pair.rejected)]
  return {
    ids: rows.map((row) => [...row.prompt, ...row.completion]),
    start: rows[0]!.prompt.length,
    reference: rows.map((row) => [...referenceOf(row)]),
  }
}
