import type { Content } from '../../../shared/data-kinds.ts'

export interface PairToJudge {
  readonly prompt: Content
  readonly answers: readonly [Content, Content]
}

export interface JudgedPair {
  /** 1 where the first answer is better, 0 where the second is, ½ for a tie. */
  readonly outcome: number
  readonly scores: readonly [number, number] | null
  /** Of a model that was asked in both orders: whether it took the answer that stood first, each time; ½ where it cannot tell. */
  readonly firstTaken: readonly [number, number] | null
}

export interface MatchJudge {
  decide(pairs: readonly PairToJudge[], tell: (done: number, total: number) => void): Promise<readonly JudgedPair[]>
  dispose(): void
}
