import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ModelSummary } from '../../shared/contract/models.ts'
import type { Output } from '../../shared/contract.ts'
import type { TrainingChanges } from '../../shared/training-config.ts'
import { runCli, runJson } from '../support/cli.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { flipByte } from '../support/sparse-model.ts'
import { importTiny, tinyRequest, waitForState } from '../support/tiny-app.ts'
import { added, client, linked, made, root } from '../support/models-app.ts'
import { withModelsApp } from '../support/models-app.ts'

withModelsApp()

describe('a run and a model', () => {
  test('know of each other: a run from a model, a model from its checkpoint, a run from that', async () => {
    const base = await linked()
    const datasetId = await importTiny(client, made.dataFolder)
    const lora = {
      steps: 2,
      batchSize: 2,
      microBatchSize: 2,
      maxLength: 24,
      evalEvery: 0,
      checkpointEvery: 0,
      samplePrompts: 0,
      adapt: 'lora',
      loraRank: 2,
    } as const
    const {
      runIds: [runId],
    } = await client.call('runs.start', {
      request: tinyRequest(datasetId, {
        training: lora,
        model: { kind: 'registered', modelId: base.modelId },
      }),
    })
    expect(await waitForState(client, runId!)).toBe('finished')
    expect((await client.call('models.get', { modelId: base.modelId })).runs).toMatchObject([
      { runId, methodName: 'SFT', seed: 1, state: 'finished' },
    ])
    const child = await added({ kind: 'run', runId: runId!, checkpoint: 'last' })
    expect(child).toMatchObject({
      place: 'copy',
      originRunId: runId,
      parameterCount: base.parameterCount,
      hasTokenizer: true,
      state: 'ready',
      unusedCount: 0,
    })
    expect(child.hash).not.toBe(base.hash)
    // Settings that nothing reads make no other group, and are named.
    const ask = (training: TrainingChanges): Promise<Output<'runs.check'>> =>
      client.call('runs.check', {
        request: tinyRequest(datasetId, {
          training,
          model: { kind: 'registered', modelId: base.modelId },
        }),
      })
    const [plain, idle] = [await ask({ adapt: 'full' }), await ask({ adapt: 'full', loraRank: 3 })]
    expect([idle.command, idle.advice.some(({ text }) => text.startsWith('LoRA rank: without effect'))]).toEqual([
      plain.command,
      true,
    ])
    // An export says where it came from; adapters alone are a fraction of it.
    const to = path.join(root, 'exported')
    expect((await client.call('runs.export', { runId: runId!, path: to, form: 'adapters' })).files).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    const card = readFileSync(path.join(to, 'README.md'), 'utf8')
    for (const word of [base.name, base.hash, runId!, datasetId.slice(0, 4), 'Seed | 1']) expect(card).toContain(word)
    await expect(client.call('runs.export', { runId: runId!, path: to })).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('not empty'),
    })
    await expect(client.call('runs.export', { runId: runId!, path: 'here' })).rejects.toMatchObject({
      code: 'input-invalid',
    })
    // Its files are gone: what would start from it is refused before it starts.
    rmSync(base.path, { recursive: true })
    const { problems } = await client.call('runs.check', {
      request: tinyRequest(datasetId, { model: { kind: 'registered', modelId: base.modelId } }),
    })
    expect(problems).toEqual([
      {
        path: 'model.modelId',
        message: `"model" cannot be used: the folder ${base.path} is gone. Put it back, e.g. connect the disk it is on, or remove the model from the list.`,
      },
    ])
  }, 60_000)
})

describe('the command line', () => {
  let dataFolder: string
  let folder: string
  const cli = (...args: string[]): Promise<unknown> => runJson(args, { dataFolder })
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'pairlab clï '))
    dataFolder = path.join(folder, 'data')
    await makeModelFolder(path.join(folder, 'tiny'))
    writeFileSync(
      path.join(folder, 'pairs.jsonl'),
      ['a', 'b', 'c', 'd', 'e', 'f']
        .map((letter) => `${JSON.stringify({ prompt: `${letter}?`, chosen: 'yes', rejected: 'no' })}\n`)
        .join(''),
    )
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('adds, lists, shows, trains from, exports, verifies, renames and removes', async () => {
    const added = (await cli('models', 'add', path.join(folder, 'tiny'))) as ModelSummary
    expect(added).toMatchObject({ name: 'tiny', place: 'link', state: 'ready' })
    expect((await runCli(['models', 'show', 'tiny'], { dataFolder })).stdout).toContain(`sha256: ${added.hash}`)
    await cli('import', path.join(folder, 'pairs.jsonl'), '--name', 'mine')
    const train = [
      'train',
      'sft',
      '--data',
      'mine',
      '--model',
      'model:tiny',
      '--adapt',
      'lora',
      '--lora-rank',
      '2',
      '--steps',
      '2',
      '--batch-size',
      '2',
      '--micro-batch-size',
      '1',
      '--max-length',
      '16',
      '--eval-every',
      '0',
      '--checkpoint-every',
      '0',
      '--sample-prompts',
      '0',
      '--engine',
      'cpu',
      '--name',
      'short',
    ]
    expect(await cli(...train)).toMatchObject([
      {
        state: 'finished',
        spec: { model: { kind: 'registered', hash: added.hash }, training: { adapt: 'lora', loraRank: 2 } },
      },
    ])
    const target = path.join(folder, 'out')
    expect(await cli('runs', 'export', 'short', '--to', target)).toMatchObject({
      step: 2,
      files: [
        'README.md',
        'config.json',
        'generation_config.json',
        'model.safetensors',
        'tokenizer.json',
        'tokenizer_config.json',
      ],
    })
    expect(await cli('models', 'add', target, '--copy', '--name', 'merged')).toMatchObject({
      name: 'merged',
      place: 'copy',
    })
    expect(await cli('models', 'add', '--run', 'short')).toMatchObject({
      name: 'short s1',
      originRunId: expect.stringMatching(/^short-/),
    })
    await cli('models', 'rename', 'merged', 'better')
    expect(await cli('models', 'verify', 'better')).toMatchObject({ ok: true })
    const better = (await cli('models', 'show', 'better')) as ModelSummary
    flipByte(path.join(better.path, 'model.safetensors'), better.sizeBytes)
    expect(await runJson(['models', 'verify', 'better'], { dataFolder }, 3)).toMatchObject({
      error: { code: 'model-unsupported', hint: expect.stringContaining('add the model again') },
    })
    await cli('models', 'remove', 'better')
    expect((await cli('models', 'list')) as ModelSummary[]).toHaveLength(2)
    expect(await runJson(['models', 'add', path.join(folder, 'nowhere')], { dataFolder }, 3)).toMatchObject({
      error: { message: expect.stringContaining('There is no folder') },
    })
    expect(await runJson(['models', 'add'], { dataFolder }, 2)).toMatchObject({ error: { code: 'usage-invalid' } })
  }, 240_000)
})
