// Files that are told by how each of their lines looks: features of learning to rank, and TREC's tables.
import { readTextHead } from '../formats/text-of.ts'
import type { Findings } from './findings.ts'

export const HEAD_BYTES = 256 * 1024
/** Lines that must agree. */
const LOOKED_AT = 20

/** `2 qid:10 1:0.5 3:1.25` */
const FEATURES = /^\s*[+-]?\d+(\.0+)?\s+qid:\S+(\s+\d+:\S+)+/
/** `query 0 document grade` */
const JUDGMENT = /^\S+\s+(0|Q0|q0)\s+\S+\s+[+-]?\d+\s*$/
/** `query Q0 document rank score tag` */
const RUN = /^\S+\s+(Q0|q0)\s+\S+\s+\d+\s+\S+\s+\S+\s*$/
/** Ids alone, as in MS MARCO's qidpidtriples. */
const IDS = /^\d+\t\d+\t\d+\s*$/

/** Null where the lines are none of these. @throws AppError when the file cannot be read */
export async function lookAtLines(file: string): Promise<Findings | null> {
  const head = (await readTextHead(file, HEAD_BYTES)).toString('utf8')
  const whole = head.split(/\r\n|\n|\r/)
  const lines = (whole.length > 1 && head.length >= HEAD_BYTES ? whole.slice(0, -1) : whole)
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
    .slice(0, LOOKED_AT)
  // One broken line must not turn a file of features into texts.
  const most = (pattern: RegExp): boolean =>
    lines.length > 0 && lines.filter((line) => pattern.test(line)).length * 2 > lines.length
  if (most(FEATURES))
    return {
      kind: 'rankings',
      because: 'its lines are a grade, a query (qid:…) and numbered features, as in LETOR and MSLR',
      hint: '',
      others: [],
      columns: [],
    }
  const ids = (because: string): Findings => ({
    kind: null,
    because,
    hint: 'Such a file names queries and documents and holds neither: give a folder with their texts, corpus.jsonl, queries.jsonl and qrels/ as in BEIR, or collection.tsv, queries.<split>.tsv and qrels.<split>.tsv as in MS MARCO.',
    others: [],
    columns: [],
  })
  if (/^query-?id\tcorpus-?id\tscore\b/i.test(lines[0] ?? ''))
    return ids('its lines are BEIR’s judgments: query-id, corpus-id, score')
  if (most(JUDGMENT)) return ids('its lines are TREC’s judgments: query, 0, document, grade')
  if (most(RUN)) return ids('its lines are TREC’s rankings: query, Q0, document, rank, score, tag')
  if (most(IDS)) return ids('its lines are triples of ids')
  return null
}
