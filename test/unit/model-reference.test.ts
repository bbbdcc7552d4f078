import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatModelReference, parseModelReference, type ModelReference } from '../../shared/model-reference.ts'

describe('what a person calls a model', () => {
  test.each<[string, ModelReference | null]>([
    ['networks', { kind: 'networks' }],
    ['new:micro', { kind: 'new', preset: 'micro' }],
    ['new', { kind: 'new', preset: '' }],
    ['run:sft-1', { kind: 'run', run: 'sft-1', checkpoint: 'last' }],
    ['run:sft-1@best', { kind: 'run', run: 'sft-1', checkpoint: 'best' }],
    ['run:sft-1@last', { kind: 'run', run: 'sft-1', checkpoint: 'last' }],
    ['run:sft-1@200', { kind: 'run', run: 'sft-1', checkpoint: 200 }],
    ['run:sft-1@0', { kind: 'run', run: 'sft-1', checkpoint: 0 }],
    ['run:sft-1@007', null],
    ['run:sft-1@1.5', null],
    ['run:me@work s1@best', { kind: 'run', run: 'me@work s1', checkpoint: 'best' }],
    ['model:Llama: 3.2@home', { kind: 'model', model: 'Llama: 3.2@home' }],
    ['run:sft-1@first', null],
    ['run:sft-1@', null],
    ['run:', null],
    ['run', null],
    ['run:@best', null],
    ['model:', null],
    ['./model', null],
    ['C:\\models\\one', null],
    ['runs:sft-1', null],
    ['', null],
  ])('%s', (text, reference) => {
    expect(parseModelReference(text)).toEqual(reference)
  })

  test('every reference that is written is read back as it was', () => {
    const name = fc.string({ minLength: 1, unit: 'binary' })
    const reference = fc.oneof(
      fc.constant<ModelReference>({ kind: 'networks' }),
      name.map((preset): ModelReference => ({ kind: 'new', preset })),
      name.map((model): ModelReference => ({ kind: 'model', model })),
      fc.record({
        kind: fc.constant('run' as const),
        run: name,
        checkpoint: fc.oneof(fc.constantFrom('best' as const, 'last' as const), fc.nat()),
      }),
    )
    fc.assert(
      fc.property(reference, (one) => {
        expect(parseModelReference(formatModelReference(one))).toEqual(one)
      }),
    )
  })
})
