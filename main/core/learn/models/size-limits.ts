// How large a network a config.json may ask for. What a file says is believed only within these bounds, which leave
// room above everything that is published: names and shapes of all layers are made before a weight is looked at.
import { z } from 'zod'

/** 126 in the largest Llama; 1000 in the deepest transformer that was ever written about. */
export const layerCount = z.int().positive().max(1000)
/** Numbers a token has between layers, in a head, or in a feed-forward layer: 16,384 and 53,248 in the largest Llama. */
export const width = z
  .int()
  .positive()
  .max(2 ** 20)
export const headCount = z.int().positive().max(4096)
/** 262,144 in the largest vocabularies. */
export const vocabularySize = z
  .int()
  .positive()
  .max(2 ** 24)
/** Models are published that claim ten million. */
export const positionCount = z
  .int()
  .positive()
  .max(2 ** 30)
/** Kinds of segment; BERT has two. */
export const segmentKinds = z
  .int()
  .positive()
  .max(2 ** 16)
