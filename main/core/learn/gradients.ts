// Reverse-mode differentiation over the library's tape, with memory given back on the way. The library keeps what every
// operation saved, and every gradient in between, until the whole backward pass is over: for a transformer nearly twice
// what is needed at its start. Here both go as soon as the operation that they belong to has been passed.
import { invariant } from '../../../shared/assert.ts'
import { tf } from './tf.ts'

/** An operation, as the library's engine notes it down while a tape is on. */
interface TapeNode {
  readonly kernelName: string
  readonly inputs: Readonly<Record<string, tf.Tensor | null | undefined>>
  readonly outputs: readonly tf.Tensor[]
  /** Clones of what the gradient reads. */
  readonly saved?: readonly tf.Tensor[]
  /** dys → for each input a function that gives its gradient. */
  readonly gradient?: (dys: readonly (tf.Tensor | null)[]) => Readonly<Record<string, () => tf.Tensor>>
}

interface Tapes {
  startTape(): void
  endTape(): void
  readonly state: { activeTape: TapeNode[] | null; gradientDepth: number }
}

/**
 * y = f() and its gradients by the tensors xs; null for one that y does not depend on. They belong to the caller's scope.
 * @param dy gradient by y; null: y is a scalar, and it is 1
 */
export function gradients(
  f: () => tf.Tensor,
  xs: readonly tf.Tensor[],
  dy: tf.Tensor | null,
): { readonly value: tf.Tensor; readonly grads: readonly (tf.Tensor | null)[] } {
  const { value, tape } = recorded(f)
  try {
    const grads = tf.tidy(() => {
      const found = backward(tape, xs, value, dy)
      return xs.map((x) => found.get(x.id) ?? null) as tf.Tensor[] // tidy passes over nulls, and its types do not say so
    }) as readonly (tf.Tensor | null)[]
    return { value, grads }
  } finally {
    disposeSaved(tape) // what did not lead to y; everything where a gradient failed
  }
}

/** The gradients of a scalar by variables, by the variables' names; of those alone that it depends on. They belong to the caller's scope. */
export function variableGradients(
  f: () => tf.Scalar,
  variables: readonly tf.Variable[],
): { readonly value: tf.Scalar; readonly grads: Readonly<Record<string, tf.Tensor>> } {
  const { value, grads } = gradients(f, variables, null)
  const found = variables.flatMap(({ name }, at) => {
    const gradient = grads[at]
    return gradient == null ? [] : [[name, gradient] as const]
  })
  if (found.length === 0) throw new RangeError('the loss does not depend on any of the variables')
  return { value: value as tf.Scalar, grads: Object.fromEntries(found) }
}

/** Runs f with a tape of its own; one that is on already, of a pass around this one, is put aside. */
function recorded(f: () => tf.Tensor): { readonly value: tf.Tensor; readonly tape: readonly TapeNode[] } {
  const tapes = tf.engine() as unknown as Tapes // the library's own, which its types keep private
  invariant(tapes.state.gradientDepth === 0, 'gradients of gradients are not computed here')
  const outer = tapes.state.activeTape
  try {
    tapes.startTape()
    try {
      const value = tf.tidy(() => f())
      return { value, tape: tapes.state.activeTape ?? [] }
    } catch (error) {
      disposeSaved(tapes.state.activeTape ?? []) // no scope has them
      throw error
    } finally {
      tapes.endTape()
    }
  } finally {
    tapes.state.activeTape = outer
  }
}

function disposeSaved(nodes: readonly TapeNode[]): void {
  for (const { saved = [] } of nodes) tf.dispose([...saved])
}

function backward(
  tape: readonly TapeNode[],
  xs: readonly tf.Tensor[],
  y: tf.Tensor,
  dy: tf.Tensor | null,
): ReadonlyMap<number, tf.Tensor> {
  const wanted = new Set(xs.map((x) => x.id))
  const from = new Set(wanted)
  const dependent = tape.filter((node) => {
    const depends = Object.values(node.inputs).some((input) => input != null && from.has(input.id))
    if (depends) for (const output of node.outputs) from.add(output.id)
    return depends
  })
  const found = new Map<number, tf.Tensor>([[y.id, dy === null ? tf.onesLike(y) : tf.clone(dy)]])
  for (const node of dependent.toReversed()) {
    const dys = node.outputs.map((output) => found.get(output.id) ?? null)
    if (dys.some((one) => one !== null)) {
      for (const [x, dx] of throughNode(node, dys, from)) {
        const sum = found.get(x.id)
        found.set(x.id, sum === undefined ? dx : tf.add(sum, dx))
        if (sum !== undefined) tf.dispose([sum, dx])
      }
    }
    for (const output of node.outputs) {
      if (wanted.has(output.id)) continue
      found.get(output.id)?.dispose()
      found.delete(output.id)
    }
    disposeSaved([node])
  }
  return found
}

/** The gradients by those inputs of the node that depend on an x. */
function throughNode(
  { kernelName, inputs, saved = [], gradient }: TapeNode,
  dys: readonly (tf.Tensor | null)[],
  from: ReadonlySet<number>,
): (readonly [tf.Tensor, tf.Tensor])[] {
  invariant(gradient !== undefined, `${kernelName} has a gradient`)
  const asked = Object.entries(inputs).flatMap(([name, input]) =>
    input != null && from.has(input.id) ? [{ name, input }] : [],
  )
  const results = tf.tidy(() => {
    const functions = gradient(dys)
    const taken = new Set([...dys, ...saved].flatMap((one) => one?.id ?? []))
    return asked.map(({ name }) => {
      const dx = functions[name]!() // the library's gradients answer for every input
      const own = taken.has(dx.id) ? tf.clone(dx) : dx // what it was given is about to go
      taken.add(own.id)
      return own
    })
  })
  return asked.map(({ input }, at) => [input, results[at]!]) // one each
}
