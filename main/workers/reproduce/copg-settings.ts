import type { Decoder } from '../../core/learn/models/decoder.ts'
import { createRandom } from '../../core/learn/random.ts'
import { BATCH_PAIRS, type Size } from './copg-text-report.ts'
import { freshPairs, generate, loggedPairs, LOG_TEMPERATURES, SIZES, trainPolicy, type Logged } from './copg-text.ts'
import type { Report, Reproduction } from './define.ts'
import { smallTalk } from './small-talk.ts'
import { overAllSeeds, seedsOf, studyReport, type StudyOptions } from './study.ts'
import { copyDecoder, nextTurn, pretrain } from './train-decoder.ts'

const SEEDS = { quick: 5, full: 10 } as const
const FIRST_SEED = 11
const USUAL_BETA = 0.1
const BETAS = [0.01, 0.03, 0.3, 1] as const
/** Temperatures at which the reference wrote what is logged; at 1 it is the policy that training starts from. */
const SOURCES = { 'at T 1': [1, 1], 'at T 1.3': [1.3, 1.3], 'at T 1 and 2': [1, 2] } as const
/** Pairs of each batch that the policy has just written. */
const FRESH = { 'half of them': BATCH_PAIRS / 2, 'all of them': BATCH_PAIRS } as const

type StudySize = Pick<Size, 'sentences' | 'pretrainSteps' | 'samples' | 'steps'>

async function runSeed(seed: number, size: StudySize): Promise<ReadonlyMap<string, number>> {
  const random = createRandom(seed)
  const talk = smallTalk(seed, size.sentences)
  const { padId } = talk.tokenizer
  const pretraining = { steps: size.pretrainSteps, batchSize: 32, learningRate: 4e-3 }
  const reference = await pretrain('nano', talk.tokenizer, talk.rows, pretraining, random.fork('pretrain'), nextTurn)
  const found = new Map<string, number>()
  const judge = async (name: string, policy: Decoder): Promise<void> => {
    const { reward, kl } = await generate(
      policy,
      reference,
      talk.tokenizer,
      talk.prompts.report,
      createRandom(seed).fork('generate'),
    )
    found.set(name, reward)
    found.set(`${name}, KL`, kl)
  }
  const log = (temperatures: readonly number[]): Promise<Logged> =>
    loggedPairs(reference, talk, size.samples, random.fork('log'), temperatures)
  const usualLog = await log(LOG_TEMPERATURES)
  const measure = async (name: string, logged: Logged, beta: number, fresh = 0): Promise<void> => {
    const policy = await copyDecoder(reference)
    const writing = random.fork('write')
    const write = (writer: Decoder, count: number): Promise<Logged> =>
      freshPairs(writer, reference, talk, { count, scale: usualLog.scale, random: writing })
    await trainPolicy(
      policy,
      'copg',
      beta,
      { logged, padId, ...(fresh === 0 ? {} : { fresh: { count: fresh, write } }) },
      { steps: size.steps, evaluations: 1 },
      random.fork('order'),
      nextTurn,
    )
    await judge(name, policy)
    policy.dispose()
  }
  await judge('reference', reference)
  await measure('usual', usualLog, USUAL_BETA)
  for (const beta of BETAS) await measure(`β ${beta}`, usualLog, beta)
  for (const [name, temperatures] of Object.entries(SOURCES)) await measure(name, await log(temperatures), USUAL_BETA)
  for (const [name, count] of Object.entries(FRESH)) await measure(name, usualLog, USUAL_BETA, count)
  reference.dispose()
  return found
}

export async function studyCopg({ form, seeds, size, say }: StudyOptions<StudySize>): Promise<Report> {
  const level = await overAllSeeds(seeds, (seed) => runSeed(seed, size), say)
  const betaNames = BETAS.map((beta) => [`β ${beta}`, String(beta)] as const)
  const names = (from: object): (readonly [string, string])[] => Object.keys(from).map((name) => [name, name])
  const axis = (title: string, usual: string, others: readonly (readonly [string, string])[]) =>
    [
      { title, metric: 'reward', goal: 'max' as const, end: '' },
      { title: `${title}: KL`, metric: 'KL to the reference, nats', goal: 'none' as const, end: ', KL' },
    ].map(({ end, ...measured }) => ({
      ...measured,
      usual: level(`usual${end}`, usual),
      others: others.map(([name, shown]) => level(`${name}${end}`, shown)),
    }))
  return studyReport({
    id: 'copg-settings',
    title: 'CoPG: what β and the source of the data are worth',
    form,
    seeds,
    setup: `the texts, rewards and decoder of copg-text; ${size.steps} steps of ${BATCH_PAIRS} pairs; usual: β ${USUAL_BETA}, all pairs logged, written by the reference at temperatures ${LOG_TEMPERATURES.join(' and ')}; reward and KL of generations on held-out prompts at the last step`,
    axes: [
      ...axis('Training', 'CoPG', [['reference', 'none']]),
      ...axis('β', String(USUAL_BETA), betaNames),
      ...axis('Who wrote the log', 'at T 1 and 1.3', names(SOURCES)),
      ...axis('Pairs of a batch that the policy has just written', 'none', names(FRESH)),
    ],
    notes: [
      'Fresh pairs cost a generation each step and are worth what the policy writes then; logged ones cost nothing after they were scored. Steps are equal, time is not.',
      'Rewards that are learned from are divided by their spread in the log that they come from, fresh ones by that of the usual log; what is reported is the reward itself.',
    ],
  })
}

export const copgSettings: Reproduction = {
  run: ({ form, seedCount, say }) =>
    studyCopg({ form, seeds: seedsOf(seedCount ?? SEEDS[form], FIRST_SEED), size: SIZES[form], say }),
}
