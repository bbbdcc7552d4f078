// The first stage by itself (Robertson and Zaragoza, 2009): what every reranker begins from, as a row to compare with.
import { z } from 'zod'
import { rankingInfo, SCORER_FIELDS, type RankingAlgorithm } from '../ranking/ranking.ts'
import { tf } from '../tf.ts'

const { candidates, cutoff } = SCORER_FIELDS
const config = z.strictObject({ candidates, cutoff })

export const bm25: RankingAlgorithm<z.infer<typeof config>, null> = {
  id: 'bm25',
  name: 'BM25',
  summary: 'The order of the first stage, measured as trained rankers are',
  paper: { cite: 'Robertson and Zaragoza, FnTIR 2009', url: 'https://doi.org/10.1561/1500000019' },
  vectors: ['bm25'],
  equation: 's(q, d) = Σ over terms t of q: idf(t) · f (k₁ + 1) / (f + k₁ (1 − b + b |d| / mean length)), f of t in d',
  deviations: [
    'Nothing is learned: it is measured once, and its seed decides nothing.',
    'k₁ = 0.9 and b = 0.4, as Anserini has them; words as they stand, without stemming and with stop words.',
    'Documents of a feature file are left in the file’s order.',
  ],
  data: 'rankings',
  role: 'ranker',
  models: ['networks'],
  learns: false,
  needsReference: false,
  mainMetric: 'eval/ndcg',
  config,
  metrics: rankingInfo(),
  presets: [
    {
      id: 'first-stage',
      title: 'First stage',
      note: 'The documents that BM25 finds, in its order.',
      config: {},
      training: { steps: 0 },
    },
  ],
  acrossLists: () => false,
  pick: () => [],
  loss: (_scores, { lists }) => tf.zeros([lists.length]),
}
