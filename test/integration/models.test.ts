import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApp } from '../../main/app/app.ts'
import { copyFiles, freeBytes, requireSpace } from '../../main/app/registry/copy-files.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
import type { ModelJob, ModelSource, ModelSummary } from '../../shared/contract/models.ts'
import type { Output } from '../../shared/contract.ts'
import type { ModelId } from '../../shared/domain.ts'
import type { TrainingChanges } from '../../shared/run-spec.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'
import { runCli, runJson } from '../support/cli.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { flipByte, makeSparseModel } from '../support/sparse-model.ts'
import { importTiny, tinyRequest, waitForState } from '../support/tiny-app.ts'

const golden = (name: string): string => fileURLToPath(new URL(`../golden/models/${name}`, import.meta.url))

let root: string
let made: TestApp
let client: Client
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab mödels '))
  made = await makeApp()
  client = made.client
})
afterEach(async () => {
  await made.end()
  rmSync(root, { recursive: true, force: true })
})

async function addTo(to: Client, source: ModelSource, name = ''): Promise<ModelJob> {
  const { jobId } = await to.call('models.add', { source, name })
  await waitUntil('the addition', async () => (await to.call('models.addJob', { jobId })).state !== 'running')
  return to.call('models.addJob', { jobId })
}

async function added(source: ModelSource, name = ''): Promise<ModelSummary> {
  const job = await addTo(client, source, name)
  expect([job.state, job.error]).toEqual(['finished', null])
  return (await client.call('models.list', {})).find((one) => one.modelId === job.modelId)!
}

async function linked(folder = path.join(root, 'model')): Promise<ModelSummary> {
  await makeModelFolder(folder)
  return added({ kind: 'folder', path: folder, place: 'link' })
}

async function stateOf(modelId: ModelId): Promise<Pick<ModelSummary, 'state' | 'trouble'>> {
  const { state, trouble } = await client.call('models.get', { modelId })
  return { state, trouble }
}

const modelsFolder = (): string => path.join(made.dataFolder, 'models')
const ownFolders = (): string[] => (existsSync(modelsFolder()) ? readdirSync(modelsFolder()) : [])

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
    expect((await client.call('models.inspect', { path: folder })).notes).toEqual([
      'This folder is here already, as "tiny".',
    ])
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
        engine: 'cpu',
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
          engine: 'cpu',
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
