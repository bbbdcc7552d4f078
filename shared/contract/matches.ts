// One policy, model or baseline against another: both answer the same prompts, a judge says which answer is better.
import { z } from 'zod'
import { datasetId, engineName, runId } from '../domain.ts'
import { wireError } from '../errors.ts'
import { call } from './define.ts'
import { generationSource, samplingSettings } from './playground.ts'

/** Who answers: something that writes, or the answers that the data have. */
export const player = z.discriminatedUnion('kind', [
  ...generationSource.options,
  z.strictObject({ kind: z.literal('data'), answers: z.enum(['chosen', 'rejected']) }),
])
export type Player = z.infer<typeof player>

export const judge = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reward-model'), runId }),
  z.strictObject({ kind: z.literal('length'), target: z.number().positive() }),
  z.strictObject({ kind: z.literal('keyword'), words: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ kind: z.literal('regex'), pattern: z.string().min(1) }),
  /** A local model is asked which of two answers is better, in both orders. */
  z.strictObject({ kind: z.literal('model'), source: generationSource }),
  /** A data set is made of the answers, to be labeled blind. */
  z.strictObject({ kind: z.literal('people') }),
])
export type Judge = z.infer<typeof judge>

export const matchRequest = z.strictObject({
  players: z.tuple([player, player]),
  judge,
  /** Where the prompts are from; null: the data of the first player that is a run. */
  datasetId: datasetId.nullable().default(null),
  side: z.enum(['validation', 'test']).default('test'),
  /** So many prompts, the first in the order of the data; fewer where there are not as many. */
  prompts: z.int().min(1).max(100_000).default(100),
  /** Answers of each player to a prompt. */
  samples: z.int().min(1).max(64).default(1),
  settings: samplingSettings.pick({ temperature: true, topP: true, maxTokens: true }).prefault({ maxTokens: 128 }),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
  engine: z.enum(['auto', ...engineName.options]).default('auto'),
})
export type MatchRequest = z.infer<typeof matchRequest>

const rate = z.strictObject({ rate: z.number(), low: z.number(), high: z.number() })

export const matchScore = z.strictObject({
  bouts: z.int(),
  prompts: z.int(),
  wins: z.int(),
  ties: z.int(),
  losses: z.int(),
  /** Of the first player, a tie as one half, with its 95 % interval over prompts. */
  winRate: rate,
  /** The same at equal length of the answers. */
  lengthControlled: rate.nullable(),
})

export const playedBy = z.strictObject({
  title: z.string(),
  /** Means over its answers. */
  characters: z.number(),
  /** Null for answers of the data. */
  tokens: z.number().nullable(),
  /** Share that ended by themselves. */
  ended: z.number().nullable(),
  /** Mean of the judge's number; null where it gives none. */
  score: z.number().nullable(),
  /** Of the best of n answers by the judge, n = 1 …, where a prompt has several answers; KL in nats from the policy itself. */
  bestOf: z
    .array(
      z.strictObject({
        n: z.int(),
        score: z.number(),
        low: z.number().nullable(),
        high: z.number().nullable(),
        kl: z.number(),
      }),
    )
    .default([]),
})

/** What is known of the judge itself. */
export const judgedBy = z.strictObject({
  title: z.string(),
  /** How often it decides as people did, on pairs of the same side of the data that they labeled. Null where there are none. */
  agreement: rate.extend({ pairs: z.int() }).nullable(),
  /** Of a model that is asked: how often it took the answer that stood first, ½ without a bias, and how often both orders agreed. */
  position: z.strictObject({ first: z.number(), consistent: z.number() }).nullable(),
})

export const matchResult = z.strictObject({
  players: z.tuple([playedBy, playedBy]),
  judge: judgedBy,
  /** Null while nobody has judged. */
  score: matchScore.nullable(),
  promptsOf: z.strictObject({ datasetName: z.string(), side: z.string(), available: z.int(), used: z.int() }),
  /** Of people as judges: where they do it. */
  labelIn: datasetId.nullable(),
  warnings: z.array(z.string()),
  device: z.string(),
})
export type MatchResult = z.infer<typeof matchResult>

export const matchState = z.enum(['waiting', 'running', 'finished', 'failed', 'cancelled'])

export const match = z.strictObject({
  matchId: z.string(),
  request: matchRequest,
  /** "dpo s1 against sft s1". */
  title: z.string(),
  state: matchState,
  startedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  /** What it said last. */
  note: z.string(),
  result: matchResult.nullable(),
  error: wireError.nullable(),
})
export type Match = z.infer<typeof match>

const playedAnswer = z.strictObject({
  text: z.string(),
  tokens: z.int().nullable(),
  ended: z.boolean().nullable(),
  score: z.number().nullable(),
})

export const bout = z.strictObject({
  prompt: z.string(),
  sample: z.int(),
  answers: z.tuple([playedAnswer, playedAnswer]),
  /** Of the first player: 1, ½ or 0; null where nobody has judged it. */
  outcome: z.number().nullable(),
})
export type MatchBout = z.infer<typeof bout>

export const matchCalls = {
  /** Runs in a process of its own, after those that were asked for before. */
  'matches.start': call(
    matchRequest.extend({ clientKey: z.string().optional() }),
    z.strictObject({ matchId: z.string() }),
  ),
  /** Newest first. */
  'matches.list': call(z.strictObject({}), z.array(match)),
  'matches.get': call(z.strictObject({ matchId: z.string() }), match),
  /** Of a match that people judge, those that were judged: who wrote what stays hidden from them. */
  'matches.bouts': call(
    z.strictObject({
      matchId: z.string(),
      offset: z.int().nonnegative().default(0),
      limit: z.int().min(1).max(500).default(50),
    }),
    z.strictObject({ total: z.int(), bouts: z.array(bout) }),
  ),
  'matches.cancel': call(z.strictObject({ matchId: z.string() }), z.null()),
  /** Answers and scores go; a data set that people label stays. */
  'matches.remove': call(z.strictObject({ matchId: z.string() }), z.null()),
} as const
