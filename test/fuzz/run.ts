// Damaged files against every reader here: npm run fuzz -- --count 10000 --seed 1 [--only pairs-csv --from 17 --count 1]
import { parseArgs } from 'node:util'
import { fuzz, type Fault, type Tally } from './campaign.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({ options: { count: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' }, from: { type: 'string', default: '0' }, only: { type: 'string' } } })
const chosen = targets.filter(({ name }) => values.only === undefined || name === values.only)
const tallies: Tally[] = []
const faults: Fault[] = []
for (const target of chosen) {
  const found = await fuzz(target, Number(values.seed), Number(values.from), Math.ceil(Number(values.count) / chosen.length))
  tallies.push({ ...found.tally, worstMs: Math.round(found.tally.worstMs), peakMB: Math.round(found.tally.peakMB) })
  faults.push(...found.faults)
}
console.table(tallies)
for (const { target, number, what } of faults.slice(0, 20)) console.error(`--seed ${values.seed} --only ${target} --from ${number} --count 1: ${what}`)
process.exit(faults.length > 0 || chosen.length === 0 ? 1 : 0)
