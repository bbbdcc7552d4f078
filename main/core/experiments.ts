// The papers' experiments that can be repeated here, and studies of their settings, in the order in which they are shown.
// How each is run lies in main/workers/reproduce/<id>.ts: this list is what the app and the command line need before
// anything is computed.
import { AppError } from '../../shared/errors.ts'

interface Described {
  /** As on the command line: cpl-lqr. */
  readonly id: string
  readonly paper: { readonly cite: string; readonly url: string }
  /** The claim in one sentence, as the paper makes it, or what a study asks. */
  readonly about: string
  /** Roughly, on two cores with the wasm engine. */
  readonly minutes: { readonly quick: number; readonly full: number }
}

export interface Experiment extends Described {
  readonly kind: 'claim' | 'study'
}

const COPG = { cite: 'Flet-Berliac et al., EMNLP 2024', url: 'https://arxiv.org/abs/2406.19185' } as const
const CPL = { cite: 'Hejna et al., ICLR 2024', url: 'https://arxiv.org/abs/2310.13639' } as const
const PG_RANK = { cite: 'Gao et al., 2023', url: 'https://arxiv.org/abs/2310.04407' } as const
const GRACE = { cite: 'GRACE, 2025', url: 'https://arxiv.org/abs/2510.04506' } as const

/** What a paper claims, with gates fixed beforehand. */
const CLAIMS = [
  {
    id: 'copg-bandit',
    paper: COPG,
    about: 'From pairs that any policies wrote, CoPG ends at the best policy; IPO and policy gradients end elsewhere.',
    minutes: { quick: 0.2, full: 0.2 },
  },
  {
    id: 'copg-text',
    paper: COPG,
    about:
      'From logged completions with a reward, CoPG raises the reward of what is generated, above IPO and DPO, each at its best β.',
    minutes: { quick: 2, full: 40 },
  },
  {
    id: 'cpl-lqr',
    paper: CPL,
    about:
      'From comparisons by regret alone, CPL finds a policy better than any that copies the data, and λ < 1 keeps it from leaving the data.',
    minutes: { quick: 2.5, full: 30 },
  },
  {
    id: 'cpl-control',
    paper: CPL,
    about:
      'With a simulated finger on a table, CPL is above supervised fine-tuning on preferred segments, and level with or above P-IQL with a fraction of its cost.',
    minutes: { quick: 2.5, full: 60 },
  },
  {
    id: 'cpl-regret-vs-reward',
    paper: CPL,
    about:
      'Where preferences follow regret, CPL converges to the optimal policy; where they follow sums of rewards, it does not.',
    minutes: { quick: 0.3, full: 2 },
  },
  {
    id: 'pgrank-exact',
    paper: PG_RANK,
    about:
      'Sampled rankings give an unbiased gradient of the expected utility, and a leave-one-out baseline makes it less noisy.',
    minutes: { quick: 0.1, full: 1 },
  },
  {
    id: 'pgrank-lists',
    paper: PG_RANK,
    about: 'Training for the utility that is evaluated brings what more contrastive training does not.',
    minutes: { quick: 1, full: 4 },
  },
  {
    id: 'pgrank-ltr',
    paper: PG_RANK,
    about: 'On lists with their own negatives PG-RANK and InfoNCE tie.',
    minutes: { quick: 0.5, full: 2 },
  },
  {
    id: 'pgrank-cranfield',
    paper: PG_RANK,
    about: 'Trained for nDCG@10 on judged queries, a reranker improves on the contrastive model it starts from.',
    minutes: { quick: 2, full: 20 },
  },
  {
    id: 'grace-mini',
    paper: GRACE,
    about:
      'Rationales rewarded by contrast make better embeddings than the base model’s, without spoiling the model for generation.',
    minutes: { quick: 2, full: 40 },
  },
  {
    id: 'grace-cancellation',
    paper: GRACE,
    about:
      'The hard-negative term, as printed, is the same for all rollouts of a text and so cancels in group-mean advantages: λ₂ has no effect.',
    minutes: { quick: 0.3, full: 3 },
  },
] as const satisfies readonly Described[]

/** One setting of a method is changed at a time: what is it worth? */
const STUDIES = [
  {
    id: 'copg-settings',
    paper: COPG,
    about: 'What do β and where the logged completions come from do to the reward of what is generated, and to its KL?',
    minutes: { quick: 3, full: 20 },
  },
  {
    id: 'cpl-settings',
    paper: CPL,
    about: 'What do λ, α and the number of segments do to the return of CPL’s policy?',
    minutes: { quick: 6, full: 80 },
  },
  {
    id: 'pgrank-settings',
    paper: PG_RANK,
    about:
      'What do the estimator, the number of rankings, the cut-off k, the utility and the length of the lists in training do to test nDCG@10?',
    minutes: { quick: 2.5, full: 15 },
  },
  {
    id: 'grace-settings',
    paper: GRACE,
    about:
      'What do λ₁, λ₂, K, the pooled span, supervision and the length of rationales do to GRACE’s embeddings and to its text?',
    minutes: { quick: 7.5, full: 80 },
  },
] as const satisfies readonly Described[]

export type ExperimentId = (typeof CLAIMS | typeof STUDIES)[number]['id']

export const experiments: readonly (Experiment & { readonly id: ExperimentId })[] = [
  ...CLAIMS.map((one) => ({ kind: 'claim' as const, ...one })),
  ...STUDIES.map((one) => ({ kind: 'study' as const, ...one })),
]

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
