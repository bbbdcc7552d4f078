// npm run bench:quantized [layers]: ten steps of LoRA beside 1.5 billion weights in a Q4_0 file, kept as they are stored.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { parameterCount } from '../../main/core/learn/models/decoder.ts'
import { freshWeights } from '../../main/core/learn/models/parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { writeGguf } from '../../main/core/models/gguf/write.ts'
import { tokenizerEntries } from '../../main/core/models/gguf/write-tokenizer.ts'
import { formatBytes, formatCount, formatDuration } from '../../shared/units.ts'
import { bigConfig, trainLoraBeside } from '../support/big-model.ts'

const BOUND_BYTES = 2 ** 32
const root = mkdtempSync(path.join(tmpdir(), 'pairlab-quantized-'))

async function main(layers: number): Promise<number> {
  const config = {
    ...bigConfig({ layers, hidden: 2048, heads: 16, feedForward: 5632, vocabSize: 32_000 }),
    kvHeads: 4,
  }
  const spoken = { beginId: null, putsBeginning: false, endIds: [0], padId: 1, chatTemplate: null, layout: 'plain' }
  const file = path.join(root, 'random.Q4_0.gguf')
  await writeGguf(
    file,
    {
      config,
      source: freshWeights(config, createRandom(7)),
      maxLength: 2048,
      name: 'random',
      licence: null,
      tokenizer: tokenizerEntries(byteTokenizer(), config.vocabSize, spoken),
    },
    'Q4_0',
  )
  console.log(`${formatCount(parameterCount(config))} weights, ${formatBytes(statSync(file).size)} in the file`)
  const app = await createApp({ dataFolder: path.join(root, 'data') })
  try {
    const beganAtMs = performance.now()
    const { peakBytes, state, runId } = await trainLoraBeside(app, file, config, {
      method: 'sft',
      training: {
        adapt: 'lora',
        loraRank: 8,
        steps: 10,
        batchSize: 2,
        microBatchSize: 1,
        maxLength: 64,
        evalEvery: 0,
        evalPairs: 4,
        checkpointEvery: 0,
        samplePrompts: 0,
      },
    })
    const folder = path.join(root, 'data', 'runs', runId)
    const { training } = JSON.parse(readFileSync(path.join(folder, 'spec.json'), 'utf8')) as {
      readonly training: { readonly frozenStorage: string; readonly gradientCheckpointing: boolean }
    }
    console.log(
      `10 steps of LoRA: ${state} after ${formatDuration(performance.now() - beganAtMs)}, frozen weights kept as ${training.frozenStorage}${training.gradientCheckpointing ? ', gradient checkpointing' : ''}`,
    )
    console.log(`training process, peak: ${formatBytes(peakBytes)} (at most ${formatBytes(BOUND_BYTES)})`)
    return state === 'finished' && peakBytes < BOUND_BYTES ? 0 : 1
  } finally {
    await app.close('continue')
    rmSync(root, { recursive: true, force: true })
  }
}

process.exit(await main(Number(process.argv[2] ?? 32)))
