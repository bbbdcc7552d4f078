import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runRequest, type RunSpec } from '../../shared/run-spec.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { foreseeMemory } from '../../main/app/requests/run-memory.ts'
import { keepsReference } from '../../main/core/learn/define.ts'
import { algorithms, isTextAlgorithm } from '../../main/core/learn/registry.ts'
import { allEvents, makeTinyRun, metricsByStep } from '../support/tiny-run.ts'
import { tinyRunOf } from '../support/tiny-data.ts'
import { trainHere } from '../support/train-here.ts'

// Whether the policy that training began with is kept beside the one in training: as the page of the method says it.

let root: string
let start: Extract<RunSpec['model'], { kind: 'run' }>
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab reference '))
  const folder = makeTinyRun(root, { runId: 'sft-1', training: { steps: 2, evalEvery: 0, checkpointEvery: 2 } })
  await trainHere(folder)
  const last = allEvents(folder)
    .filter((event) => event.type === 'checkpoint')
    .at(-1)!
  start = {
    kind: 'run',
    runId: 'sft-1' as never,
    checkpoint: 'last',
    path: path.join(folder, last.path),
    hash: last.sha256,
  }
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const bytes = (method: string, kind: 'new' | 'run'): number => {
  const algorithm = algorithms.find(({ id }) => id === method)!
  const model = kind === 'new' ? { kind, preset: 'nano', tokenizer: { kind: 'byte' } } : { kind, runId: 'sft-1' }
  const request = runRequest.parse({ method, model, data: { datasetId: 'd' }, seeds: [1] })
  const estimate = foreseeMemory({
    request,
    algorithm,
    kind: algorithm.data,
    config: {},
    training: trainingConfig.parse({}),
    folder: kind === 'new' ? null : start.path,
    rewardModel: null,
    judge: null,
  })!
  return estimate.parts.find(({ name }) => name === 'reference')!.bytes
}

const decoders = algorithms.filter(({ models }) => models.includes('decoder'))

test.each(decoders.map((page) => [page.id, page] as const))(
  'the memory that %s is expected to take counts a reference only where one is kept',
  (id, page) => {
    expect([bytes(id, 'new') > 0, bytes(id, 'run') > 0]).toEqual([page.needsReference, keepsReference(page, 'run')])
  },
)

test('methods that keep none are on texts, and some that learn from pairs', () => {
  const kept = new Map(decoders.map((page) => [page.id, keepsReference(page, 'run')]))
  expect(['dpo', 'sft', 'reward-model', 'grace', 'language-model'].map((id) => kept.get(id))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})

describe.each(
  decoders
    .filter(isTextAlgorithm)
    .filter(({ role, needsReference }) => role === 'policy' && !needsReference)
    .map((page) => [page.id, page] as const),
)('%s from a finished run', (id, page) => {
  test('compares its samples with where it began only if its page says so', async () => {
    const tiny = tinyRunOf(page)
    const folder = makeTinyRun(root, {
      ...tiny,
      runId: `${id}-2`,
      model: start,
      judge: { source: { kind: 'length', target: 5 }, path: null },
      training: { ...tiny.training, samplePrompts: 1 },
    })
    await trainHere(folder)
    const metrics = metricsByStep(allEvents(folder))
    const compared = keepsReference(page, 'run')
    expect(metrics['eval/samples/reward']).toBeDefined()
    expect(['eval/samples/kl', 'eval/samples/win_rate'].map((name) => metrics[name] !== undefined)).toEqual([
      compared,
      compared,
    ])
    const items = allEvents(folder).flatMap((event) => (event.type === 'sample' ? event.items : []))
    expect(new Set(items.map(({ logRatio }) => logRatio !== null))).toEqual(new Set([compared]))
  })
})
