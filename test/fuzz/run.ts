// Damaged files, calls and requests against everything here that takes them:
//   npm run fuzz -- --count 10000 --seed 1 [--only "pairs csv" --from 17 --count 1]
import { parseArgs } from 'node:util'
import { fuzz, type Fault, type Tally } from './campaign.ts'
import { appTargets } from './targets-app.ts'
import { fileTargets } from './targets-files.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
})
const chosen = [...fileTargets, ...appTargets].filter(({ name }) => values.only === undefined || name === values.only)
const tallies: Tally[] = []
const faults: Fault[] = []
for (const target of chosen) {
  const found = await fuzz(
    target,
    Number(values.seed),
    Number(values.from),
    Math.ceil(Number(values.count) / chosen.length),
  )
  tallies.push({ ...found.tally, worstMs: Math.round(found.tally.worstMs), peakMB: Math.round(found.tally.peakMB) })
  faults.push(...found.faults)
}
console.table(tallies)
// A few of each: one fault is often met by every second input.
const shown = faults.filter(
  (fault, at) => faults.slice(0, at).filter(({ target }) => target === fault.target).length < 3,
)
for (const { target, number, what } of shown)
  console.error(`--seed ${values.seed} --only "${target}" --from ${number} --count 1: ${what}`)
process.exit(faults.length > 0 || chosen.length === 0 ? 1 : 0)
