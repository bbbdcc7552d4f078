// Writes what experiments found in their full form, and studies in the longest that there is, as kept by `pairlab reproduce`,
// beside the documents:
// npm run bench:results -- <data folder>. What a person wrote below a report, from its first heading on, is kept.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { experiments } from '../../main/core/experiments.ts'
import { formatReport } from '../../main/workers/reproduce/format-report.ts'
import { keptReport } from '../../shared/contract/papers.ts'
import { formatDuration } from '../../shared/units.ts'

function writtenByHand(page: string): string {
  const at = page.indexOf('\n## ')
  return at < 0 ? '' : page.slice(at)
}

const [dataFolder] = process.argv.slice(2)
if (dataFolder === undefined) throw new Error('usage: npm run bench:results -- <data folder>')
const target = fileURLToPath(new URL('../../resources/docs/results/', import.meta.url))
mkdirSync(target, { recursive: true })

for (const { id, kind, about, paper } of experiments) {
  const file = ['full', ...(kind === 'study' ? ['quick'] : [])]
    .map((form) => path.join(dataFolder, 'reproductions', `${id}-${form}.json`))
    .find((one) => existsSync(one))
  if (file === undefined) continue
  const { report, engine, appVersion, processor, startedAtMs, wallMs } = keptReport.parse(
    JSON.parse(readFileSync(file, 'utf8')),
  )
  const text = `# ${id}${report.verdict === null ? '' : `: ${report.verdict}`}

${about} (${paper.cite}, ${paper.url})

\`npm run pairlab -- reproduce ${id}${report.form === 'full' ? ' --full' : ''}\`: ${formatDuration(wallMs)} on ${processor}, ${engine}, Pairlab ${appVersion}, ${new Date(startedAtMs).toISOString().slice(0, 10)}.

\`\`\`
${formatReport(report)}
\`\`\`
`
  const page = path.join(target, `${id}.md`)
  writeFileSync(page, text + (existsSync(page) ? writtenByHand(readFileSync(page, 'utf8')) : ''))
  console.log(`${id}: ${report.verdict ?? report.form}`)
}
