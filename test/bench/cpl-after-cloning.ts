// What CPL's return does after cloning, in the full form of cpl-control, by setting: npm run bench:cpl [-- <setting> …]. On seed 1, which
// is none of the report's; three to six minutes a setting on two cores. The table stands in resources/docs/results/cpl-control.md.
import { mean } from '../../shared/statistics/intervals.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { varyCpl } from '../../main/workers/reproduce/cpl-control.ts'

const SETTINGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'as in the report': {},
  'rate a tenth': { rateAfterCloning: 0.1 },
  'rate a thirtieth': { rateAfterCloning: 0.03 },
  'λ .9': { lambda: 0.9 },
  'λ .9, rate a tenth': { lambda: 0.9, rateAfterCloning: 0.1 },
  'λ .9, rate a thirtieth': { lambda: 0.9, rateAfterCloning: 0.03 },
  'λ .95, rate a tenth': { lambda: 0.95, rateAfterCloning: 0.1 },
  'λ .9, α .1, rate a tenth': { lambda: 0.9, alpha: 0.1, rateAfterCloning: 0.1 },
  'cloning weight 1': { bcWeight: 1 },
  'CPL-KL': { reference: true },
  'α .05': { alpha: 0.05 },
  dense: { pairing: 'dense' },
}

/** Steps. */
const MEASURE_EVERY = 600

const asked = process.argv.slice(2)
const unknown = asked.find((name) => SETTINGS[name] === undefined)
if (unknown !== undefined)
  throw new Error(`There is no setting "${unknown}". There are: ${Object.keys(SETTINGS).join('; ')}.`)
const wanted = asked.length === 0 ? Object.keys(SETTINGS) : asked
const engine = await openEngine('wasm')
for (const name of wanted) {
  const [measured] = await varyCpl({ [name]: SETTINGS[name]! }, 1, MEASURE_EVERY)
  const returns = measured!.outcomes.map((outcomes) => mean(outcomes.map(({ total }) => total)))
  const curve = returns.map((value, at) => `${measured!.steps[at]}: ${value.toFixed(2)}`).join(', ')
  console.log(
    `${name}: ${returns.at(-1)!.toFixed(1)} at the end, ${Math.max(...returns).toFixed(1)} at best (${curve})`,
  )
}
await engine.dispose()
process.exit(0)
