// What a reproduction must reach, and where each number comes from. Kept in one place, so that a change is seen.

export const COPG_BANDIT = {
  /** Theorem 1 of arXiv 2406.19185: CoPG's one optimum is π*, whatever the data's distributions. */
  copgRegretBelow: 1e-6,
  /** Same set-up, in closed form: π* ∝ π_ref e^{R/β}. */
  copgPolicy: [0.70538, 0.2595, 0.03512],
  /** Fixed points of the other population gradients, from an independent double-precision calculation. */
  ipoPolicy: [0.42417, 0.35271, 0.22313],
  pgNonePolicy: [0.19399, 0.25014, 0.55587],
  pgValuePolicy: [0.81155, 0.16752, 0.02093],
  /** The numbers above have five digits. */
  policyTolerance: 2e-5,
  /** J* − J(π_ref) of this bandit: where every method starts. */
  initialRegret: 0.29187,
  initialRegretTolerance: 1e-5,
} as const

/**
 * The paper's figure 1 prints curves and no numbers. These ranges hold the five-seed means of an independent
 * implementation of the printed set-up: CoPG .0129, value baseline .0275, IPO .151, no baseline .635.
 */
export const COPG_BANDIT_SAMPLED = {
  seeds: [1, 2, 3, 4, 5],
  copgBelow: 0.02,
  pgValue: [0.02, 0.035],
  ipo: [0.13, 0.17],
  pgNoneAbove: 0.6,
} as const

/** Theorem 1 again: the optimum does not depend on who wrote the data, as long as every arm occurs. */
export const COPG_BANDIT_DATA = {
  distributions: 5,
  seed: 7,
  /** Largest difference of a share between two data sets. */
  copgSpreadBelow: 1e-4,
  /** A biased method must move with its data by more than rounding; a hundredth is far beyond it. */
  pgValueSpreadAbove: 0.01,
  /** Without arm 3 in the data: π₁/π₂ = e^{(R₁−R₂)/β} still, π₃ as the start has it. */
  ratioTolerance: 1e-4,
  thirdArmMovesAbove: 0.1,
} as const

/**
 * Figure 2 of arXiv 2406.19185 shows CoPG above IPO above DPO in reward, for β from .03 to .1; no numbers are printed, so
 * only directions are asked for, by intervals over seeds.
 */
export const COPG_TEXT = {
  betasAboveSft: 2,
} as const
