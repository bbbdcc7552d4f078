// What came before: a tree of operations, in which every stretch is a way from the root.
import type { Attribute } from '../tensorflow-ops.ts'
import type { Operation, Source } from './function-def.ts'
import { sameNumbers, type Handle } from './handles.ts'
import type { Rule } from './results-of.ts'

/** Results of an operation have places beside each other. */
export const OUTPUTS = 1024

export interface Remembered {
  readonly name: string
  readonly attributes: readonly Attribute[]
  readonly rule: Rule
  readonly inputs: readonly RememberedInput[]
  readonly outputTypes: readonly number[]
}

interface RememberedInput {
  readonly place: number
  readonly dtype: number
  /** Of a constant, with its shape. */
  readonly constant: { readonly values: Int32Array; readonly shape: readonly number[] } | null
}

export interface Node {
  readonly parent: Node | null
  readonly operation: Remembered | null
  readonly next: Node[]
  /** How often a stretch that was known whole ended here. */
  ended: number
  /** Names of what was made of the stretch, by the results that are wanted. */
  readonly functions: Map<string, string>
}

export const newNode = (parent: Node | null, operation: Remembered | null): Node => ({
  parent,
  operation,
  next: [],
  ended: 0,
  functions: new Map(),
})

/** A stretch so far: its number, and what it has taken from outside, in that order. */
export interface Stretch {
  readonly number: number
  readonly outside: readonly Handle[]
}

/** Whether an operation that is called now, in a stretch that came here, is this one. */
export function isThis(
  known: Remembered,
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly Handle[],
  stretch: Stretch,
): boolean {
  if (known.name !== name || known.inputs.length !== inputs.length) return false
  if (!sameAttributes(known.attributes, attributes)) return false
  const fresh: Handle[] = [] // arguments that this operation would be the first to take
  return known.inputs.every(({ place, dtype, constant }, index) => {
    const handle = inputs[index]!
    if (handle.dtype !== dtype) return false
    if (constant !== null)
      return (
        handle.values !== null &&
        sameNumbers(constant.values, handle.values) &&
        sameNumbers(constant.shape, handle.shape)
      )
    if (handle.stretch === stretch.number) return handle.place === place
    if (!fresh.includes(handle)) fresh.push(handle)
    return place === -(stretch.outside.length + fresh.indexOf(handle) + 1)
  })
}

/** The operations from the root to here, as a function has them. @param outside its arguments */
export function planTo(end: Node, outside: readonly Handle[]): Operation[] {
  const path: Remembered[] = []
  for (let node: Node | null = end; node?.operation != null; node = node.parent) path.push(node.operation)
  path.reverse()
  const typeAt = (place: number): number =>
    place < 0 ? outside[-place - 1]!.dtype : path[Math.floor(place / OUTPUTS)]!.outputTypes[place % OUTPUTS]!
  return path.map(({ inputs, ...one }): Operation => ({
    ...one,
    inputs: inputs.map(({ place, dtype, constant }): Source => {
      if (constant !== null) return { kind: 'constant', dtype, ...constant }
      return place < 0 ? { kind: 'argument', index: -place - 1 } : { kind: 'result', ...resultAt(place) }
    }),
    inputTypes: inputs.map(({ place, dtype, constant }) => (constant === null ? typeAt(place) : dtype)),
  }))
}

/** Which operation of its stretch, and which of its results. */
export function resultAt(place: number): { readonly operation: number; readonly output: number } {
  return { operation: Math.floor(place / OUTPUTS), output: place % OUTPUTS }
}

function sameAttributes(one: readonly Attribute[], other: readonly Attribute[]): boolean {
  return (
    one === other ||
    (one.length === other.length &&
      one.every((attribute, index) => {
        const { name, type, value } = other[index]!
        return attribute.name === name && attribute.type === type && sameValue(attribute.value, value)
      }))
  )
}

function sameValue(one: unknown, other: unknown): boolean {
  if (Array.isArray(one)) return Array.isArray(other) && sameNumbers(one as number[], other as number[])
  return Object.is(one, other)
}
