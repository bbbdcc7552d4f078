import type { DecoderConfig } from './model-config.ts'

/**
 * Angles by which a step of one position turns each pair of numbers, scaling included. → [headDim / 2]
 * Llama 3's rule divides long wavelengths by the factor, keeps short ones, and goes over smoothly between them.
 */
export function ropeFrequencies({
  headDim,
  ropeTheta,
  ropeScaling = null,
}: Pick<DecoderConfig, 'headDim' | 'ropeTheta' | 'ropeScaling'>): Float64Array {
  const plain = Float64Array.from({ length: headDim / 2 }, (_none, i) => ropeTheta ** ((-2 * i) / headDim))
  if (ropeScaling === null || ropeScaling.kind === 'dynamic') return plain
  if (ropeScaling.kind === 'linear') return plain.map((frequency) => frequency / ropeScaling.factor)
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalLength } = ropeScaling
  return plain.map((frequency) => {
    const wavelengths = (originalLength * frequency) / (2 * Math.PI) // how many fit into the trained length
    const kept = (wavelengths - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
    const share = Math.min(1, Math.max(0, kept))
    return share * frequency + (1 - share) * (frequency / factor)
  })
}

/** cos and sin of position · frequency, first half of the head's width; the second half turns by the same angles. */
export interface RotaryTable {
  /** [position, headDim / 2] */
  readonly cos: Float32Array
  readonly sin: Float32Array
  readonly headDim: number
}

/** What a kernel that turns is given. */
export interface RotaryAttributes extends RotaryTable {
  /** [token] */
  readonly positions: Int32Array
  /** Whether it turns back. */
  readonly inverse: boolean
}

/** @param given one frequency a pair, or θ for the plain ones, θ^(−2i/headDim) */
export function rotaryTable(length: number, headDim: number, given: Float64Array | number): RotaryTable {
  const frequencies = typeof given === 'number' ? ropeFrequencies({ headDim, ropeTheta: given }) : given
  const half = headDim / 2
  const cos = new Float32Array(length * half)
  const sin = new Float32Array(length * half)
  for (let position = 0; position < length; position += 1) {
    for (let i = 0; i < half; i += 1) {
      const angle = position * frequencies[i]!
      cos[position * half + i] = Math.cos(angle)
      sin[position * half + i] = Math.sin(angle)
    }
  }
  return { cos, sin, headDim }
}
