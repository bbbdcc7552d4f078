/** Where on each run's curves a value is taken: at the checkpoint that its validation side chose, at its end, or at a step. */
export type ComparePoint = 'best' | 'last' | number

/** As it stands after “values are taken”. */
export function pointInWords(at: ComparePoint): string {
  if (at === 'best') return 'at the checkpoint that each run’s validation side chose'
  return at === 'last' ? 'at each run’s last step' : `at step ${at}`
}

/** Columns and differences where nothing is asked for, as far as the runs have them, the most telling first. */
export const USUAL_METRICS = [
  'test/rewards/accuracies',
  'test/logps/accuracies',
  'test/rollout/reward',
  'eval/rollout/reward',
  'eval/samples/reward',
  'eval/samples/win_rate',
  'test/return',
  'test/success',
  'test/embed/ndcg',
  'test/embed/margin',
  'test/kl/k1',
  'test/kl/k3',
  'test/ndcg',
  'test/mrr',
  'test/recall',
] as const
