import { describe, expect, test } from 'vitest'
import { GrownCurves } from '../../renderer/run/grown-curves.ts'
import type { Curves } from '../../renderer/run/run-series.ts'

const table = (step: number, name = 'loss') => ({ step: [step], wallMs: [step * 10], [name]: [step / 10] })
const fetched: Curves = new Map([['loss', { step: [1], wallMs: [10], value: [0.1], total: 1 }]])

describe('curves that events grow', () => {
  test('events that come before the page is painted once are all kept', () => {
    const grown = new GrownCurves()
    grown.add('first', fetched, table(2))
    grown.add('first', fetched, table(3, 'eval/loss'))
    const { curves } = grown.add('first', fetched, table(4))
    expect(curves.get('loss')).toEqual({ step: [1, 2, 4], wallMs: [10, 20, 40], value: [0.1, 0.2, 0.4], total: 3 })
    expect(curves.get('eval/loss')?.step).toEqual([3])
  })

  test('what was fetched anew replaces what had grown', () => {
    const grown = new GrownCurves()
    grown.add('first', fetched, table(9))
    expect(grown.add('second', fetched, table(2)).curves.get('loss')?.step).toEqual([1, 2])
  })
})
