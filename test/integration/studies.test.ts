import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reproductionReport } from '../../shared/contract/papers.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import type { Engine } from '../../main/workers/engine/engine.ts'
import { experiments } from '../../main/core/experiments.ts'
import type { Report } from '../../main/workers/reproduce/define.ts'
import { studyCopg } from '../../main/workers/reproduce/copg-settings.ts'
import { studyCpl } from '../../main/workers/reproduce/cpl-settings.ts'
import { studyGrace } from '../../main/workers/reproduce/grace-settings.ts'
import { studyPgRank } from '../../main/workers/reproduce/pgrank-settings.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine('wasm')
})
afterAll(() => engine.dispose())

// Each study whole, with all its settings, at sizes at which nothing is learned.
const how = { form: 'quick', seeds: [1], say: () => undefined } as const
const STUDIES: Readonly<Record<string, () => Promise<Report>>> = {
  'copg-settings': () => studyCopg({ ...how, size: { sentences: 200, pretrainSteps: 2, samples: 2, steps: 1 } }),
  'cpl-settings': () => studyCpl({ ...how, size: { steps: 6, pairs: 2, episodes: 2, measureEvery: 6 } }),
  'pgrank-settings': () => studyPgRank({ ...how, size: { warm: 2, steps: 1 } }),
  'grace-settings': () =>
    studyGrace({
      ...how,
      size: { seeds: 1, pretrainSteps: 2, steps: 1, instances: 2, rollouts: 2, queries: 4, documents: 8, looks: 1 },
    }),
}

describe.each(experiments.filter(({ kind }) => kind === 'study').map(({ id }) => id))('%s', (id) => {
  it('measures every setting that it asks about, beside the usual one', { timeout: 150_000 }, async () => {
    const report = reproductionReport.parse(structuredClone(await STUDIES[id]!()))
    expect(report).toMatchObject({ id, seeds: [1], gates: [], verdict: null })
    expect(report.figures).toHaveLength(report.tables.length)
    for (const { rows } of report.tables) {
      expect(rows.length).toBeGreaterThan(1)
      for (const [name, value] of rows) expect([name, Number.isFinite(value)]).toEqual([name, true])
    }
    expect(new Set(report.tables.map(({ title }) => title)).size).toBe(report.tables.length)
  })
})
