import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../main/app/app.ts'
import { copyFiles, freeBytes, requireSpace } from '../../main/app/registry/copy-files.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import type { ModelJob } from '../../shared/contract/models.ts'
import type { ModelId } from '../../shared/domain.ts'
import { inProcess } from '../../shared/rpc.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { flipByte, makeSparseModel } from '../support/sparse-model.ts'
import {
  added,
  addTo,
  client,
  golden,
  linked,
  made,
  modelsFolder,
  ownFolders,
  root,
  stateOf,
} from '../support/models-app.ts'
import { withModelsApp } from '../support/models-app.ts'

withModelsApp()

describe('a model that is added', () => {
  test('by link stays where it is, and everything about it is known', async () => {
    const folder = path.join(root, 'tiny')
    await makeModelFolder(folder)
    writeFileSync(path.join(folder, 'LICENSE'), 'Do as you like.')
    writeFileSync(path.join(folder, 'chat_template.jinja'), '{{ messages }}')
    const before = readdirSync(folder)
    const inspection = await client.call('models.inspect', { path: folder })
    expect(inspection).toMatchObject({
      name: 'tiny',
      problems: [],
      notes: [],
      facts: { family: 'llama', kind: 'decoder' },
    })
    expect(inspection.copyBytes).toBe(before.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0))
    expect(inspection.freeBytes).toBeGreaterThan(0)
    const model = await added({ kind: 'folder', path: folder, place: 'link' })
    const direct = openModelFolder(folder)
    expect(model).toMatchObject({
      name: 'tiny',
      place: 'link',
      path: folder,
      source: folder,
      state: 'ready',
      trouble: null,
      dtype: 'F32',
      licenceName: 'LICENSE',
      unusedCount: 0,
      hasTokenizer: true,
      hasChatTemplate: true,
      originRunId: null,
      contextLength: 256,
    })
    expect([model.hash, model.parameterCount, model.sizeBytes]).toEqual([
      await direct.hash(),
      direct.parameterCount,
      direct.weightBytes,
    ])
    direct.close()
    expect(ownFolders()).toEqual([model.modelId])
    expect([readdirSync(path.join(modelsFolder(), model.modelId)), readdirSync(folder)]).toEqual([
      ['model.json'],
      before,
    ])
    const detail = await client.call('models.get', { modelId: model.modelId })
    expect(detail).toMatchObject({
      licence: { name: 'LICENSE', text: 'Do as you like.' },
      chatTemplate: '{{ messages }}',
      tokenizer: { tokens: model.vocabSize },
      runs: [],
      config: { model_type: 'llama' },
    })
    expect(detail.tensors.reduce((sum, tensor) => sum + tensor.sizeBytes, 0)).toBe(model.sizeBytes)
    expect((await client.call('models.inspect', { path: folder })).notes).toEqual(['It is here already, as "tiny".'])
  })

  test('by copy is whole without its source, shards, names and licence included', async () => {
    const folder = path.join(root, 'shards')
    cpSync(golden('llama_bf16_sharded'), folder, { recursive: true })
    writeFileSync(path.join(folder, 'NOTICE.txt'), 'Mind.')
    writeFileSync(path.join(folder, 'optimizer.pt'), 'not needed')
    const model = await added({ kind: 'folder', path: folder, place: 'copy' }, 'Shards')
    expect(model).toMatchObject({
      name: 'Shards',
      place: 'copy',
      path: path.join(modelsFolder(), model.modelId),
      source: folder,
      dtype: 'BF16',
      hasTokenizer: false,
    })
    rmSync(folder, { recursive: true })
    expect(await stateOf(model.modelId)).toEqual({ state: 'ready', trouble: null })
    expect(readdirSync(model.path)).toEqual([
      'NOTICE.txt',
      'config.json',
      'generation_config.json',
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.json',
      'model.safetensors.index.json',
    ])
    expect(
      readFileSync(path.join(model.path, 'model-00002-of-00003.safetensors')).equals(
        readFileSync(path.join(golden('llama_bf16_sharded'), 'model-00002-of-00003.safetensors')),
      ),
    ).toBe(true)
    expect(await client.call('models.verify', { modelId: model.modelId })).toMatchObject({
      ok: true,
      expected: model.hash,
    })
  })

  test('tells how far it is, names what nothing reads, and makes a taken name its own', async () => {
    const folder = path.join(root, 'model')
    await makeSparseModel(folder, 24 * 2 ** 20)
    const seen: ModelJob[] = []
    made.app.events.subscribe((event) => {
      if (event.name === 'model.progress') seen.push(event.payload as ModelJob)
    })
    const first = await added({ kind: 'folder', path: folder, place: 'copy' })
    const second = await added({ kind: 'folder', path: folder, place: 'link' })
    expect([first.name, second.name]).toEqual(['model', 'model (2)'])
    expect((await client.call('models.list', {})).map((model) => model.name)).toEqual(['model (2)', 'model'])
    expect((await client.call('models.inspect', { path: folder })).notes[0]).toBe(
      '1 tensors are not used by the model: extra.weight.',
    )
    const detail = await client.call('models.get', { modelId: first.modelId })
    expect([detail.unused, detail.tensors.filter((tensor) => tensor.unused).map((tensor) => tensor.name)]).toEqual([
      ['extra.weight'],
      ['extra.weight'],
    ])
    expect(seen[0]).toMatchObject({ state: 'running', phase: 'copying', bytesDone: 0 })
    expect(seen.some((job) => job.phase === 'copying' && job.bytesDone > 0 && job.bytesDone < job.totalBytes)).toBe(
      true,
    )
    expect(seen.findLast((job) => job.jobId === seen[0]?.jobId)).toMatchObject({
      state: 'finished',
      remainingMs: 0,
      modelId: first.modelId,
    })
  })

  test('can be given another name, which no other has', async () => {
    const one = await linked(path.join(root, 'one'))
    const two = await linked(path.join(root, 'two'))
    await client.call('models.rename', { modelId: one.modelId, name: '  first ' })
    expect((await client.call('models.get', { modelId: one.modelId })).name).toBe('first')
    await expect(client.call('models.rename', { modelId: two.modelId, name: 'first' })).rejects.toMatchObject({
      code: 'input-invalid',
    })
    await expect(client.call('models.rename', { modelId: two.modelId, name: ' ' })).rejects.toMatchObject({
      code: 'input-invalid',
    })
    await expect(client.call('models.get', { modelId: 'model-none' as ModelId })).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  test('is removed: a copy goes to the trash, the files of a link stay', async () => {
    const link = await linked()
    const copy = await added({ kind: 'folder', path: link.source, place: 'copy' })
    for (const { modelId } of [link, copy]) await client.call('models.delete', { modelId })
    expect(await client.call('models.list', {})).toEqual([])
    expect(existsSync(path.join(link.source, 'model.safetensors'))).toBe(true)
    const trash = path.join(made.dataFolder, 'trash')
    const kept = readdirSync(trash).find((name) => name.startsWith(copy.modelId))!
    expect(readdirSync(path.join(trash, kept))).toEqual([
      'config.json',
      'deleted.json',
      'model.json',
      'model.safetensors',
      'tokenizer.json',
    ])
    await expect(client.call('models.delete', { modelId: copy.modelId })).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('files that are no longer what they were', () => {
  test('make a model changed, until they are verified or put back', async () => {
    const model = await linked()
    const file = path.join(model.path, 'model.safetensors')
    utimesSync(file, new Date(), new Date(1e12))
    expect(await stateOf(model.modelId)).toEqual({
      state: 'changed',
      trouble: {
        message: 'model.safetensors has another size or time than when it was added.',
        hint: 'Verify the model: its bytes are then compared with those that were added.',
      },
    })
    // Another time, the same bytes.
    expect(await client.call('models.verify', { modelId: model.modelId })).toEqual({
      ok: true,
      expected: model.hash,
      found: model.hash,
    })
    expect((await stateOf(model.modelId)).state).toBe('ready')
    // Other bytes, the same size and time: only reading them tells.
    const { mtime, size } = statSync(file)
    flipByte(file, size - 3)
    utimesSync(file, mtime, mtime)
    expect((await stateOf(model.modelId)).state).toBe('ready')
    const { ok, found } = await client.call('models.verify', { modelId: model.modelId })
    expect([ok, found === model.hash]).toEqual([false, false])
    expect(await stateOf(model.modelId)).toMatchObject({
      state: 'changed',
      trouble: { message: 'Its files are not those that were added.' },
    })
    flipByte(file, size - 3)
    expect((await client.call('models.verify', { modelId: model.modelId })).ok).toBe(true)
    expect((await stateOf(model.modelId)).state).toBe('ready')
  })

  test('make a model missing, by file or by folder, and what was read is still told', async () => {
    const model = await linked()
    rmSync(path.join(model.path, 'tokenizer.json'))
    expect(await stateOf(model.modelId)).toMatchObject({
      state: 'missing',
      trouble: { message: `tokenizer.json is gone from ${model.path}.`, hint: expect.stringContaining('Put it back') },
    })
    rmSync(model.path, { recursive: true })
    expect(await stateOf(model.modelId)).toMatchObject({
      state: 'missing',
      trouble: { message: `The folder ${model.path} is gone.` },
    })
    expect(await client.call('models.get', { modelId: model.modelId })).toMatchObject({
      parameterCount: model.parameterCount,
      tensors: [],
      config: {},
    })
    await expect(client.call('models.verify', { modelId: model.modelId })).rejects.toMatchObject({
      code: 'file-not-found',
    })
  })

  test('are found again from the folders when the database is lost', async () => {
    const link = await linked()
    const copy = await added({ kind: 'folder', path: link.source, place: 'copy' }, 'the copy')
    await client.call('models.rename', { modelId: link.modelId, name: 'the link' })
    const before = await client.call('models.list', {})
    await made.app.close('checkpoint')
    for (const name of readdirSync(made.dataFolder).filter((one) => one.startsWith('app.sqlite')))
      rmSync(path.join(made.dataFolder, name))
    writeFileSync(path.join(modelsFolder(), copy.modelId, 'model.json.tmp'), 'half')
    mkdirSync(path.join(modelsFolder(), 'model-broken'))
    writeFileSync(path.join(modelsFolder(), 'model-broken', 'model.json'), '{"formatVersion":1')
    const again = await createApp({ dataFolder: made.dataFolder })
    try {
      expect(await inProcess(again.handlers).call('models.list', {})).toEqual(before)
    } finally {
      await again.close('checkpoint')
    }
  })
})

describe('an addition that does not end well', () => {
  test.each(['copy', 'link'] as const)('leaves nothing when it is cancelled (%s)', async (place) => {
    const folder = path.join(root, 'model')
    await makeSparseModel(folder, 24 * 2 ** 20)
    made.app.events.subscribe((event) => {
      const job = event.payload as ModelJob
      if (
        event.name === 'model.progress' &&
        job.state === 'running' &&
        (place === 'link' ? job.phase === 'hashing' : job.bytesDone > 0)
      )
        void client.call('models.cancelAdd', { jobId: job.jobId }).catch(() => undefined)
    })
    expect(await addTo(client, { kind: 'folder', path: folder, place })).toMatchObject({
      state: 'cancelled',
      modelId: null,
      error: null,
    })
    expect([await client.call('models.list', {}), ownFolders()]).toEqual([[], []])
    await expect(client.call('models.cancelAdd', { jobId: 'nothing' as never })).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  test('leaves nothing when the process is killed during a copy', async () => {
    const folder = path.join(root, 'model')
    const dataFolder = path.join(root, 'data')
    await makeSparseModel(folder, 24 * 2 ** 20)
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../support/add-until-killed.ts', import.meta.url)), dataFolder, folder],
      { stdio: 'ignore' },
    )
    expect(await new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)))).toBe('SIGKILL')
    expect(readdirSync(path.join(dataFolder, 'models'))).toEqual([expect.stringMatching(/^\.adding-model-/)])
    const app = await createApp({ dataFolder })
    try {
      expect([
        readdirSync(path.join(dataFolder, 'models')),
        await inProcess(app.handlers).call('models.list', {}),
      ]).toEqual([[], []])
    } finally {
      await app.close('checkpoint')
    }
  })

  test('says before the first byte that the disk is too small', async () => {
    const folder = path.join(root, 'model')
    const free = await freeBytes(root)
    await makeSparseModel(folder, free + 2 ** 30)
    expect((await client.call('models.inspect', { path: folder })).copyBytes).toBeGreaterThan(free)
    await expect(
      client.call('models.add', { source: { kind: 'folder', path: folder, place: 'copy' } }),
    ).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(/^A copy takes .* free\.$/),
      hint: expect.stringContaining('by link'),
    })
    expect([await client.call('models.addJobs', {}), ownFolders()]).toEqual([[], []])
    await expect(requireSpace(root, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'disk-full' })
  })

  // Writing to /dev/full fails as writing to a full disk does.
  test.skipIf(!existsSync('/dev/full'))('says that the disk became full meanwhile', async () => {
    mkdirSync(path.join(root, 'from'))
    mkdirSync(path.join(root, 'to'))
    writeFileSync(path.join(root, 'from', 'model.safetensors'), 'x'.repeat(9000))
    symlinkSync('/dev/full', path.join(root, 'to', 'model.safetensors'))
    await expect(
      copyFiles(
        path.join(root, 'from'),
        path.join(root, 'to'),
        ['model.safetensors'],
        () => undefined,
        new AbortController().signal,
      ),
    ).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining('became full while the model was copied'),
      hint: expect.stringContaining('Nothing was kept'),
    })
  })
})
