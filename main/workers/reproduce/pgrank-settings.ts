import { createRandom, type Random } from '../../core/learn/random.ts'
import { tf } from '../../core/learn/tf.ts'
import type { Report, Reproduction } from './define.ts'
import { fit } from './fit.ts'
import {
  createListRanker,
  draw,
  infoNceLoss,
  ndcgOf,
  pgLoss,
  USUAL_SAMPLING,
  type ListSampling,
} from './list-ranker.ts'
import { createListWorld, LIST_WORLD, type WorldList } from './list-world.ts'
import { overAllSeeds, seedsOf, studyReport, type StudyOptions } from './study.ts'
import { PGRANK_LISTS } from './thresholds.ts'

const { warmSteps, moreSteps, learningRate, batch } = PGRANK_LISTS.training
const MEASURED = { metric: 'test nDCG@10', goal: 'max' } as const
const SEEDS = { quick: 5, full: 10 } as const
/** Seeds 1 to 5 are those of pgrank-lists, on which nothing here was chosen either. */
const FIRST_SEED = 11

interface Way {
  readonly sampling: ListSampling
  /** Documents of a list in training; the test has all of them. */
  readonly depth: number
}

const USUAL: Way = { sampling: USUAL_SAMPLING, depth: LIST_WORLD.documents }
const sampled = (changes: Partial<ListSampling>): Way => ({ ...USUAL, sampling: { ...USUAL_SAMPLING, ...changes } })

const AXES = [
  {
    title: 'Estimator',
    usual: 'reward-to-go',
    others: { 'leave-one-out': sampled({ estimator: 'leave-one-out' }), 'no baseline': sampled({ estimator: 'none' }) },
  },
  {
    title: 'Rankings a list',
    usual: String(USUAL_SAMPLING.samples),
    others: { '2': sampled({ samples: 2 }), '32': sampled({ samples: 32 }) },
  },
  {
    title: 'Cut-off k in training',
    usual: String(USUAL_SAMPLING.k),
    others: { '1': sampled({ k: 1 }), '3': sampled({ k: 3 }), '20': sampled({ k: 20 }) },
  },
  {
    title: 'Utility in training',
    usual: 'nDCG, linear gain',
    others: {
      'nDCG, exponential gain': sampled({ utility: 'ndcg-exp' }),
      MRR: sampled({ utility: 'mrr' }),
      recall: sampled({ utility: 'recall' }),
    },
  },
  {
    title: 'Documents of a list in training',
    usual: String(LIST_WORLD.documents),
    others: { '5': { ...USUAL, depth: 5 }, '10': { ...USUAL, depth: 10 } },
  },
] as const satisfies readonly {
  readonly title: string
  readonly usual: string
  readonly others: Readonly<Record<string, Way>>
}[]

/** Some of its documents, one that answers the query among them. */
function shorten(list: WorldList, depth: number, random: Random): WorldList {
  if (depth >= list.documents.length) return list
  const places = [...list.documents.keys()]
  const relevant = places.filter((place) => list.relevance[place]! > 0)
  const first = relevant[random.int(relevant.length)]!
  const kept = [first, ...random.shuffle(places.filter((place) => place !== first)).slice(0, depth - 1)]
  return {
    query: list.query,
    documents: kept.map((place) => list.documents[place]!),
    relevance: kept.map((place) => list.relevance[place]!),
  }
}

interface Size {
  /** Steps of the warm start, and of PG-RANK. */
  readonly warm: number
  readonly steps: number
}

async function runSeed(seed: number, { warm: warmed, steps }: Size): Promise<ReadonlyMap<string, number>> {
  const random = createRandom(seed)
  const world = createListWorld(random)
  const [train, test] = [world.draw(300, 'train'), world.draw(100, 'test')]
  const encoder = createListRanker(random)
  const stage = (name: string, count: number, loss: (own: Random) => tf.Scalar): Promise<void> => {
    const own = random.fork(name)
    return fit({ variables: encoder.variables, steps: count, learningRate, finalRatio: 0.1 }, () => loss(own))
  }
  await stage('warm', warmed, (own) => infoNceLoss(encoder, draw(train, batch, own), own, false))
  const warm = Object.values(encoder.variables).map((variable) => variable.clone())
  const found = new Map([['warm start', ndcgOf(encoder, test)]])
  const measure = async (name: string, { sampling, depth }: Way): Promise<void> => {
    Object.values(encoder.variables).forEach((variable, at) => variable.assign(warm[at]!))
    const [order, cut] = [random.fork('order'), random.fork('cut')] // all meet the same lists in the same order
    await stage('pg-rank', steps, (own) => {
      const lists = draw(train, batch, order).map((list) => shorten(list, depth, cut))
      return pgLoss(encoder, lists, own, sampling)
    })
    found.set(name, ndcgOf(encoder, test))
  }
  await measure('usual', USUAL)
  for (const { title, others } of AXES)
    for (const [name, way] of Object.entries(others)) await measure(`${title} ${name}`, way)
  tf.dispose(warm)
  encoder.dispose()
  return found
}

export async function studyPgRank({ form, seeds, size, say }: StudyOptions<Size>): Promise<Report> {
  const level = await overAllSeeds(seeds, (seed) => runSeed(seed, size), say)
  return studyReport({
    id: 'pgrank-settings',
    title: 'PG-RANK: what its settings are worth',
    form,
    seeds,
    setup: `the lists of pgrank-lists: 300 training and 100 test queries with ${LIST_WORLD.documents} documents; warm start of ${size.warm} steps of in-batch InfoNCE, then ${size.steps} steps of PG-RANK, ${batch} lists a step, Adam at ${learningRate}; usual: ${USUAL_SAMPLING.samples} rankings a list, reward-to-go, nDCG@${USUAL_SAMPLING.k} with linear gain`,
    axes: [
      {
        title: 'Training after the warm start',
        ...MEASURED,
        usual: level('usual', 'PG-RANK'),
        others: [level('warm start', 'none')],
      },
      ...AXES.map(({ title, usual, others }) => ({
        title,
        ...MEASURED,
        usual: level('usual', usual),
        others: Object.keys(others).map((name) => level(`${title} ${name}`, name)),
      })),
    ],
    notes: [
      'Whatever a policy is trained for, it is judged by nDCG@10 with linear gain over whole lists. More rankings a list cost more time a step; steps are equal, time is not.',
      'Settings were taken from pgrank-lists as they stand; none was chosen on the seeds shown here.',
    ],
  })
}

export const pgRankSettings: Reproduction = {
  run: ({ form, seedCount, say }) =>
    studyPgRank({
      form,
      seeds: seedsOf(seedCount ?? SEEDS[form], FIRST_SEED),
      size: { warm: warmSteps, steps: form === 'quick' ? moreSteps : 3 * moreSteps },
      say,
    }),
}
