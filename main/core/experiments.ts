// The papers' experiments that can be repeated here, and studies of their settings, in the order in which they are shown. How each is run lies in
// main/workers/reproduce/<id>.ts: this list is what the app and the command line need before anything is computed.
import { AppError } from '../../shared/errors.ts'

export interface Experiment {
  /** As on the command line: cpl-lqr. */
  readonly id: string
  /** One that has a claim to hold, or one that asks what settings are worth. */
  readonly kind: 'claim' | 'study'
  readonly paper: { readonly cite: string; readonly url: string }
  /** The claim in one sentence, as the paper makes it; of a study, what it asks. */
  readonly claim: string
  /** Roughly, on two cores with the wasm engine. */
  readonly minutes: { readonly quick: number; readonly full: number }
}

const COPG = { cite: 'Flet-Berliac et al., EMNLP 2024', url: 'https://arxiv.org/abs/2406.19185' } as const
const CPL = { cite: 'Hejna et al., ICLR 2024', url: 'https://arxiv.org/abs/2310.13639' } as const
const PG_RANK = { cite: 'Gao et al., 2023', url: 'https://arxiv.org/abs/2310.04407' } as const
const GRACE = { cite: 'GRACE, 2025', url: 'https://arxiv.org/abs/2510.04506' } as const

export const experiments = [
  {
    id: 'copg-bandit',
    kind: 'claim',
    paper: COPG,
    claim: 'From pairs that any policies wrote, CoPG ends at the best policy; IPO and policy gradients end elsewhere.',
    minutes: { quick: 0.2, full: 0.2 },
  },
  {
    id: 'copg-text',
    kind: 'claim',
    paper: COPG,
    claim:
      'From logged completions with a reward, CoPG raises the reward of what is generated, above IPO and DPO, each at its best β.',
    minutes: { quick: 2, full: 40 },
  },
  {
    id: 'cpl-lqr',
    kind: 'claim',
    paper: CPL,
    claim:
      'From comparisons by regret alone, CPL finds a policy better than any that copies the data, and λ < 1 keeps it from leaving the data.',
    minutes: { quick: 2.5, full: 30 },
  },
  {
    id: 'cpl-control',
    kind: 'claim',
    paper: CPL,
    claim:
      'With a simulated finger on a table, CPL is above supervised fine-tuning on preferred segments, and level with or above P-IQL with a fraction of its cost.',
    minutes: { quick: 2.5, full: 60 },
  },
  {
    id: 'cpl-regret-vs-reward',
    kind: 'claim',
    paper: CPL,
    claim:
      'Where preferences follow regret, CPL converges to the optimal policy; where they follow sums of rewards, it does not.',
    minutes: { quick: 0.3, full: 2 },
  },
  {
    id: 'pgrank-exact',
    kind: 'claim',
    paper: PG_RANK,
    claim:
      'Sampled rankings give an unbiased gradient of the expected utility, and a leave-one-out baseline makes it less noisy.',
    minutes: { quick: 0.1, full: 1 },
  },
  {
    id: 'pgrank-lists',
    kind: 'claim',
    paper: PG_RANK,
    claim: 'Training for the utility that is evaluated brings what more contrastive training does not.',
    minutes: { quick: 1, full: 4 },
  },
  {
    id: 'pgrank-ltr',
    kind: 'claim',
    paper: PG_RANK,
    claim: 'On lists with their own negatives PG-RANK and InfoNCE tie.',
    minutes: { quick: 0.5, full: 2 },
  },
  {
    id: 'pgrank-cranfield',
    kind: 'claim',
    paper: PG_RANK,
    claim: 'Trained for nDCG@10 on judged queries, a reranker improves on the contrastive model it starts from.',
    minutes: { quick: 2, full: 20 },
  },
  {
    id: 'grace-mini',
    kind: 'claim',
    paper: GRACE,
    claim:
      'Rationales rewarded by contrast make better embeddings than the base model’s, without spoiling the model for generation.',
    minutes: { quick: 2, full: 40 },
  },
  {
    id: 'grace-cancellation',
    kind: 'claim',
    paper: GRACE,
    claim:
      'The hard-negative term, as printed, is the same for all rollouts of a text and so cancels in group-mean advantages: λ₂ has no effect.',
    minutes: { quick: 0.3, full: 3 },
  },
  {
    id: 'copg-settings',
    kind: 'study',
    paper: COPG,
    claim: 'What do β and where the logged completions come from do to the reward of what is generated, and to its KL?',
    minutes: { quick: 3, full: 20 },
  },
  {
    id: 'cpl-settings',
    kind: 'study',
    paper: CPL,
    claim: 'What do λ, α and the number of segments do to the return of CPL’s policy?',
    minutes: { quick: 6, full: 80 },
  },
  {
    id: 'pgrank-settings',
    kind: 'study',
    paper: PG_RANK,
    claim:
      'What do the estimator, the number of rankings, the cut-off k, the utility and the length of the lists in training do to test nDCG@10?',
    minutes: { quick: 2.5, full: 15 },
  },
  {
    id: 'grace-settings',
    kind: 'study',
    paper: GRACE,
    claim:
      'What do λ₁, λ₂, K, the pooled span, supervision and the length of rationales do to GRACE’s embeddings and to its text?',
    minutes: { quick: 7.5, full: 80 },
  },
] as const satisfies readonly Experiment[]

export type ExperimentId = (typeof experiments)[number]['id']

/** @throws AppError `not-found` */
export function findExperiment(id: string): Experiment & { readonly id: ExperimentId } {
  const found = experiments.find((one) => one.id === id)
  if (found !== undefined) return found
  throw new AppError({
    code: 'not-found',
    message: `There is no experiment called "${id}".`,
    hint: `Choose one of: ${experiments.map((one) => one.id).join(', ')}.`,
  })
}
