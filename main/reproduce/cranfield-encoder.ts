import type { Cranfield } from './cranfield-data.ts'

/** nDCG@10 of a pre-trained sentence encoder without any training here, searching the whole collection; null where none is at hand. */
export async function encodeCranfield(_data: Cranfield, _queries: readonly number[], _say: (text: string) => void): Promise<readonly number[] | null> {
  return null
}
