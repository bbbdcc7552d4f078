import { z } from 'zod'
import { call } from './define.ts'

/** A policy over three arms and how far it is from the best value. */
const banditPoint = z.strictObject({ step: z.int(), policy: z.array(z.number()), regret: z.number() })

export const banditReport = z.strictObject({
  setup: z.strictObject({ rewards: z.array(z.number()), reference: z.array(z.number()), mu1: z.array(z.number()), mu2: z.array(z.number()), beta: z.number(), learningRate: z.number(), steps: z.int() }),
  optimum: z.array(z.number()),
  startRegret: z.number(),
  methods: z.array(z.strictObject({ id: z.string(), name: z.string(), path: z.array(banditPoint), end: banditPoint })),
})
export type BanditReport = z.infer<typeof banditReport>

export const paperCalls = {
  /** CoPG §5.1 with exact gradients, computed now; takes well under a second. */
  'papers.bandit': call(z.strictObject({}), banditReport),
} as const
