import { mean } from '../../../shared/statistics/intervals.ts'
import type { GraceOptions } from '../../core/learn/embed/grace-rollouts.ts'
import { createRandom } from '../../core/learn/random.ts'
import type { Report, Reproduction } from './define.ts'
import { FIRST_SEED, MAX_TOKENS, type Size } from './grace-mini-report.ts'
import { graceBase, MINI_GRACE, qualityOf, SIZES, trainGrace, type Judging } from './grace-mini.ts'
import { overAllSeeds, seedsOf, studyReport, type StudyOptions } from './study.ts'
import { copyDecoder, lossOn, nextTurn } from './train-decoder.ts'

const SEEDS = { quick: 5, full: 10 } as const

interface Way {
  readonly changes?: Partial<GraceOptions>
  readonly supervised?: boolean
  /** Of the embedding that is judged: what its own training pooled. */
  readonly judged?: Judging
}

const weighted = (changes: Partial<GraceOptions['weights']>): Way => ({
  changes: { weights: { ...MINI_GRACE.weights, ...changes } },
})

const WAYS: Readonly<Record<string, Way>> = {
  'λ₁ 0': weighted({ consistency: 0 }),
  'λ₁ 1': weighted({ consistency: 1 }),
  'λ₂ 0': weighted({ hard: 0 }),
  'λ₂ 1': weighted({ hard: 1 }),
  'K 2': { changes: { rollouts: 2 } },
  'K 16': { changes: { rollouts: 16 } },
  'the rationale alone': { changes: { span: 'rationale' }, judged: 'rationale alone' },
  unsupervised: { supervised: false },
}
/** Tokens that may be written before a text is embedded. */
const BUDGETS = [0, 1, 2, 4] as const

async function runSeed(seed: number, size: Size, say: (text: string) => void): Promise<ReadonlyMap<string, number>> {
  const random = createRandom(seed)
  const { world, base } = await graceBase(seed, size, random)
  const found = new Map<string, number>()
  const judging = () => createRandom(seed).fork('judge')
  const held = world.heldOut.pretraining
  const before = await qualityOf(base, world, 'with rationale', judging())
  const winRate = (named: readonly boolean[]): number =>
    mean(named.map((right, at) => (right === before.named[at] ? 0.5 : Number(right))))
  const measure = async (
    name: string,
    { changes = {}, supervised = true, judged = 'with rationale' }: Way,
  ): Promise<void> => {
    const policy = await copyDecoder(base)
    await trainGrace(policy, world, { ...size, looks: 1 }, random.fork('grace'), nextTurn, { changes, supervised })
    const { margin, named } = await qualityOf(policy, world, judged, judging())
    found.set(name, margin)
    found.set(`${name}, wins`, winRate(named))
    found.set(`${name}, loss`, await lossOn(policy, held, world.tokenizer.padId))
    if (name === 'usual')
      for (const budget of BUDGETS) {
        const how = budget === 0 ? 'plain' : 'with rationale'
        found.set(`budget ${budget}`, (await qualityOf(policy, world, how, judging(), Math.max(1, budget))).margin)
      }
    policy.dispose()
    say(`seed ${seed}: ${name}`)
  }
  found.set('base', before.margin)
  found.set('base, wins', winRate((await qualityOf(base, world, 'with rationale', judging().fork('again'))).named))
  found.set('base, loss', await lossOn(base, held, world.tokenizer.padId))
  await measure('usual', {})
  for (const [name, way] of Object.entries(WAYS)) await measure(name, way)
  base.dispose()
  return found
}

export async function studyGrace({ form, seeds, size, say }: StudyOptions<Size>): Promise<Report> {
  const level = await overAllSeeds(seeds, (seed) => runSeed(seed, size, say), say)
  const margin = { metric: 'similarity margin', goal: 'max' } as const
  const loss = { metric: 'held-out loss of the language model, nats/token', goal: 'min' } as const
  const wins = { metric: 'win rate against the model before training', goal: 'max' } as const
  const axis = (title: string, usual: string, others: readonly (readonly [string, string])[]) => ({
    title,
    ...margin,
    usual: level('usual', usual),
    others: others.map(([name, shown]) => level(name, shown)),
  })
  const { weights } = MINI_GRACE
  return studyReport({
    id: 'grace-settings',
    title: 'GRACE: what its settings are worth',
    form,
    seeds,
    setup: `the texts and the decoder of grace-mini; ${size.steps} steps of ${size.instances} instances; usual: λ₁ ${weights.consistency}, λ₂ ${weights.hard}, K ${size.rollouts}, pooled over text and rationale, supervised, rationales of at most ${MAX_TOKENS} tokens; ${size.queries} held-out queries against ${size.documents} documents`,
    axes: [
      axis('Training', 'GRACE', [['base', 'none']]),
      axis('λ₁, consistency', String(weights.consistency), [
        ['λ₁ 0', '0'],
        ['λ₁ 1', '1'],
      ]),
      axis('λ₂, hard negatives', String(weights.hard), [
        ['λ₂ 0', '0'],
        ['λ₂ 1', '1'],
      ]),
      axis('K, rationales of each text', String(size.rollouts), [
        ['K 2', '2'],
        ['K 16', '16'],
      ]),
      axis('Pooled span', 'text and rationale', [['the rationale alone', 'the rationale alone']]),
      axis('Supervision', 'with positives', [['unsupervised', 'without']]),
      axis(
        'Tokens written before embedding',
        String(MAX_TOKENS),
        BUDGETS.map((budget) => [`budget ${budget}`, String(budget)]),
      ),
      {
        title: 'What it costs the model as a generator',
        ...loss,
        usual: level('usual, loss', 'GRACE'),
        others: [
          level('base, loss', 'before training'),
          level('unsupervised, loss', 'without positives'),
          level('λ₁ 0, loss', 'λ₁ 0'),
        ],
      },
      {
        title: 'What it does to the answers',
        ...wins,
        usual: level('usual, wins', 'GRACE'),
        others: [
          level('base, wins', 'before training, drawn again'),
          level('unsupervised, wins', 'without positives'),
          level('λ₁ 0, wins', 'λ₁ 0'),
        ],
      },
    ],
    notes: [
      'λ₂’s term as printed is the same for all rollouts of a text and cancels in group-mean advantages: see grace-cancellation. What is left of it comes from rollouts that do not end: they get −1 in place of their reward, beside which the term counts again.',
      'Another pooled span is another embedding: how far its margin lies from the usual one’s is not what training adds.',
      'The budget is of one trained policy, judged with shorter rationales than it learned to write; what they cost is the time of that many tokens.',
      'In a win rate the judge is a rule: of two sampled answers on the same text the one that names its topic wins, and half a win is counted where both do or neither does.',
      'A toy: made-up texts, a model of a hundred thousand weights.',
    ],
  })
}

export const graceSettings: Reproduction = {
  run: ({ form, seedCount, say }) =>
    studyGrace({ form, seeds: seedsOf(seedCount ?? SEEDS[form], FIRST_SEED), size: SIZES[form], say }),
}
