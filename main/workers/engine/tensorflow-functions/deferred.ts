// One launch for a stretch of operations. TensorFlow.js calls TensorFlow operation by operation, and on small tensors the way there and
// back is most of the time. This stands in front of the addon: an operation that comes where it came before is not called but
// noted, since what its results look like follows from its inputs (results-of.ts); when somebody reads a number, all that was noted
// is called at once, as one TensorFlow function. What comes for the first time is called as ever, and remembered. Nothing is
// predicted but shapes: values, also those that come from JavaScript, are the arguments of each call, and so are shapes, so that
// one function serves batches of every length.
import type { Attribute, Binding, OutputInfo } from '../tensorflow-ops.ts'
import { functionMaker, type FunctionDoor } from './function-maker.ts'
import { newHandle, sameLooks, sayLooks, variableOf, type Handle } from './handles.ts'
import { isThis, newNode, OUTPUTS, type Node, type Remembered } from './remembered.ts'
import { ruleOf, type Looks, type Rule } from './results-of.ts'

/** The addon, with the doors to functions that ours has. */
export interface FunctionBinding extends Binding, FunctionDoor {
  removeFunction(name: string): void
  tensorDataSync(id: number): unknown
}

export interface DeferredCounts {
  /** Operations that were called for. */
  asked: number
  /** Calls of TensorFlow: operations by themselves, and functions. */
  launches: number
  functions: number
  /** Functions that were made. */
  made: number
}

/** Before a stretch is worth a function, which takes a tenth of a second to make: how often it came whole. */
const TIMES_BEFORE = 4
const LEAST_OPERATIONS = 8
/** Of a stretch, so that its results do not fill the memory unread. */
const MOST_OPERATIONS = 20_000
/** Of everything that is remembered; then it is begun anew. */
const MOST_REMEMBERED = 200_000
/** Small whole numbers, such as shapes and axes, are kept: shapes follow from them. */
const MOST_KEPT = 64

interface Waiting {
  readonly name: string
  readonly attributes: readonly Attribute[]
  readonly inputs: readonly Handle[]
  readonly outputs: readonly Handle[]
}

const CHANGING = new Set(['AssignVariableOp', 'ResourceApplyAdam'])

export function deferring(
  real: FunctionBinding,
  warn: (text: string) => void,
): { readonly binding: FunctionBinding; readonly counts: DeferredCounts } {
  const counts: DeferredCounts = { asked: 0, launches: 0, functions: 0, made: 0 }
  const handles = new Map<number, Handle>()
  let nextId = 1
  const functions = functionMaker(real)
  let failed = false
  /** Operations whose results did not look as was foreseen. */
  const distrusted = new Set<string>()

  let root = newNode(null, null)
  let remembered = 0
  let at = root
  let stretch = 1
  let operations = 0
  let outside: Handle[] = []
  let waiting: Waiting[] = []
  let released: Handle[] = []

  const handleOf = (id: number): Handle => {
    const handle = handles.get(id)
    if (handle === undefined) throw new Error(`TensorFlow has no tensor ${id}`)
    return handle
  }

  function keep(handle: Handle): number {
    const id = nextId++
    handles.set(id, handle)
    return id
  }

  function realOf(handle: Handle): number {
    if (handle.real === null) {
      if (handle.values === null) throw new Error('This result was not computed: what came before it failed.')
      handle.real = real.createTensor(handle.shape, handle.dtype, handle.values)
    }
    return handle.real
  }

  function release(handle: Handle): void {
    if (handle.real === null) return
    real.deleteTensor(handle.real)
    handle.real = null
  }

  /** Gives an input its place in this stretch. */
  function placeOf(handle: Handle): number {
    if (handle.stretch === stretch) return handle.place
    handle.stretch = stretch
    outside.push(handle)
    handle.place = -outside.length
    return handle.place
  }

  function callNow({ name, attributes, inputs, outputs }: Waiting): void {
    counts.launches += 1
    const infos = real.executeOp(name, attributes, inputs.map(realOf), outputs.length)
    infos.forEach((info, index) => (outputs[index]!.real = info.id))
  }

  function callWaiting(): void {
    const all = waiting
    waiting = []
    try {
      for (const one of all) callNow(one)
    } finally {
      for (const { outputs } of all) for (const handle of outputs) if (handle.dead) release(handle)
      letGo()
    }
  }

  function letGo(): void {
    const all = released
    released = []
    for (const handle of all) release(handle)
  }

  /** Ends the stretch: what waits is called, at once where that is known to work. */
  function settle(): void {
    try {
      if (waiting.length === 0) return
      at.ended += 1
      if (failed || waiting.length < LEAST_OPERATIONS || at.ended <= TIMES_BEFORE || !callAtOnce()) callWaiting()
    } finally {
      // Also after an error: what it left undone is never done later, behind what was called since.
      waiting = []
      letGo()
      at = root
      stretch += 1
      operations = 0
      outside = []
      if (remembered > MOST_REMEMBERED) forget()
    }
  }

  function forget(): void {
    const all = [root]
    for (let node = all.pop(); node !== undefined; node = all.pop()) {
      for (const name of node.functions.values()) real.removeFunction(name)
      all.push(...node.next)
    }
    root = newNode(null, null)
    at = root
    remembered = 0
  }

  function callAtOnce(): boolean {
    const wanted: Handle[] = []
    const places: number[] = []
    let began = false
    for (const { outputs } of waiting)
      for (const handle of outputs)
        if (!handle.dead) {
          wanted.push(handle)
          places.push(handle.place)
        }
    try {
      const key = places.join(' ')
      let name = at.functions.get(key)
      if (name === undefined) {
        name = functions.make(at, outside, places)
        counts.made += 1
        at.functions.set(key, name)
      }
      began = true
      const infos = real.executeOp(name, [], outside.map(realOf), wanted.length)
      infos.forEach((info, index) => (wanted[index]!.real = info.id))
      counts.launches += 1
      counts.functions += 1
    } catch (error) {
      failed = true
      // What changed a variable may not be done a second time: whoever trains ends, and goes on from a checkpoint.
      if (began && waiting.some(({ name }) => CHANGING.has(name))) throw error
      warn(
        `TensorFlow took no function of ${waiting.length} operations, so each is called by itself from here on: ${error instanceof Error ? error.message : String(error)}`,
      )
      return false
    }
    return true
  }

  function outputHandles(results: readonly Looks[]): Handle[] {
    const first = operations * OUTPUTS
    operations += 1
    return results.map(({ shape, dtype }, index) => ({ ...newHandle(shape, dtype), stretch, place: first + index }))
  }

  function infosOf(outputs: readonly Handle[]): OutputInfo[] {
    return outputs.map((handle) => ({ id: keep(handle), shape: [...handle.shape], dtype: handle.dtype }))
  }

  /** By itself, and nothing of it is remembered. */
  function callAlone(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Handle[],
    outputs: number,
  ): OutputInfo[] {
    settle()
    counts.launches += 1
    const infos = real.executeOp(name, attributes, inputs.map(realOf), outputs)
    const holds = name === 'VarHandleOp' ? variableOf(attributes) : null
    return infos.map(({ id, shape, dtype }) => ({
      id: keep({ ...newHandle(shape, dtype), real: id, holds }),
      shape,
      dtype,
    }))
  }

  function executeOp(
    name: string,
    attributes: readonly Attribute[],
    ids: readonly number[],
    outputs: number,
  ): OutputInfo[] {
    counts.asked += 1
    const inputs = ids.map(handleOf)
    const rule = failed || distrusted.has(name) ? null : ruleOf(name)
    if (rule === null) return callAlone(name, attributes, inputs, outputs)
    const constants = rule.constants(inputs.length)
    if ([...constants, ...rule.known(inputs.length)].some((index) => inputs[index]?.values == null))
      return callAlone(name, attributes, inputs, outputs)
    if (operations >= MOST_OPERATIONS) settle()
    const found = at.next.find(({ operation }) =>
      isThis(operation!, name, attributes, inputs, { number: stretch, outside }),
    )
    // Only what was known from its beginning waits; behind something new, all is called as it comes.
    const whole = waiting.length === operations
    const results = looksOf(rule, inputs, attributes)
    const places = inputs.map((handle, index) => (constants.includes(index) ? 0 : placeOf(handle)))
    if (found !== undefined && whole && results !== null) {
      at = found
      const made = outputHandles(results)
      waiting.push({ name, attributes, inputs, outputs: made })
      return infosOf(made)
    }
    if (waiting.length > 0) callWaiting()
    counts.launches += 1
    const infos = real.executeOp(name, attributes, inputs.map(realOf), outputs)
    if (results === null || !sameLooks(results, infos)) {
      // Called rightly all the same; from here on it is not trusted to wait.
      distrusted.add(name)
      warn(
        `TensorFlow’s ${name} gave ${sayLooks(infos)}, where ${sayLooks(results)} was foreseen; it is called by itself from here on.`,
      )
    }
    at =
      found ??
      remember({
        name,
        attributes,
        rule,
        inputs: inputs.map((handle, index) => ({
          place: places[index]!,
          dtype: handle.dtype,
          constant: constants.includes(index) ? { values: handle.values!, shape: handle.shape } : null,
        })),
        outputTypes: infos.map(({ dtype }) => dtype),
      })
    const made = outputHandles(infos)
    made.forEach((handle, index) => (handle.real = infos[index]!.id))
    return infosOf(made)
  }

  function remember(operation: Remembered): Node {
    const node = newNode(at, operation)
    at.next.push(node)
    remembered += 1
    return node
  }

  const own = {
    createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array): number {
      const small = values instanceof Int32Array && dtype === real.TF_INT32 && values.length <= MOST_KEPT
      return keep({
        ...newHandle([...shape], dtype),
        real: small ? null : real.createTensor(shape, dtype, values),
        values: small ? values.slice() : null,
      })
    },
    deleteTensor(id: number): void {
      const handle = handleOf(id)
      handles.delete(id)
      handle.dead = true
      if (waiting.length === 0) release(handle)
      else released.push(handle) // what waits may want it
    },
    tensorDataSync(id: number): unknown {
      const handle = handleOf(id)
      if (handle.stretch === stretch && handle.place >= 0) settle()
      return real.tensorDataSync(realOf(handle))
    },
    executeOp,
    getNumOfTensors: () => handles.size,
  }
  const binding = Object.create(
    real,
    Object.fromEntries(Object.entries(own).map(([name, value]) => [name, { value, enumerable: true }])),
  ) as FunctionBinding
  return { binding, counts }
}

function looksOf(rule: Rule, inputs: readonly Handle[], attributes: readonly Attribute[]): Looks[] | null {
  try {
    return rule.results(inputs, attributes)
  } catch (error) {
    if (error instanceof RangeError) return null // TensorFlow says what is wrong
    throw error
  }
}
