// Texts to learn from in few tokens, of the bundled Cranfield collection: each query with the title of its most relevant document
// and that of one that nobody judged for it. node test/bench/cranfield-titles.ts <file.jsonl>
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gradesByQuery } from '../../main/core/retrieval/collection.ts'
import { readBeirFolder } from '../../main/core/retrieval/read-beir.ts'
import { createRandom } from '../support/seeded.ts'

/** Side of the collection → side of the texts, and how many queries of it. */
const SIDES = [
  ['train', 'train', 80],
  ['dev', 'validation', 16],
  ['test', 'test', 32],
] as const

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: node test/bench/cranfield-titles.ts <file.jsonl>')
const set = await readBeirFolder(fileURLToPath(new URL('../../resources/samples/cranfield', import.meta.url)))
const titles = new Map(set.documents.filter(({ title }) => title !== '').map(({ docId, title }) => [docId, title]))
const textOf = new Map(set.queries.map(({ queryId, text }) => [queryId, text]))
const ids = [...titles.keys()]
const random = createRandom(7)

const lines = SIDES.flatMap(([from, split, count]) =>
  [...gradesByQuery(set.judgments[from]!)].slice(0, count).flatMap(([query, grades]) => {
    const [best] = [...grades].filter(([id]) => titles.has(id)).toSorted((one, two) => two[1] - one[1])
    if (best === undefined) return []
    let other = ids[Math.floor(random() * ids.length)]!
    while (grades.has(other)) other = ids[Math.floor(random() * ids.length)]!
    return [{ query: textOf.get(query)!, positive: titles.get(best[0])!, negative: titles.get(other)!, split }]
  }),
)
writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
console.log(`${lines.length} texts in ${file}`)
