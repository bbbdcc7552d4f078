import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  fieldsOf,
  flagName,
  formatField,
  getPath,
  parseField,
  parseSeeds,
  setPath,
  type FormField,
} from '../../shared/form.ts'
import { matters } from '../../shared/form-use.ts'
import { dataKind } from '../../shared/data-kinds.ts'
import { modelSpec, rewardSource, runRequest } from '../../shared/run-spec.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { restIdle } from '../../main/app/requests/idle-settings.ts'
import { algorithms } from '../../main/core/learn/registry.ts'

const training = fieldsOf(z.toJSONSchema(trainingConfig, { io: 'input' }))

function field(fields: readonly FormField[], path: string): FormField {
  const found = fields.find((one) => one.path === path)
  if (found === undefined) throw new Error(`no field ${path}`)
  return found
}

function parsed(one: FormField, typed: string): unknown {
  const result = parseField(one, typed)
  return result.ok ? result.value : result.problem
}

describe('the fields of the training schema', () => {
  it('has one for each key, in order, each with a title and a sentence', () => {
    expect(training.map((one) => one.path)).toEqual(Object.keys(trainingConfig.shape))
    expect(training.filter((one) => one.title === '' || one.help === '')).toEqual([])
  })

  it('carries bounds, units, symbols, options and groups', () => {
    expect(field(training, 'learningRate')).toEqual({
      path: 'learningRate',
      title: 'Learning rate',
      symbol: 'η',
      help: 'Size of one AdamW step at its peak.',
      unit: null,
      group: 'main',
      kind: 'number',
      nullable: false,
      default: 1e-3,
      min: 0,
      max: 10,
      minExclusive: true,
      maxExclusive: false,
      options: [],
      discriminator: null,
      variants: [],
      when: null,
      unless: null,
      reference: false,
      data: null,
      models: null,
    })
    expect(field(training, 'batchSize')).toMatchObject({
      kind: 'integer',
      unit: 'items',
      min: 1,
      max: 4096,
      group: 'main',
    })
    expect(field(training, 'schedule')).toMatchObject({
      kind: 'enum',
      options: ['cosine', 'linear', 'constant'],
      group: 'expert',
    })
    // "Any whole number" is written as ±2⁵³ in JSON Schema; that is no bound to show.
    expect(field(training, 'evalPairs')).toMatchObject({ min: 1, max: null })
  })

  it('says for which choices a field matters, and for which not', () => {
    const rank = field(training, 'loraRank')
    expect(rank.when).toEqual({ path: 'adapt', values: ['lora'] })
    const shown = (adapt: string | undefined): string[] =>
      training
        .filter(
          (one) =>
            one.when !== null && matters(one, { data: 'response-pairs', model: 'new', reference: true }, () => adapt),
        )
        .map((one) => one.path)
    expect(shown('full')).toEqual([])
    expect(shown('frozen-embeddings')).toEqual(['frozenStorage'])
    expect(shown('lora')).toEqual(['loraRank', 'loraAlpha', 'loraDropout', 'loraTargets', 'frozenStorage'])
    expect(shown(undefined)).toHaveLength(5) // nothing is hidden for lack of an answer
    const inner = fieldsOf(z.toJSONSchema(trainingConfig, { io: 'input' }), 'training').find(
      (one) => one.path === 'training.loraRank',
    )
    expect(inner?.when?.path).toBe('training.adapt')
  })

  it('says for which data and beginnings a field matters', () => {
    const hidden = (data: string, model: string, reference = false): string[] =>
      training.filter((one) => !matters(one, { data, model, reference }, () => undefined)).map((one) => one.path)
    const moving = ['referenceSyncEvery', 'referenceMixup']
    const adapting = ['adapt', 'loraRank', 'loraAlpha', 'loraDropout', 'loraTargets']
    expect(hidden('response-pairs', 'new', true)).toEqual([])
    expect(hidden('response-pairs', 'new')).toEqual(moving)
    expect(hidden('contrast-groups', 'run')).toEqual([...moving, 'sampleTokens', 'sampleTemperature'])
    expect(hidden('segment-pairs', 'networks')).toEqual([
      'microBatchSize',
      ...adapting,
      'gradientCheckpointing',
      'frozenStorage',
      'maxLength',
      'layout',
      ...moving,
      'evalPairs',
      'samplePrompts',
      'sampleTokens',
      'sampleTemperature',
    ])
    expect(hidden('rankings', 'registered')).toEqual([
      'dropout',
      'loraDropout', // a text's vector is computed twice, and must be the same both times
      'layout',
      ...moving,
      'sampleTokens',
      'sampleTemperature',
    ])
    expect(hidden('rankings', 'networks')).toEqual([
      'dropout',
      ...adapting,
      'gradientCheckpointing',
      'frozenStorage',
      'maxLength',
      'layout',
      ...moving,
      'sampleTokens',
      'sampleTemperature',
    ])
  })

  it('names only kinds of data and of models that there are', () => {
    const models: readonly string[] = modelSpec.options.map((option) => option.shape.kind.value)
    expect(training.flatMap((one) => one.data ?? []).filter((name) => !dataKind.safeParse(name).success)).toEqual([])
    expect(training.flatMap((one) => one.models ?? []).filter((name) => !models.includes(name))).toEqual([])
  })

  it('what nothing reads rests, and is named where it was asked for', () => {
    const asked = trainingConfig.parse({ maxLength: 64, adapt: 'lora', loraRank: 4, steps: 7 })
    expect(restIdle(asked, { data: 'segment-pairs', model: 'networks', reference: false })).toEqual({
      training: trainingConfig.parse({ steps: 7 }),
      idle: ['What is trained', 'LoRA rank', 'Longest sequence'],
    })
    expect(restIdle(asked, { data: 'contrast-groups', model: 'new', reference: false })).toEqual({
      training: asked,
      idle: [],
    })
  })

  it('how the reference moves rests where none is compared with, and α where it does not move', () => {
    const mixup = field(training, 'referenceMixup')
    expect(mixup.unless).toEqual({ path: 'referenceSyncEvery', values: ['0'] })
    const use = { data: 'response-pairs', model: 'new', reference: true }
    expect(['0', ' 0', '1', '10', undefined].map((every) => matters(mixup, use, () => every))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
    const asked = trainingConfig.parse({ referenceSyncEvery: 10, referenceMixup: 0.5 })
    expect(restIdle(asked, use)).toEqual({ training: asked, idle: [] })
    expect(restIdle(asked, { ...use, reference: false })).toEqual({
      training: trainingConfig.parse({}),
      idle: ['Re-sync reference every', 'Reference mixup'],
    })
    expect(restIdle(trainingConfig.parse({ referenceMixup: 0.5 }), use)).toEqual({
      training: trainingConfig.parse({}),
      idle: ['Reference mixup'],
    })
  })

  it('no preset sets what its method does not read', () => {
    for (const algorithm of algorithms) {
      const model =
        algorithm.models.includes('decoder') || algorithm.models.includes('text-encoder') ? 'new' : 'networks'
      for (const preset of algorithm.presets)
        expect([
          algorithm.id,
          restIdle(trainingConfig.parse(preset.training), {
            data: algorithm.data,
            model,
            reference: algorithm.needsReference,
            learns: algorithm.learns,
          }).idle,
        ]).toEqual([algorithm.id, []])
    }
  })

  it('gives defaults that the schema itself accepts', () => {
    const values = Object.fromEntries(training.map((one) => [one.path, parsed(one, formatField(one.default))]))
    expect(values).toEqual(trainingConfig.parse({}))
  })
})

describe('the fields of a discriminated union', () => {
  const schema = z.toJSONSchema(
    z.object({ reward: rewardSource.default({ kind: 'label' }), judge: rewardSource.nullable().default(null) }),
    { io: 'input' },
  )
  const fields = fieldsOf(schema)
  const reward = field(fields, 'reward')

  it('lists every variant with its title, sentence and own fields', () => {
    expect(reward).toMatchObject({ kind: 'union', discriminator: 'kind', default: { kind: 'label' }, nullable: false })
    expect(
      reward.variants.map((variant) => [variant.value, variant.fields.map((one) => `${one.path}:${one.kind}`)]),
    ).toEqual([
      ['label', []],
      ['column', []],
      ['reward-model', ['reward.runId:text']],
      ['length', ['reward.target:number']],
      ['keyword', ['reward.words:list']],
      ['regex', ['reward.pattern:text']],
    ])
    expect(reward.variants.filter((variant) => variant.title === '' || variant.help === '')).toEqual([])
  })

  it('parses what was typed into something the schema accepts', () => {
    const keyword = reward.variants.find((variant) => variant.value === 'keyword')
    let config = setPath({}, 'reward', parsed(reward, 'keyword') as { kind: string })
    config = setPath(
      config,
      'reward.words',
      parsed(field(keyword?.fields ?? [], 'reward.words'), 'please, thank you') as string[],
    )
    expect(rewardSource.parse(config['reward'])).toEqual({ kind: 'keyword', words: ['please', 'thank you'] })
  })

  it('names the choices when none fits', () => {
    expect(parsed(reward, 'applause')).toBe('Reward is one of label, column, reward-model, length, keyword, regex.')
  })

  it('reads a nullable union, with nothing typed as null', () => {
    const judge = field(fields, 'judge')
    expect(judge).toMatchObject({ kind: 'union', nullable: true, default: null })
    expect(judge.variants).toHaveLength(6)
    expect(parsed(judge, '')).toBeNull()
    expect(parsed(judge, 'length')).toEqual({ kind: 'length' })
  })
})

describe.each(algorithms.map((algorithm) => [algorithm.id, algorithm] as const))(
  'the config of %s',
  (_id, algorithm) => {
    const fields = fieldsOf(z.toJSONSchema(algorithm.config, { io: 'input' }))

    it('becomes fields with title and sentence, and its defaults parse', () => {
      expect(fields.filter((one) => one.title === '' || one.help === '').map((one) => one.path)).toEqual([])
      const defaults = algorithm.config.parse({}) as Readonly<Record<string, unknown>>
      expect(Object.keys(defaults).sort()).toEqual(
        fields
          .filter((one) => one.default !== undefined)
          .map((one) => one.path)
          .sort(),
      )
    })

    it('shares no flag with the training schema', () => {
      const flags = new Set(training.map((one) => flagName(one.path)))
      expect(fields.map((one) => flagName(one.path)).filter((name) => flags.has(name))).toEqual([])
    })
  },
)

describe('reading what was typed', () => {
  const rate = field(training, 'learningRate')
  const steps = field(training, 'steps')
  const dropout = field(training, 'dropout')

  it('takes numbers as people write them', () => {
    expect([parsed(rate, '3e-4'), parsed(rate, ' 0.01 '), parsed(steps, '200'), parsed(dropout, '0')]).toEqual([
      3e-4, 0.01, 200, 0,
    ])
  })

  it('refuses in a sentence', () => {
    expect(parsed(rate, 'fast')).toBe('Learning rate must be a number, not “fast”.')
    expect(parsed(rate, '')).toBe('Learning rate must be a number, not “”.')
    expect(parsed(steps, '2.5')).toBe('Steps must be a whole number.')
    expect(parsed(steps, '-1')).toBe('Steps must be at least 0.')
    expect(parsed(rate, '11')).toBe('Learning rate must be at most 10.')
    expect(parsed(rate, '0')).toBe('Learning rate must be more than 0.')
    expect(parsed(dropout, '1')).toBe('Dropout must be less than 1.')
    expect(parsed(field(training, 'schedule'), 'wavy')).toBe('Schedule is one of cosine, linear, constant.')
  })

  it('reads yes and no', () => {
    const tied = field(fieldsOf(z.toJSONSchema(z.object({ tied: z.boolean().default(true) }), { io: 'input' })), 'tied')
    expect([parsed(tied, 'yes'), parsed(tied, 'false'), parsed(tied, 'perhaps')]).toEqual([
      true,
      false,
      'Tied is yes or no, not “perhaps”.',
    ])
  })

  it('shows values so that reading them again gives the same', () => {
    for (const value of [1e-3, 1e-8, 0.1, 10, 0, 123456, 2.5e-5])
      expect(parsed({ ...rate, min: null, max: null }, formatField(value))).toBe(value)
    expect([formatField(null), formatField(['a', 'b']), formatField(1e-8)]).toEqual(['', 'a, b', '1e-8'])
  })
})

describe('paths, flags and seeds', () => {
  it('turns paths into flags', () => {
    expect(['microBatchSize', 'reward.runId', 'beta1', 'beta'].map(flagName)).toEqual([
      'micro-batch-size',
      'reward-run-id',
      'beta1',
      'beta',
    ])
  })

  it('sets a nested value in a copy', () => {
    const before = { beta: 0.1, reward: { kind: 'length' } }
    const after = setPath(before, 'reward.target', 120)
    expect([before, after, getPath(after, 'reward.target'), getPath(after, 'reward.target.deeper')]).toEqual([
      { beta: 0.1, reward: { kind: 'length' } },
      { beta: 0.1, reward: { kind: 'length', target: 120 } },
      120,
      undefined,
    ])
  })

  it('reads seeds as lists and ranges, and nothing else', () => {
    expect(['1-3,7', '1 2 3', '5', '3-3', '1,1,2'].map(parseSeeds)).toEqual([[1, 2, 3, 7], [1, 2, 3], [5], [3], [1, 2]])
    expect(['', 'a', '3-1', '1-', '-1', '1.5', '1-1000'].map(parseSeeds)).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
      null,
    ])
  })

  it('reads no fields from what is no object schema', () => {
    expect([
      fieldsOf(null),
      fieldsOf({ type: 'string' }),
      fieldsOf(z.toJSONSchema(runRequest.shape.seeds, { io: 'input' })),
    ]).toEqual([[], [], []])
  })
})
