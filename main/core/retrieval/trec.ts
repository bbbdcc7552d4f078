// TREC's files: judgments (qrels) and rankings (runs), read. learn/trec-run.ts writes runs.
import { refuse, type Judgment, type Row } from './collection.ts'
import { integerOf, parseLines } from './read-lines.ts'

/** One line of a run: `query Q0 document rank score tag`. */
export interface RunEntry {
  readonly queryId: string
  readonly docId: string
  /** As the file says; what counts in evaluation is the score. */
  readonly rank: number
  readonly score: number
  readonly tag: string
}

/** `query 0 document grade`, separated by white space; the second column is not read. */
export function readTrecJudgments(file: string): AsyncGenerator<readonly Row<Judgment>[]> {
  return parseLines(file, (text, line) => {
    const cells = text.trim().split(/\s+/)
    if (cells.length !== 4)
      return refuse(
        line,
        'qrels-width',
        `The row has ${cells.length} ${cells.length === 1 ? 'column' : 'columns'}, not 4.`,
        'A judgment is query, 0, document, grade.',
      )
    const [queryId, , docId, score] = cells as [string, string, string, string]
    const grade = integerOf(score)
    if (grade === null)
      return refuse(
        line,
        'grade-not-integer',
        `The grade "${score}" is not a whole number.`,
        'Grades are 0 (not relevant), 1, 2 …',
      )
    return { line, value: { queryId, docId, grade }, problem: null }
  })
}

export function readTrecRun(file: string): AsyncGenerator<readonly Row<RunEntry>[]> {
  return parseLines(file, (text, line) => {
    const cells = text.trim().split(/\s+/)
    if (cells.length !== 6)
      return refuse(
        line,
        'run-width',
        `The row has ${cells.length} ${cells.length === 1 ? 'column' : 'columns'}, not 6.`,
        'A line is query, Q0, document, rank, score, tag.',
      )
    const [queryId, , docId, rankText, scoreText, tag] = cells as [string, string, string, string, string, string]
    const rank = integerOf(rankText)
    const score = Number(scoreText)
    if (rank === null)
      return refuse(line, 'rank-not-integer', `The rank "${rankText}" is not a whole number.`, 'Ranks count from 1.')
    if (!Number.isFinite(score))
      return refuse(
        line,
        'score-not-number',
        `The score "${scoreText}" is not a number.`,
        'Scores order the documents of a query.',
      )
    return { line, value: { queryId, docId, rank, score, tag }, problem: null }
  })
}
