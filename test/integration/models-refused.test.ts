import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { flipByte } from '../support/sparse-model.ts'
import { importTiny, tinyRequest } from '../support/tiny-app.ts'
import { added, client, golden, made, ownFolders, root } from '../support/models-app.ts'
import { withModelsApp } from '../support/models-app.ts'

withModelsApp()

describe('a folder that is no model', () => {
  type Spoil = (folder: string) => void
  const edit = (folder: string, name: string, change: (value: Record<string, unknown>) => unknown): void => {
    const file = path.join(folder, name)
    writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))))
  }
  const weightMap = (folder: string, place: string): void =>
    edit(folder, 'model.safetensors.index.json', (value) => ({
      ...value,
      weight_map: { ...(value['weight_map'] as object), 'model.norm.weight': place },
    }))
  const cases: Readonly<Record<string, readonly [model: string, spoil: Spoil, code: string, message: RegExp]>> = {
    'an architecture that is not read': [
      'gpt2',
      (folder) => edit(folder, 'config.json', (value) => ({ ...value, model_type: 'mamba' })),
      'model-unsupported',
      /"mamba"/,
    ],
    'weights in a pickle': [
      'gpt2',
      (folder) => {
        rmSync(path.join(folder, 'model.safetensors'))
        writeFileSync(path.join(folder, 'pytorch_model.bin'), 'x')
      },
      'model-unsupported',
      /pytorch_model\.bin, a pickle file/,
    ],
    'no weights': [
      'gpt2',
      (folder) => rmSync(path.join(folder, 'model.safetensors')),
      'file-not-found',
      /no model\.safetensors/,
    ],
    'no config.json': [
      'gpt2',
      (folder) => rmSync(path.join(folder, 'config.json')),
      'file-not-found',
      /no config\.json/,
    ],
    'a config.json that is not JSON': [
      'gpt2',
      (folder) => writeFileSync(path.join(folder, 'config.json'), '{'),
      'model-unsupported',
      /config\.json is not JSON/,
    ],
    'a missing shard': [
      'llama_bf16_sharded',
      (folder) => rmSync(path.join(folder, 'model-00002-of-00003.safetensors')),
      'model-unsupported',
      /shard model-00002-of-00003\.safetensors is missing/,
    ],
    'an index that points out of the folder': [
      'llama_bf16_sharded',
      (folder) => weightMap(folder, '../../etc/passwd'),
      'model-unsupported',
      /"\.\.\/\.\.\/etc\/passwd", which is not in the model's folder/,
    ],
    'an index with an absolute path': [
      'llama_bf16_sharded',
      (folder) => weightMap(folder, '/etc/passwd'),
      'model-unsupported',
      /"\/etc\/passwd", which is not in the model's folder/,
    ],
    'a tensor of another shape': [
      'llama_gqa_untied',
      (folder) => edit(folder, 'config.json', (value) => ({ ...value, intermediate_size: 7 })),
      'model-unsupported',
      /mlp\.gate_proj\.weight in model\.safetensors has shape/,
    ],
    'a damaged header': [
      'gpt2',
      (folder) => flipByte(path.join(folder, 'model.safetensors'), 6),
      'model-unsupported',
      /model\.safetensors: its header claims/,
    ],
    'a file that was cut': [
      'gpt2',
      (folder) => truncateSync(path.join(folder, 'model.safetensors'), 20_000),
      'model-unsupported',
      /model\.safetensors: it ends inside/,
    ],
    'a folder that is not there': [
      'gpt2',
      (folder) => rmSync(folder, { recursive: true }),
      'file-not-found',
      /There is no folder/,
    ],
    'a file': [
      'gpt2',
      (folder) => {
        rmSync(folder, { recursive: true })
        writeFileSync(folder, '')
      },
      'file-not-found',
      /is a file/,
    ],
  }
  test.each(Object.entries(cases))('is refused, and why is said: %s', async (_what, [name, spoil, code, message]) => {
    const folder = path.join(root, 'model')
    cpSync(golden(name), folder, { recursive: true })
    spoil(folder)
    const { facts, problems } = await client.call('models.inspect', { path: folder })
    expect([facts, problems.length, problems[0]?.hint === '']).toEqual([null, 1, false])
    expect(problems[0]?.message).toMatch(message)
    for (const place of ['link', 'copy'] as const)
      await expect(
        client.call('models.add', { source: { kind: 'folder', path: folder, place } }),
      ).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(ownFolders()).toEqual([])
  })

  test('may lack a tokenizer: it can be looked at, and not trained', async () => {
    const folder = golden('gpt2')
    expect((await client.call('models.inspect', { path: folder })).notes).toContain(
      'There is no tokenizer.json: it can be looked at, and not trained.',
    )
    const { modelId } = await added({ kind: 'folder', path: folder, place: 'link' })
    const datasetId = await importTiny(client, made.dataFolder)
    const { problems } = await client.call('runs.check', {
      request: tinyRequest(datasetId, { model: { kind: 'registered', modelId } }),
    })
    expect(problems).toEqual([
      {
        path: 'model.modelId',
        message: '"gpt2" has no tokenizer.json. Put it beside the weights and add the model again.',
      },
    ])
  })
})
