// One engine in a process of its own: node test/bench/engine-child.ts <engine> <threads> <weights folder>. Reads requests
// as JSON lines, answers each with a line.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { engineName } from '../../shared/domain.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import type { Algorithm, Batch, BatchTotals } from '../../main/core/learn/define.ts'
import { findTextAlgorithm } from '../../main/core/learn/registry.ts'
import { decoderFrom, type Decoder } from '../../main/core/learn/models/decoder.ts'
import { sourceOf } from '../../main/core/learn/models/parameters.ts'
import { decodeSafeTensors } from '../../main/core/learn/models/safetensors.ts'
import { createOptimizer, type Optimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { sampleCompletions } from '../../main/core/learn/sampling/sample.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { BatchParts } from '../../main/core/learn/batch-totals.ts'
import { minimizeParts } from '../../main/workers/trainer/minimize.ts'
import { pairItems } from '../../main/workers/trainer/text/training-data.ts'
import {
  ADAPTERS_FILE,
  BETA,
  kindOf,
  LEARNING_RATE,
  LORA,
  pairsOf,
  promptsOf,
  referenceOf,
  SAMPLED_TOKENS,
  type Goodbye,
  type Hello,
  type Reply,
  type Request,
  type ShapeName,
  type StepJob,
} from './engine-jobs.ts'

const [engineArgument, threadsArgument, folder] = process.argv.slice(2) as [string, string, string]
const engine = await openEngine(engineName.parse(engineArgument), {
  threads: Number(threadsArgument),
  enginesFolder: process.env['PAIRLAB_ENGINES'] ?? null,
})
const say = (line: Hello | Reply | Goodbye): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const training = trainingConfig.parse({
  learningRate: LEARNING_RATE,
  schedule: 'constant',
  warmupFraction: 0,
  clipNorm: 0,
  steps: 1_000_000,
  maxLength: 1024,
  microBatchSize: 4096,
  batchSize: 4096,
})

interface Work {
  readonly key: string
  run(): Promise<number[]>
  dispose(): void
}

/** As a run opens a model folder: configuration read and checked, then one tensor after the other from the file into the engine. */
function loadDecoder(shape: ShapeName, withAdapters = false): Decoder {
  const opened = openModelFolder(path.join(folder, shape))
  try {
    if (!withAdapters) return decoderFrom(opened.config, opened)
    const { tensors } = decodeSafeTensors(readFileSync(path.join(folder, shape, ADAPTERS_FILE)))
    return decoderFrom(opened.config, opened, { lora: LORA, adapters: sourceOf(tensors) })
  } finally {
    opened.close()
  }
}

function stepWork(shape: ShapeName, job: StepJob): Work {
  const decoder = loadDecoder(shape, job.startsWith('lora-'))
  const optimizer: Optimizer = createOptimizer(training, decoder.variables)
  const kind = kindOf(job)
  const algorithm: Algorithm = findTextAlgorithm(kind)
  const config = algorithm.config.parse(kind === 'dpo' ? { beta: BETA } : {})
  const pairs = pairsOf(shape, kind)
  const items = pairItems({
    set: { pairs, rewards: null, answers: [] },
    algorithm,
    config,
    microBatchSize: 4096,
    padId: 0,
    referenceOf: kind === 'dpo' ? referenceOf : null,
  })
  const parts: BatchParts = items.parts([...pairs.keys()])
  const loss = (batch: Batch, totals: BatchTotals) => algorithm.loss({ network: decoder, batch, totals, config })
  return {
    key: `${shape} ${job}`,
    run: async () => [
      (await minimizeParts(decoder, optimizer, training, parts, loss, () => undefined)).metrics['loss']!,
    ],
    dispose() {
      decoder.dispose()
      ;(optimizer as { dispose?: () => void }).dispose?.()
    },
  }
}

function sampleWork(shape: ShapeName, rows: number): Work {
  const decoder = loadDecoder(shape)
  const prompts = promptsOf(shape, rows)
  let round = 0
  return {
    key: `${shape} sample-${rows}`,
    async run() {
      // The first is greedy and shows that the model is the same; the rest are drawn, as in use. No token ends a row.
      const greedy = round === 0
      const done = await sampleCompletions(decoder, prompts, (row) => createRandom(1000 * round + row), {
        maxTokens: SAMPLED_TOKENS,
        temperature: greedy ? 0 : 1,
        endId: -1,
      })
      round += 1
      return greedy ? [...done[0]!.ids.slice(0, 8)] : []
    },
    dispose: () => decoder.dispose(),
  }
}

function loadWork(shape: ShapeName): Work {
  const read = async (decoder: Decoder): Promise<number> =>
    (await Object.values(decoder.variables)[0]!.data<'float32'>())[0]! // the numbers have arrived
  return {
    key: `${shape} load`,
    async run() {
      const decoder = loadDecoder(shape)
      const first = await read(decoder)
      decoder.dispose()
      return [first]
    },
    dispose: () => undefined,
  }
}

function begin({ shape, job }: Request): Work {
  if (job === 'load') return loadWork(shape)
  return job === 'sample-1' || job === 'sample-8' ? sampleWork(shape, Number(job.at(-1))) : stepWork(shape, job)
}

const tensorsSeen: number[] = []
let work: Work | null = null

async function answer(request: Request): Promise<Reply> {
  if (request.fresh) {
    work?.dispose()
    work = begin(request)
  }
  if (work === null || work.key !== `${request.shape} ${request.job}`)
    throw new Error('a job goes on that was not begun')
  const ms: number[] = []
  const cpuMs: number[] = []
  const check: number[] = []
  for (let at = 0; at < request.count; at += 1) {
    const startedAtMs = performance.now()
    const before = process.cpuUsage()
    check.push(...(await work.run()))
    ms.push(performance.now() - startedAtMs)
    const { user, system } = process.cpuUsage(before)
    cpuMs.push((user + system) / 1000)
  }
  if (request.job === 'sft' && request.shape === 'small') tensorsSeen.push(tf.memory().numTensors)
  return { ms, cpuMs, check }
}

say({ name: engine.name, device: engine.device, version: tf.version_core })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === '"end"') break
  try {
    say(await answer(JSON.parse(line) as Request)) // written by engine.ts beside this file
  } catch (error) {
    say({ ms: [], cpuMs: [], check: [], error: error instanceof Error ? `${error.message}` : String(error) })
  }
}
say({
  peakBytes: process.resourceUsage().maxRSS * 1024,
  cardBytes: engine.onCard === true || engine.software === true ? engine.memory().peakBytes : null,
  tensors: tensorsSeen.length < 2 ? null : [tensorsSeen[0]!, tensorsSeen.at(-1)!],
})
await engine.dispose()
process.exit(0)
