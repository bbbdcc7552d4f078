import { tf } from './tf.ts'

type Read<T extends readonly tf.Tensor[]> = { -readonly [K in keyof T]: Awaited<ReturnType<T[K]['array']>> }

/**
 * Computes tensors and reads them as nested numbers; they are freed. It waits outside the engine, since from a graphics
 * card nothing is read at once.
 */
export async function readAll<const T extends readonly tf.Tensor[]>(compute: () => T): Promise<Read<T>> {
  const tensors = tf.tidy(() => [...compute()])
  const values = await Promise.all(tensors.map((tensor) => tensor.array()))
  tf.dispose(tensors)
  return values as Read<T> // in the same order
}
