// What losses on pairs are tried on: inputs that are the same on every machine, and where such losses have edges.

export interface Inputs {
  /** Log-prob of each token of each completion. */
  readonly policy_chosen_token_logps: number[][]
  readonly policy_rejected_token_logps: number[][]
  readonly ref_chosen_token_logps?: number[][]
  readonly ref_rejected_token_logps?: number[][]
  readonly preference?: number[]
  readonly strength?: number[]
  readonly weight?: number[]
  /** 1 where both answers are bad, and not compared. */
  readonly both_bad?: number[]
  /** The prompts with completions of others. */
  readonly mismatched_policy_chosen_token_logps?: number[][]
  readonly mismatched_policy_rejected_token_logps?: number[][]
  readonly mismatched_ref_chosen_token_logps?: number[][]
  readonly mismatched_ref_rejected_token_logps?: number[][]
}

export type Settings = Readonly<Record<string, number | boolean>>

export interface CasesWanted {
  readonly variants: Readonly<Record<string, Settings>>
  readonly hasReference: boolean
  /** Each case also gives the prompts with completions of others. */
  readonly hasMismatched?: boolean
  /** Cases with pairs whose answers are both bad. */
  readonly judgesEach?: boolean
  /** Where this loss has an edge of its own. */
  readonly edges?: readonly Case[]
}

/** Numbers from 0 to 1 that are the same on every machine. */
let state = 20_240_312
export function uniform(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}

export function completions(lengths: readonly number[], low: number): number[][] {
  return lengths.map((length) => Array.from({ length }, () => Number((low * (0.01 + 0.99 * uniform())).toFixed(4))))
}

function withReference(hasReference: boolean, chosen: number[][], rejected: number[][], apart = 1): Inputs {
  const beside = (rows: number[][]): number[][] =>
    rows.map((row) => row.map((value) => Number((value + apart * (uniform() - 0.5)).toFixed(4))))
  return {
    policy_chosen_token_logps: chosen,
    policy_rejected_token_logps: rejected,
    ...(hasReference ? { ref_chosen_token_logps: beside(chosen), ref_rejected_token_logps: beside(rejected) } : {}),
  }
}

const LENGTHS = [
  [1, 3, 6, 12, 2],
  [4, 3, 1, 7, 17],
] as const

export interface Case {
  readonly name: string
  readonly inputs: Inputs
  readonly settings: Settings
  readonly tags: readonly string[]
  /** Some derivative jumps within a step of it. */
  readonly kinked?: boolean
}

export function casesOf({
  variants,
  hasReference,
  hasMismatched,
  judgesEach,
  edges = [],
}: CasesWanted): readonly Case[] {
  const both = (chosen: number[][], rejected: number[][], apart?: number): Inputs =>
    withReference(hasReference, chosen, rejected, apart)
  const pairs = (low = -6, apart = 1): Inputs => both(completions(LENGTHS[0], low), completions(LENGTHS[1], low), apart)
  const cases = (): Case[] => [
    { name: 'defaults', inputs: pairs(), settings: {}, tags: ['random'] },
    ...Object.entries(variants).map(([name, settings]) => ({ name, inputs: pairs(), settings, tags: ['random'] })),
    {
      name: 'soft_labels_and_ties',
      inputs: { ...pairs(), preference: [1, 0.5, 0.75, 0.6, 0.5] },
      settings: {},
      tags: ['soft'],
    },
    {
      name: 'strength_and_weight',
      inputs: {
        ...pairs(),
        preference: [1, 1, 0.8, 0.5, 1],
        strength: [1, 0.3333, 0.5, 1, 0],
        weight: [1, 0.5, 2, 1, 0],
      },
      settings: {},
      tags: ['soft'],
    },
    {
      name: 'strength_left_out',
      inputs: { ...pairs(), strength: [0.2, 0.3333, 0.5, 1, 0] },
      settings: { useStrength: false },
      tags: ['soft'],
    },
    // Both sides alike: every score, and every lead, is exactly 0 or equal.
    { name: 'alike', inputs: both([[-1, -1, -1]], [[-1, -1, -1]], 0), settings: {}, tags: ['zero'] },
    { name: 'far_apart', inputs: pairs(-60, 60), settings: {}, tags: ['extreme'] },
    { name: 'nearly_certain', inputs: pairs(-0.01), settings: {}, tags: ['extreme'] },
    {
      name: 'certain',
      inputs: both([[0, 0]], [[-2, -0.5]]),
      settings: {},
      tags: ['extreme'],
      kinked: true,
    },
    { name: 'long', inputs: both(completions([400], -6), completions([150], -6)), settings: {}, tags: ['long'] },
    ...edges,
    ...(judgesEach === true
      ? [
          {
            name: 'some_both_bad',
            inputs: {
              ...pairs(),
              preference: [1, 0.5, 0.8, 0.5, 1],
              strength: [1, 1, 0.5, 0.3333, 1],
              weight: [1, 0.5, 2, 1, 1],
              both_bad: [0, 1, 0, 1, 0],
            },
            settings: {},
            tags: ['both-bad'],
          },
          {
            name: 'all_both_bad',
            inputs: { ...pairs(), preference: [0.5, 0.5, 0.5, 0.5, 0.5], both_bad: [1, 1, 1, 1, 1] },
            settings: {},
            tags: ['both-bad'],
          },
        ]
      : []),
  ]
  return hasMismatched === true ? cases().map(besideOthers) : cases()
}

/** The prompts of a case with completions of others, as many as there are and of other lengths. */
function besideOthers(one: Case): Case {
  const lengths = one.inputs.policy_chosen_token_logps.map((row) => 1 + ((row.length + 2) % 7))
  const { policy_chosen_token_logps, policy_rejected_token_logps, ...reference } = withReference(
    true,
    completions(lengths, -5),
    completions(lengths.toReversed(), -5),
  )
  return {
    ...one,
    inputs: {
      ...one.inputs,
      mismatched_policy_chosen_token_logps: policy_chosen_token_logps,
      mismatched_policy_rejected_token_logps: policy_rejected_token_logps,
      mismatched_ref_chosen_token_logps: reference.ref_chosen_token_logps!,
      mismatched_ref_rejected_token_logps: reference.ref_rejected_token_logps!,
    },
  }
}
