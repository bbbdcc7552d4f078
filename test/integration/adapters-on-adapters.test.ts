import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { checkpointFolder } from '../../main/base/run-folder/paths.ts'
import { mergeAdapter, mergedSource } from '../../main/core/learn/models/adapters.ts'
import { decoderFrom, presetConfig } from '../../main/core/learn/models/decoder.ts'
import { parameterCount, parameterShapes } from '../../main/core/learn/models/parameters.ts'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { openModelFiles } from '../../main/core/models/checkpoint-files.ts'
import { exportModel } from '../../main/core/models/export-model.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import { openAdapterFolder } from '../../main/core/models/peft.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { sampleCompletions } from '../../main/core/learn/sampling/sample.ts'
import { openWriter } from '../../main/workers/generator/generate-model.ts'
import { roundWeights } from '../support/bfloat16-folder.ts'
import type { RunSpec } from '../../shared/run-spec.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { ownFolder } from '../support/own-folder.ts'
import { allEvents, makeTinyRun, metricsByStep, weightsOf, type TinyOptions } from '../support/tiny-run.ts'
import { trainHere } from '../support/train-here.ts'

// Adapters that go on from adapters: SFT, DPO from it, DPO from that, each with other ranks and layers.

const own = ownFolder('adapters on adapters')
const STEPS = 4
/** With a head of its own, which is frozen as the rest is. */
const CONFIG = { ...presetConfig('nano', loadTokenizer(byteTokenizer()).vocabSize), tiedEmbeddings: false }

type Model = NonNullable<RunSpec['model']>

async function after(folder: string): Promise<Extract<Model, { kind: 'run' }>> {
  const place = checkpointFolder(folder, STEPS)
  const files = await openModelFiles(place)
  files.close()
  return { kind: 'run', runId: path.basename(folder) as never, checkpoint: 'last', path: place, hash: files.hash }
}

function made(runId: string, model: Model, { training, ...options }: TinyOptions = {}): string {
  return makeTinyRun(own.path, {
    runId,
    model,
    ...options,
    training: {
      adapt: 'lora',
      steps: STEPS,
      checkpointEvery: 2,
      evalEvery: 0,
      samplePrompts: 0,
      learningRate: 2e-2,
      ...training,
    },
  })
}

async function trained(...options: Parameters<typeof made>): Promise<string> {
  const folder = made(...options)
  await trainHere(folder)
  return folder
}

/** The model and the three runs on it, the last of them begun only. */
async function chain(): Promise<{ readonly model: string; readonly runs: readonly string[]; readonly last: string }> {
  const model = await makeModelFolder(path.join(own.path, 'model'), 7, CONFIG)
  const sft = await trained(
    'sft',
    { kind: 'registered', modelId: 'm' as never, name: 'm', ...model },
    { training: { loraRank: 3, loraTargets: 'mlp' } },
  )
  const dpo = await trained('dpo', await after(sft), { method: 'dpo', training: { loraRank: 2, loraAlpha: 5 } })
  const last = made('last', await after(dpo), { method: 'dpo', training: { loraRank: 1, loraTargets: 'attention' } })
  return { model: model.path, runs: [sft, dpo], last }
}

test('each run keeps the adapters before its own in place of the model that they make', async () => {
  const { model, runs, last } = await chain()
  await trainHere(last)
  const whole = { weights: weightsOf(last, STEPS), metrics: metricsByStep(allEvents(last)) }
  const files = readdirSync(own.path, { recursive: true }).map(String)
  expect(files.filter((file) => file.endsWith('model.safetensors') && !file.includes('adapter_model'))).toEqual([
    path.join('model', 'model.safetensors'),
  ])
  expect(readdirSync(path.join(last, 'origin')).toSorted()).toEqual(
    readdirSync(path.join(runs[1]!, 'origin')).toSorted().concat('base').toSorted(),
  )

  // W + s₁B₁A₁ + s₂B₂A₂ + s₃B₃A₃
  const base = openModelFolder(model)
  const adapters = [...runs, last].map((run) => openAdapterFolder(checkpointFolder(run, STEPS)))
  const files3 = await openModelFiles(checkpointFolder(last, STEPS))
  let moved = 0
  for (const name of Object.keys(parameterShapes(base.config))) {
    const weight = { shape: base.read(name).shape, data: base.read(name).data.slice() }
    const before = weight.data.slice()
    for (const one of adapters) {
      const [a, b] = ['A', 'B'].map((side) => name.replace(/weight$/, `lora_${side}.weight`)) as [string, string]
      if (one.names.has(a)) mergeAdapter(weight, one.read(a), one.read(b), one.scale, false)
    }
    expect(files3.source.read(name).data).toEqual(weight.data)
    moved += weight.data.some((value, at) => value !== before[at]) ? 1 : 0
  }
  expect(moved).toBeGreaterThan(10)

  // As one pair of matrices a layer, for other programs.
  const to = path.join(own.path, 'out')
  await exportModel(checkpointFolder(last, STEPS), to, { form: 'adapters', card: '', origin: null })
  const one = openAdapterFolder(to)
  expect([one.rank, one.scale]).toEqual([6, 1])
  const merged = mergedSource(base, one, one.scale, false)
  for (const name of Object.keys(parameterShapes(base.config))) {
    const [found, wanted] = [merged.read(name).data, files3.source.read(name).data]
    expect(found.reduce((most, value, at) => Math.max(most, Math.abs(value - wanted[at]!)), 0)).toBeLessThan(1e-6)
  }
  for (const opened of [base, files3, one, ...adapters]) opened.close()

  // The runs before it may be deleted: it is read, and goes on, as if they were there.
  for (const run of runs) rmSync(run, { recursive: true })
  ;(await openModelFiles(checkpointFolder(last, STEPS))).close()
  rmSync(checkpointFolder(last, STEPS), { recursive: true })
  expect((await trainHere(last)).resumedFromStep).toBe(2)
  expect(weightsOf(last, STEPS)).toEqual(whole.weights)
  expect(metricsByStep(allEvents(last))).toEqual(whole.metrics)
})

test('PEFT lays them beside the model as one, and computes the same', async ({ skip }) => {
  const python = process.env['PAIRLAB_PYTHON'] ?? 'python3'
  if (spawnSync(python, ['-c', 'import peft, transformers']).status !== 0)
    skip(`${python} has no peft and transformers`)
  const { model, last } = await chain()
  await trainHere(last)
  const [whole, adapters] = ['whole', 'adapters'].map((name) => path.join(own.path, name)) as [string, string]
  for (const [form, to] of [
    ['model', whole],
    ['adapters', adapters],
  ] as const)
    await exportModel(checkpointFolder(last, STEPS), to, { form, card: '', origin: null })
  const script = `import sys, torch
from transformers import AutoModelForCausalLM
from peft import PeftModel
base, whole, adapters = sys.argv[1:]
ids = torch.tensor([[5, 9, 60, 7, 33, 12]])
of = lambda model: model.eval()(ids).logits
with torch.no_grad():
    one = of(AutoModelForCausalLM.from_pretrained(base)).clone()
    two = of(AutoModelForCausalLM.from_pretrained(whole))
    three = of(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapters))
print((two - one).abs().max().item(), (three - two).abs().max().item())`
  const { stdout, stderr } = spawnSync(python, ['-c', script, model, whole, adapters], { encoding: 'utf8' })
  expect(stdout, stderr).not.toBe('')
  const [moved, apart] = stdout.trim().split(' ').map(Number) as [number, number]
  expect(moved).toBeGreaterThan(1e-2)
  expect(apart).toBeLessThan(1e-5)
}, 200_000)

test.each([
  ['is gone', (place: string) => rmSync(place, { recursive: true })],
  ['lacks a file', (place: string) => rmSync(path.join(place, 'adapter_model.safetensors'))],
  ['was changed', (place: string) => appendFileSync(path.join(place, 'config.json'), ' ')],
])('a checkpoint to begin with that %s is named once, and nothing of it is kept', async (_what, spoil) => {
  const { runs, last } = await chain()
  const place = checkpointFolder(runs[1]!, STEPS)
  spoil(place)
  const failure: { code?: string; message?: string } = await trainHere(last).then(
    () => ({}),
    (error: unknown) => error as Error,
  )
  expect(failure.code).toBe('spec-invalid')
  expect(failure.message!.split('The checkpoint')).toHaveLength(2)
  expect(failure.message).toContain(place)
  expect(existsSync(path.join(last, 'origin'))).toBe(false)
})

test('a changed file of what it keeps is named', async () => {
  const { last } = await chain()
  await trainHere(last)
  rmSync(path.join(last, 'origin', 'base', 'adapter_model.safetensors'))
  await expect(openModelFiles(checkpointFolder(last, STEPS))).rejects.toMatchObject({
    code: 'spec-invalid',
    message: expect.stringContaining(path.join('origin', 'base')),
  })
})

test('beside a model in fewer bits with a head of its own, both are kept as they are to write with', async () => {
  const { path: place } = await makeModelFolder(path.join(own.path, 'halves'), 7, CONFIG)
  roundWeights(place)
  const model = openModelFolder(place)
  const hash = await model.hash()
  model.close()
  const folder = await trained(
    'halves',
    { kind: 'registered', modelId: 'm' as never, name: 'm', path: place, hash },
    { training: { loraRank: 2 } },
  )
  // The second run's adapters go over other layers and ranks than the first one's.
  const second = await trained('more', await after(folder), { method: 'dpo', training: { loraRank: 1 } })
  for (const run of [folder, second]) await expectKept(run)
})

/** What writes with a run takes little more than the model's file, and writes what it would with all of it as floats. */
async function expectKept(run: string): Promise<void> {
  const place = checkpointFolder(run, STEPS)
  const { decoder } = await openWriter({ kind: 'checkpoint', path: place, trainedHere: true })
  const floats = parameterCount(CONFIG) * 4
  expect(decoder.weightBytes).toBeLessThan(0.6 * floats)
  const [row] = await sampleCompletions(decoder, [[1, 2, 3]], () => createRandom(1), {
    maxTokens: 4,
    temperature: 0,
    endId: -1,
  })
  decoder.dispose()
  const files = await openModelFiles(place)
  const wide = decoderFrom(CONFIG, files.source)
  const [same] = await sampleCompletions(wide, [[1, 2, 3]], () => createRandom(1), {
    maxTokens: 4,
    temperature: 0,
    endId: -1,
  })
  wide.dispose()
  files.close()
  expect(row!.ids).toEqual(same!.ids)
}
