import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { rowProblem, type LeftOut, type RowProblem } from '../../../shared/contract/import-mapping.ts'

export interface ReportGroup {
  readonly severity: RowProblem['severity']
  readonly code: string
  /** Of the rows of this code; where they give several, all of the first few. */
  reason: string
  readonly hint: string
  count: number
  /** The first hundred. */
  readonly lines: number[]
}

export interface ReportPage {
  readonly total: number
  /** Rows behind them: one may have several problems. */
  readonly rows: number
  readonly groups: ReportGroup[]
  readonly problems: RowProblem[]
}

const LINES_PER_GROUP = 100
const REASONS_PER_GROUP = 3

/** Rows left out that are told one by one; the report has them all. */
const FIRST_SHOWN = 10

/** What every door says of an import's rows that were left out. @param path of report.jsonl */
export async function summarizeLeftOut(path: string): Promise<LeftOut> {
  const { rows, groups, problems } = await readReport(path, 0, FIRST_SHOWN, 'error')
  return {
    total: rows,
    reasons: groups.map(({ code, reason, hint, count }) => ({ code, reason, hint, count })),
    first: problems,
    path,
  }
}

/**
 * Reads report.jsonl from its beginning, keeping one page and the groups: errors first, then by frequency.
 * @param only problems of this severity; null for all
 */
export async function readReport(
  path: string,
  offset: number,
  limit: number,
  only: RowProblem['severity'] | null = null,
): Promise<ReportPage> {
  const groups = new Map<string, ReportGroup>()
  const reasons = new Map<string, Set<string>>()
  const problems: RowProblem[] = []
  let total = 0
  let rows = 0
  let lastRow: number | null = null
  let lineNumber = 0
  if (!existsSync(path)) return { total, rows, groups: [], problems }
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line === '') continue
    lineNumber += 1
    const problem = parseProblem(line) ?? damagedLine(lineNumber)
    if (only !== null && problem.severity !== only) continue
    const key = `${problem.severity} ${problem.code}`
    const { severity, code, reason, hint } = problem
    const group = groups.get(key) ?? { severity, code, reason, hint, count: 0, lines: [] }
    groups.set(key, group)
    group.count += 1
    const known = reasons.get(key) ?? new Set()
    if (known.size < 1000) reasons.set(key, known.add(reason))
    if (group.lines.length < LINES_PER_GROUP) group.lines.push(problem.line)
    if (total >= offset && problems.length < limit) problems.push(problem)
    total += 1
    if (problem.line !== lastRow) rows += 1 // the problems of a row stand together
    lastRow = problem.line
  }
  for (const [key, group] of groups) group.reason = joinReasons([...(reasons.get(key) ?? [])])
  return {
    total,
    rows,
    groups: [...groups.values()].sort((x, y) =>
      x.severity === y.severity ? y.count - x.count : x.severity === 'error' ? -1 : 1,
    ),
    problems,
  }
}

/** "response1 is empty", or "response1 is empty; response2 is empty"; of many, the first and their count. */
function joinReasons(reasons: readonly string[]): string {
  const bare = reasons.map((reason) => reason.replace(/\.$/, ''))
  return bare.length <= REASONS_PER_GROUP
    ? `${bare.join('; ')}.`
    : `${bare[0] ?? ''}, and ${bare.length - 1} others like it.`
}

function parseProblem(line: string): RowProblem | null {
  try {
    return rowProblem.safeParse(JSON.parse(line)).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The rest of the report can be read all the same. */
function damagedLine(line: number): RowProblem {
  return {
    line,
    severity: 'warning',
    code: 'report-damaged',
    reason: `Line ${line} of this report itself is damaged.`,
    hint: 'Check the disk, and the data folder with: pairlab verify',
  }
}
