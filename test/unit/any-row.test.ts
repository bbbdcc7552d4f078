import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRow } from '../../main/core/formats/layouts.ts'
import { compileMapping } from '../../main/core/formats/mapping-compile.ts'
import { guessMapping } from '../../main/core/formats/mapping-guess.ts'

describe('any row', () => {
  it('is read or refused with a reason, never thrown at', () => {
    const columns = ['prompt', 'chosen', 'rejected', 'score_chosen', 'id', 'label:x']
    const mapping = compileMapping(guessMapping('jsonl', columns, []))
    fc.assert(
      fc.property(
        fc.record(
          Object.fromEntries(
            columns.map((column) => [
              column,
              fc.oneof(fc.jsonValue(), fc.string(), fc.constant([{ role: 'user', content: 'x' }])),
            ]),
          ),
          { requiredKeys: [] },
        ),
        (values) => {
          const { row, problems } = readRow(values, 9, mapping)
          expect(row !== null || problems.some((problem) => problem.severity === 'error')).toBe(true)
          expect(
            problems.every(
              (problem) => problem.line === 9 && problem.reason.endsWith('.') && problem.hint.endsWith('.'),
            ),
          ).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })
})
