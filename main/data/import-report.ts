import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { rowProblem, type RowProblem } from '../../shared/contract/datasets.ts'

export interface ReportGroup {
  readonly severity: RowProblem['severity']
  readonly code: string
  /** Of the first such row. */
  readonly reason: string
  readonly hint: string
  count: number
  /** The first hundred. */
  readonly lines: number[]
}

export interface ReportPage {
  readonly total: number
  readonly groups: ReportGroup[]
  readonly problems: RowProblem[]
}

const LINES_PER_GROUP = 100

/** Reads report.jsonl from its beginning, keeping one page and the groups: errors first, then by frequency. */
export async function readReport(path: string, offset: number, limit: number): Promise<ReportPage> {
  const groups = new Map<string, ReportGroup>()
  const problems: RowProblem[] = []
  let total = 0
  if (!existsSync(path)) return { total, groups: [], problems }
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line === '') continue
    const problem = rowProblem.parse(JSON.parse(line))
    const key = `${problem.severity} ${problem.code}`
    const { severity, code, reason, hint } = problem
    const group = groups.get(key) ?? { severity, code, reason, hint, count: 0, lines: [] }
    groups.set(key, group)
    group.count += 1
    if (group.lines.length < LINES_PER_GROUP) group.lines.push(problem.line)
    if (total >= offset && problems.length < limit) problems.push(problem)
    total += 1
  }
  return { total, groups: [...groups.values()].sort((x, y) => (x.severity === y.severity ? y.count - x.count : x.severity === 'error' ? -1 : 1)), problems }
}
