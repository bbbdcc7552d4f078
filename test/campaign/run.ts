// Breaks a data folder in every way that could be thought of and counts what was lost:
//   npm run campaign -- --kills 1000 --pages 400 --every 1 --flips 300 --seed 1
// --kills: random kills of the app and its trainers; --pages: rounds in which the disk fills up one page later;
// --every 1: every file of a folder in every kind of damage, 10: every tenth of these;
// --flips: bits of the database flipped so many times. 0 leaves a part out.
import { parseArgs } from 'node:util'
import { runDamage, runFlips } from './damage.ts'
import { runFullDisk, whyNoFullDisk } from './full-disk.ts'
import { runKills } from './kills.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    pages: { type: 'string', default: '50' },
    every: { type: 'string', default: '10' },
    flips: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
})
const [kills, pages, every, flips, seed] = [values.kills, values.pages, values.every, values.flips, values.seed].map(
  Number,
) as [number, number, number, number, number] // five were given
let total = 0

function conclude(title: string, startedMs: number, problems: readonly string[]): void {
  total += problems.length
  console.log(`${title}; ${problems.length} problems; ${Math.round((Date.now() - startedMs) / 1000)} s`)
  for (const problem of problems) console.log(`  ${problem}`)
}

const tell = (round: number, problems: readonly string[]): void => {
  if ((round + 1) % 25 === 0 || problems.length > 0)
    console.log(`  round ${round + 1}: ${problems.length === 0 ? 'nothing lost' : problems.join('; ')}`)
}

if (kills > 0) {
  const startedMs = Date.now()
  const report = await runKills(kills, seed, tell)
  conclude(
    `${report.kills} kills (${report.whileOpening} while the app opened) and ${report.trainers} of trainers; acknowledged ${JSON.stringify(report.ledger.counts)}`,
    startedMs,
    report.problems,
  )
}
if (pages > 0) {
  const why = whyNoFullDisk()
  if (why !== null) console.log(`full disk: skipped, ${why}`)
  else {
    const startedMs = Date.now()
    const report = await runFullDisk(pages, 1, seed, tell)
    conclude(
      `disk full in ${report.rounds} rounds, ${report.refused} refusals, ${report.acknowledged} deeds acknowledged`,
      startedMs,
      report.problems,
    )
  }
}
if (every > 0) {
  const startedMs = Date.now()
  const report = await runDamage(every, seed, (text) => console.log(`  ${text}`))
  conclude(
    `${report.cases} damaged files, ${report.named} named, ${report.harmless} without harm`,
    startedMs,
    report.problems,
  )
}
if (flips > 0) {
  const startedMs = Date.now()
  const report = await runFlips(flips, seed, (text) => console.log(`  ${text}`))
  conclude(
    `${report.cases} times bits of the database flipped, ${report.named} named, ${report.harmless} without harm`,
    startedMs,
    report.problems,
  )
}
process.exit(total === 0 ? 0 : 1)
