/** The generator's four words, so that a checkpoint can go on with the very next number. */
export type RandomState = readonly [number, number, number, number]

/** Seeded random numbers. The same seed gives the same numbers on every machine and engine. */
export interface Random {
  /** In [0, 1), of 53 random bits. */
  uniform(): number
  /** In 0 … n − 1, each equally likely. */
  int(n: number): number
  /** Mean 0, standard deviation 1. */
  normal(): number
  /** −log(−log u): the argmax of logits plus these is a draw from their softmax. */
  gumbel(): number
  /** An index, drawn with the given weights (not negative, not all 0). */
  categorical(weights: ArrayLike<number>): number
  /** In place, by Fisher and Yates; returns the array. */
  shuffle<T extends { [index: number]: unknown; readonly length: number }>(array: T): T
  /** A stream of its own, fixed by this stream's present state and the label; this stream does not move. */
  fork(label: string): Random
  state(): RandomState
}

/** A generator of this seed (any number; its fraction counts too). */
export function createRandom(seed: number): Random {
  const bits = new Uint32Array(new Float64Array([seed]).buffer)
  return fromWords(spread((bits[0]! ^ Math.imul(bits[1]!, 0x9e3779b1)) >>> 0, bits[1]!))
}

/** The generator that had this state. */
export function restoreRandom(state: RandomState): Random {
  return fromWords(state)
}

/** xoshiro128** 1.1 (Blackman and Vigna, 2021): 128 bits of state, period 2¹²⁸ − 1. */
function fromWords(words: RandomState): Random {
  let [a, b, c, d] = words

  function nextWord(): number {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }
  const uniform = (): number => {
    const high = nextWord() >>> 5 // 27 bits
    return (high * 67_108_864 + (nextWord() >>> 6)) / 9_007_199_254_740_992
  }

  return {
    uniform,
    int: (n) => Math.floor(uniform() * n),
    // Box–Muller; the second number of each draw is left, so that the state stays four words.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    gumbel: () => -Math.log(-Math.log(Math.max(uniform(), Number.MIN_VALUE))),
    categorical: (weights) => {
      let total = 0
      for (let index = 0; index < weights.length; index += 1) total += weights[index]!
      let left = uniform() * total
      let last = 0
      for (let index = 0; index < weights.length; index += 1) {
        if (weights[index]! <= 0) continue
        last = index
        left -= weights[index]!
        if (left < 0) break
      }
      return last
    },
    shuffle: (array) => {
      for (let index = array.length - 1; index > 0; index -= 1) {
        const other = Math.floor(uniform() * (index + 1))
        const kept = array[index]
        array[index] = array[other]
        array[other] = kept
      }
      return array
    },
    fork: (label) => fromWords(spread((hash(label) ^ a ^ rotate(b, 16)) >>> 0, (c ^ rotate(d, 16)) >>> 0)),
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** Two words to four that are not all 0, each step a bijection with every input bit in every output bit. */
function spread(first: number, second: number): RandomState {
  let counter = first
  const next = (): number => {
    counter = (counter + 0x9e3779b9) | 0
    return mix(counter ^ second)
  }
  const words: RandomState = [next(), next(), mix(next() ^ rotate(second, 13)), next()]
  return words.every((word) => word === 0) ? [1, 0, 0, 0] : words
}

/** Finalizer of MurmurHash3. */
function mix(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) h = Math.imul(h ^ text.charCodeAt(index), 0x01000193)
  return mix(h)
}
