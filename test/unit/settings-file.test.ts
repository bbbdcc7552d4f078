import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readSettingsFile } from '../../renderer/train/settings-file.ts'
import { requestOf } from '../../shared/request-of.ts'
import { runRequest, runSpec } from '../../shared/run-spec.ts'

const specText = readFileSync(new URL('../fixtures/run-spec/spec.json', import.meta.url), 'utf8')

test('a run’s spec.json is read as the request that made the run, for one seed and without its name', () => {
  const spec = runSpec.parse(JSON.parse(specText))
  const request = readSettingsFile(specText)
  expect(request).toEqual({ ...requestOf(spec), name: '' })
  expect(request).toMatchObject({
    method: spec.method,
    config: spec.config,
    training: spec.training,
    seeds: [spec.seed],
    data: { datasetId: spec.data.datasetId, split: spec.data.split },
  })
  expect(readSettingsFile(`\uFEFF${specText}`)).toEqual(request)
})

test('the models and the judge of a spec are named, without where they lay', () => {
  const spec = JSON.parse(specText) as object
  const read = (changes: object) => readSettingsFile(JSON.stringify({ ...spec, ...changes }))
  expect(read({ model: { kind: 'run', runId: 'sft-1', checkpoint: 'best', path: '/gone', hash: 'h' } }).model).toEqual({
    kind: 'run',
    runId: 'sft-1',
    checkpoint: 'best',
    bySeed: false,
  })
  expect(read({ model: { kind: 'registered', modelId: 'm', name: 'M', path: '/gone', hash: 'h' } }).model).toEqual({
    kind: 'registered',
    modelId: 'm',
  })
  expect(read({ judge: { source: { kind: 'length', target: 9 }, path: null } }).judge).toEqual({
    kind: 'length',
    target: 9,
  })
  expect(read({ engine: 'wasm', engineChoice: { automatic: true, why: 'the fastest', others: [] } }).engine).toBe(
    'auto',
  )
  expect(read({ engine: 'wasm', engineChoice: { automatic: false, why: 'it was named', others: [] } }).engine).toBe(
    'wasm',
  )
})

test('a request as JSON is read with its defaults', () => {
  const request = { method: 'dpo', model: { kind: 'new' }, data: { datasetId: 'd' }, seeds: [1, 2] }
  expect(readSettingsFile(JSON.stringify(request))).toEqual(runRequest.parse(request))
})

test('anything else is refused with what is wrong', () => {
  expect(() => readSettingsFile('{"method": ')).toThrow(/^this is no JSON/)
  expect(() => readSettingsFile('[1]')).toThrow(/^this is no settings file/)
  expect(() => readSettingsFile('null')).toThrow(/^this is no settings file/)
  expect(() => readSettingsFile(JSON.stringify({ ...(JSON.parse(specText) as object), seed: 'one' }))).toThrow(/seed: /)
  expect(() => readSettingsFile('{"formatVersion": 9}')).toThrow(/formatVersion: /)
})
