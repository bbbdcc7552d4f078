import { tf } from '../tf.ts'
import { expectTensor, type TensorSource } from './parameters.ts'

/** Gives a variable the numbers of a stored tensor. @throws RangeError when it is missing or has another shape */
export function assignFrom(variable: tf.Variable, source: TensorSource, name: string): void {
  const { data } = expectTensor(source, name, variable.shape)
  tf.tidy(() => variable.assign(tf.tensor(data.slice(), variable.shape)))
}
