import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { rankingMeasure } from '../../../shared/contract/rankings.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Output } from '../../../shared/contract.ts'
import { pairedDifference } from '../../../shared/statistics/bootstrap.ts'
import { mean } from '../../../shared/statistics/intervals.ts'

/** One measure by query. */
export type Measures = ReadonlyMap<string, number>

/** As the trainer writes it; a query without a relevant document has no measures. */
const queryFile = z.array(z.looseObject({ queryId: z.string() }).catchall(z.unknown()))

/** @throws AppError `not-found` where the run has no such evaluation */
export function readMeasures(
  runFolder: string,
  side: 'validation' | 'test',
  at: 'best' | 'last',
  measure: z.infer<typeof rankingMeasure>,
): Measures {
  const of = (name: string): string => path.join(runFolder, 'rankings', `${name}-queries.json`)
  // Where the best checkpoint is the last, there is one file.
  const best = of('best-test')
  const file = side === 'test' && at === 'best' && existsSync(best) ? best : of(side)
  if (!existsSync(file))
    throw new AppError({
      code: 'not-found',
      message: `The run ${path.basename(runFolder)} has no measures of ${side} queries.`,
      hint: 'They are written when a ranker has finished; the data must have that side.',
    })
  const rows = queryFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  return new Map(
    rows.flatMap((row) => (typeof row[measure] === 'number' ? [[row.queryId, row[measure]] as const] : [])),
  )
}

/** Queries that both have. @throws AppError `input-invalid` without one */
export function compareQueries([first, second]: readonly [Measures, Measures]): Output<'rankings.compare'> {
  const items = [...first].flatMap(([queryId, a]) =>
    second.has(queryId) ? [{ queryId, a, b: second.get(queryId)! }] : [],
  )
  if (items.length === 0)
    throw new AppError({
      code: 'input-invalid',
      message: 'The two runs were not evaluated on any query in common.',
      hint: 'Compare runs on the same data set.',
    })
  const { mean: difference, bounds } = pairedDifference(
    items.map(({ b }) => b),
    items.map(({ a }) => a),
  )
  return {
    meanA: mean(items.map(({ a }) => a)),
    meanB: mean(items.map(({ b }) => b)),
    difference,
    low: bounds?.low ?? null,
    high: bounds?.high ?? null,
    better: items.filter(({ a, b }) => b > a).length,
    worse: items.filter(({ a, b }) => b < a).length,
    equal: items.filter(({ a, b }) => b === a).length,
    items,
  }
}
