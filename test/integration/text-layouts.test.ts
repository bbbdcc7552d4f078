import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Generation, GenerationRequest } from '../../shared/contract/playground.ts'
import type { RunId } from '../../shared/domain.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import type { TrainingChanges } from '../../shared/training-config.ts'
import { presetConfig } from '../../main/core/learn/models/decoder.ts'
import { encodeConversation } from '../../main/core/learn/tokens/chat-template.ts'
import { openLanguage } from '../../main/core/learn/tokens/language.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import { checkpointFolder } from '../../main/base/run-folder/paths.ts'
import { waitUntil } from '../support/make-app.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { added, client, made, root, withModelsApp } from '../support/models-app.ts'
import { importTiny, TINY_TRAINING, tinyRequest, waitForState } from '../support/tiny-app.ts'

withModelsApp()

const family = JSON.parse(readFileSync(new URL('../fixtures/chat/chatml.json', import.meta.url), 'utf8')) as {
  readonly tokenizer: unknown
  readonly template: string
  readonly special: Readonly<Record<string, string>>
}
const TRAINING = { ...TINY_TRAINING, steps: 4, maxLength: 64, sampleTokens: 6 } as const

/** A chat model as its makers publish it: template, end tokens, and an end of texts that ends no turn. */
async function chatModel(folder: string): Promise<void> {
  await makeModelFolder(folder, 3, presetConfig('nano', 700))
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text)
  write('tokenizer.json', JSON.stringify(family.tokenizer))
  write('tokenizer_config.json', JSON.stringify({ ...family.special, model_max_length: 256 }))
  write('generation_config.json', JSON.stringify({ eos_token_id: [2, 0], do_sample: true, top_p: 0.9 }))
  write('chat_template.jinja', family.template)
}

async function run(request: Partial<RunRequestInput>): Promise<RunId> {
  const datasetId =
    (await client.call('datasets.list', {}))[0]?.datasetId ?? (await importTiny(client, made.dataFolder))
  const {
    runIds: [runId],
  } = await client.call('runs.start', {
    request: tinyRequest(datasetId, { engine: 'wasm', training: TRAINING, ...request }),
  })
  expect(await waitForState(client, runId!)).toBe('finished')
  return runId!
}

async function written(
  source: GenerationRequest['source'],
  prompt: GenerationRequest['prompt'],
): Promise<Pick<Generation, 'promptTokens' | 'layout'> & { readonly texts: readonly string[] }> {
  const { generationId } = await client.call('playground.generate', {
    source,
    prompt,
    settings: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, maxTokens: 10, stopStrings: [] },
    seed: 5,
    engine: 'wasm',
  })
  await waitUntil('the generation', async () =>
    ['done', 'failed'].includes((await client.call('playground.get', { generationId })).state),
  )
  const { promptTokens, layout, completions, error } = await client.call('playground.get', { generationId })
  expect(error).toBe(null)
  return { promptTokens, layout, texts: completions.map((one) => one.text) }
}

const MESSAGES = [{ role: 'user' as const, content: 'q1?' }]
const CHAT: GenerationRequest['prompt'] = { kind: 'chat', messages: MESSAGES }
const TEXT: GenerationRequest['prompt'] = { kind: 'text', text: 'q1?' }

describe('a chat model', () => {
  test('is trained, kept, exported and served in its own words', async () => {
    const folder = path.join(root, 'chat model')
    mkdirSync(folder)
    await chatModel(folder)
    const { modelId } = await added({ kind: 'folder', path: folder, place: 'link' })
    const model = { kind: 'registered', modelId } as const
    const sft = await run({ model, training: { ...TRAINING, adapt: 'lora', loraRank: 2 } })
    const detail = await client.call('runs.get', { runId: sft })
    expect([detail.spec.layout, detail.spec.pretrained, detail.pretrained]).toEqual(['template', true, true])

    // A run that goes on from it goes on in the same words; what it saw is shown.
    const dpo = await run({ method: 'dpo', model: { kind: 'run', runId: sft, checkpoint: 'last' } })
    expect((await client.call('runs.get', { runId: dpo })).spec).toMatchObject({ layout: 'template', pretrained: true })
    const { datasetId } = (await client.call('datasets.list', {}))[0]!
    const preview = await client.call('runs.tokens', {
      request: tinyRequest(datasetId, { model: { kind: 'run', runId: dpo, checkpoint: 'last' }, training: TRAINING }),
    })
    expect([preview?.layout, preview?.ends]).toEqual(['template', ['<|im_end|>', '<|endoftext|>']])
    const [row] = preview!.rows
    expect(row!.prompt.slice(0, 2).join('')).toMatch(/^<\|im_start\|>/)
    expect(row!.prompt.slice(-9).join('')).toMatch(/<\|im_start\|>assistant\n$/)
    expect(row!.completion.at(-1)).toEqual({ text: '<|im_end|>', trained: true })
    // A template that leaves no room beside what the policy is to write is refused before the start.
    const MAX = row!.prompt.length + 16
    const tight = { model: { kind: 'run', runId: dpo, checkpoint: 'last' } as const, method: 'rloo' }
    const refused = async (training: TrainingChanges, config = {}): Promise<unknown> =>
      client
        .call('runs.tokens', {
          request: tinyRequest(datasetId, { ...tight, config, training: { ...TRAINING, maxLength: MAX, ...training } }),
        })
        .then(
          () => null,
          (error: Error) => error.message,
        )
    expect(await refused({ samplePrompts: 0 }, { rolloutTokens: 2 })).toBe(null)
    const words = /^The chat template alone takes \d+ tokens, and there is room for \d+\.$/
    expect(await refused({ samplePrompts: 1, sampleTokens: MAX - 8 }, { rolloutTokens: 2 })).toMatch(words)
    expect(await refused({ samplePrompts: 0 }, { rolloutTokens: MAX - 8 })).toMatch(words)

    const checkpoint = checkpointFolder(path.join(made.dataFolder, 'runs', dpo), TRAINING.steps)
    expect(readdirSync(checkpoint)).toEqual(
      expect.arrayContaining(['chat_template.jinja', 'generation_config.json', 'tokenizer_config.json']),
    )
    const to = path.join(root, 'exported')
    await client.call('runs.export', { runId: dpo, path: to })
    const read = (name: string): Record<string, unknown> =>
      JSON.parse(readFileSync(path.join(to, name), 'utf8')) as Record<string, unknown>
    expect(readFileSync(path.join(to, 'chat_template.jinja'), 'utf8')).toBe(family.template)
    expect(read('config.json')).toMatchObject({ eos_token_id: [2, 0] })
    expect(read('generation_config.json')).toMatchObject({ eos_token_id: [2, 0], top_p: 0.9 })
    expect(read('tokenizer_config.json')).toMatchObject({ eos_token: '<|im_end|>', pairlab_layout: 'template' })

    // Served from the run, from the export added again, or from the folder: the same tokens, the same answer.
    const again = await added({ kind: 'folder', path: to, place: 'link' })
    const answers = await Promise.all(
      (
        [
          { kind: 'run', runId: dpo, checkpoint: 'last' },
          { kind: 'model', modelId: again.modelId },
          { kind: 'folder', path: to },
        ] as const
      ).map((source) => written(source, CHAT)),
    )
    expect(answers[0]!.layout).toBe('template')
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
    const model2 = openModelFolder(to)
    const { tokenizer } = openLanguage(model2.language, 'template')
    const turns = [...MESSAGES, { role: 'assistant', content: 'x' }]
    const whole = encodeConversation(tokenizer, { source: family.template, variables: family.special }, turns).ids
    expect(whole.length).toBeGreaterThan(answers[0]!.promptTokens!)
    model2.close()
  })

  test('can be trained in another layout, which makes another group; a template that is not there is refused', async () => {
    const folder = path.join(root, 'chat model')
    mkdirSync(folder)
    await chatModel(folder)
    const { modelId } = await added({ kind: 'folder', path: folder, place: 'link' })
    const model = { kind: 'registered', modelId } as const
    const plain = await run({ model, training: { ...TRAINING, layout: 'plain' } })
    const own = await run({ model })
    const [one, other] = [
      await client.call('runs.get', { runId: plain }),
      await client.call('runs.get', { runId: own }),
    ]
    expect([one.spec.layout, other.spec.layout]).toEqual(['plain', 'template'])
    expect(one.groupHash).not.toBe(other.groupHash)
    const { datasetId } = (await client.call('datasets.list', {}))[0]!
    const check = await client.call('runs.check', {
      request: tinyRequest(datasetId, { training: { ...TRAINING, layout: 'template' } }),
    })
    expect(check.problems).toEqual([{ path: 'training.layout', message: expect.stringContaining('no chat template') }])
  })
})

test('a run of Pairlab’s own, exported and added again, writes the same from the same prompt', async () => {
  const runId = await run({})
  const to = path.join(root, 'own')
  await client.call('runs.export', { runId, path: to })
  const again = await added({ kind: 'folder', path: to, place: 'link' })
  for (const prompt of [CHAT, TEXT]) {
    const here = await written({ kind: 'run', runId, checkpoint: 'last' }, prompt)
    expect(await written({ kind: 'model', modelId: again.modelId }, prompt)).toEqual(here)
  }
  const next = await run({ method: 'dpo', model: { kind: 'registered', modelId: again.modelId } })
  expect((await client.call('runs.get', { runId: next })).spec).toMatchObject({ layout: 'tags' })
})
