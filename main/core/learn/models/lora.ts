// Low-Rank Adaptation (Hu et al., ICLR 2022), arXiv 2106.09685
import { tf } from '../tf.ts'
import { type Matrix, multiply } from './frozen.ts'
import { recordsGradients } from './recorded.ts'

export interface LoraWeights {
  /** Frozen [out, in]; [in, out] where `inOut` */
  readonly weight: Matrix
  readonly inOut?: boolean
  /** Frozen [out] */
  readonly bias?: tf.Tensor1D | undefined
  /** [rank, in] */
  readonly a: tf.Tensor2D
  /** [out, rank] */
  readonly b: tf.Tensor2D
  /** α / rank */
  readonly scale: number
  /** What the low-rank path's input is multiplied by: dropout [row, in] */
  readonly mask?: tf.Tensor2D | null
}

/**
 * Eq. 3: y = x Wᵀ + bias + scale · (mask ⊙ x) Aᵀ Bᵀ, the update never formed as a matrix. Between the passes x and the
 * low-rank product are kept, and none of the three outputs that are added. [row, in] → [row, out]
 */
export function loraLinear(
  x: tf.Tensor2D,
  { weight, inOut = false, bias, a, b, scale, mask = null }: LoraWeights,
): tf.Tensor2D {
  const masked = (input: tf.Tensor2D, by: tf.Tensor | undefined): tf.Tensor2D =>
    by === undefined ? input : tf.mul(input, by)
  const forward = (input: tf.Tensor2D, first: tf.Tensor2D, second: tf.Tensor2D): [tf.Tensor2D, tf.Tensor2D] => {
    const frozen = multiply(input, weight, !inOut)
    const low = tf.mul(tf.matMul(masked(input, mask ?? undefined), first, false, true), scale) as tf.Tensor2D
    const value = tf.add(bias === undefined ? frozen : tf.add(frozen, bias), tf.matMul(low, second, false, true))
    return [value as tf.Tensor2D, low]
  }
  if (!recordsGradients()) return tf.tidy(() => forward(x, a, b)[0])
  const op = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as (tensors: tf.Tensor[]) => void
    const [input, first, second] = given as unknown as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D]
    const [value, low] = forward(input, first, second)
    save([input, first, second, low, ...(mask === null ? [] : [mask])])
    return {
      value,
      gradFunc: (upstream, saved) => {
        const dy = upstream as tf.Tensor2D
        const [input, first, second, low, kept] = saved as [
          tf.Tensor2D,
          tf.Tensor2D,
          tf.Tensor2D,
          tf.Tensor2D,
          tf.Tensor2D?,
        ]
        return tf.tidy(() => {
          const dLow = tf.mul(tf.matMul(dy, second), scale) as tf.Tensor2D
          return [
            tf.add(multiply(dy, weight, inOut), masked(tf.matMul(dLow, first), kept)),
            tf.matMul(dLow, masked(input, kept), true),
            tf.matMul(dy, low, true),
          ]
        })
      },
    }
  })
  return op(x, a, b) as tf.Tensor2D
}

/** W + scale · B A, for use without the adapter. W [out, in] → [out, in] */
export function mergeLora({
  weight,
  a,
  b,
  scale,
}: Pick<LoraWeights, 'a' | 'b' | 'scale'> & { readonly weight: tf.Tensor2D }): tf.Tensor2D {
  return tf.add(weight, tf.mul(tf.matMul(b, a), scale)) as tf.Tensor2D
}
