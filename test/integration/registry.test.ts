import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AlgorithmPage } from '../../main/core/learn/define.ts'
import {
  algorithms,
  findContrastMethod,
  findControlMethod,
  findRankingAlgorithm,
  findTextAlgorithm,
} from '../../main/core/learn/registry.ts'
import { tinyRunOf } from '../support/tiny-data.ts'
import { allEvents, makeTinyRun, metricsByStep, weightsOf } from '../support/tiny-run.ts'
import type { ToyCourse } from '../support/toy-course.ts'
import { learnToyLists } from '../support/toy-lists.ts'
import { learnToyPairs } from '../support/toy-pairs.ts'
import { learnToySegments } from '../support/toy-segments.ts'
import { learnToyTexts } from '../support/toy-texts.ts'
import { openEngine, trainHere } from '../support/train-here.ts'

// What every method of the registry has to have: a toy problem that it learns without losing tensors, and runs that resume
// exactly. A method that is added fails here until it has them. Its vectors are in golden/golden.test.ts, its form in
// unit/registry-form.test.ts.

let root: string
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab registry '))
  await openEngine()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function learnToy(page: AlgorithmPage): Promise<ToyCourse> | ToyCourse {
  switch (page.data) {
    case 'response-pairs':
      return learnToyPairs(findTextAlgorithm(page.id))
    case 'unpaired-responses':
      throw new Error(`${page.id} learns from pairs too`)
    case 'rankings':
      return learnToyLists(findRankingAlgorithm(page.id))
    case 'segment-pairs':
      return learnToySegments(findControlMethod(page.id))
    case 'contrast-groups':
      return learnToyTexts(findContrastMethod(page.id))
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const trained = algorithms.filter(({ learns }) => learns !== false)
describe.each(trained.map((page) => [page.id, page] as const))('%s', (id, page) => {
  test('learns its toy problem, without leaving tensors behind', async () => {
    const { losses, tensors, values, score } = await learnToy(page)
    const few = Math.max(1, Math.min(8, Math.floor(losses.length / 4)))
    expect(mean(losses.slice(-few))).toBeLessThan(mean(losses.slice(0, few)))
    if (score !== null) {
      expect(score.after).toBeGreaterThanOrEqual(score.atLeast)
      if (score.before !== null) expect(score.after).toBeGreaterThan(score.before)
    }
    for (const value of [...losses, ...values]) expect(Number.isFinite(value)).toBe(true)
    expect(tensors.at(-1)).toBe(tensors.at(-10))
  })

  test('resumes bit for bit', async () => {
    const options = tinyRunOf(page)
    const steps = options.training!.steps!
    const whole = makeTinyRun(root, { ...options, runId: `${id}-whole` })
    const straight = await trainHere(whole)
    expect(straight).toMatchObject({ outcome: 'finished', resumedFromStep: null })
    const halved = makeTinyRun(root, { ...options, runId: `${id}-halved` })
    expect(await trainHere(halved, steps / 2)).toMatchObject({ outcome: 'cancelled', resumedFromStep: null })
    expect(await trainHere(halved)).toMatchObject({ outcome: 'finished', resumedFromStep: steps / 2 })
    const weights = weightsOf(whole, steps)
    expect(weightsOf(halved, steps)).toEqual(weights)
    expect(weightsOf(whole, steps / 2)).not.toEqual(weights) // something was learned in between
    expect(metricsByStep(allEvents(halved))).toEqual(metricsByStep(allEvents(whole)))
    expect(straight.tensors.at(-1)).toBe(straight.tensors.at(-2))
  })
})
