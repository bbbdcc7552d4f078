/** Colour and dash of each bandit method, the same in triangle, chart and table. */
const LOOKS: Readonly<Record<string, { readonly colour: string; readonly dash: readonly number[] }>> = {
  copg: { colour: '--r1', dash: [] },
  dpo: { colour: '--r2', dash: [5, 3] },
  ipo: { colour: '--r3', dash: [1.5, 2.5] },
  pg_value: { colour: '--r5', dash: [7, 2, 1.5, 2] },
  pg_none: { colour: '--r4', dash: [9, 4] },
  pg_importance: { colour: '--r6', dash: [2, 2] },
}

export function lookOf(method: string): { readonly colour: string; readonly dash: readonly number[] } {
  return LOOKS[method] ?? { colour: '--r7', dash: [] }
}
