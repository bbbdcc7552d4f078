// A list of operations as a TensorFlow function (tensorflow/core/framework: function.proto, node_def.proto, attr_value.proto).
import { fieldsOf, Message, textOf, type Bytes } from './protobuf.ts'
import type { Attribute } from '../tensorflow-ops.ts'

/** Of TensorFlow's own list of operations: what a node in a function must say and an eager call need not. */
export interface OperationKind {
  readonly inputs: readonly Argument[]
  readonly outputs: readonly Argument[]
  /** What it is where nobody says otherwise, as it is written. */
  readonly defaults: ReadonlyMap<string, Bytes>
}

interface Argument {
  readonly name: string
  /** Of the attribute that says its type; '' where the type is fixed. */
  readonly typeAttribute: string
  /** Of the attribute that says how many there are; '' where it is one. */
  readonly numberAttribute: string
}

/** @param list of TF_GetAllOpList */
export function readOperations(list: Bytes): Map<string, OperationKind> {
  const kinds = new Map<string, OperationKind>()
  for (const { block } of fieldsOf(list)) {
    const fields = fieldsOf(block)
    const name = fields.find(({ field }) => field === 1)
    if (name === undefined) continue
    kinds.set(textOf(name.block), {
      inputs: fields.filter(({ field }) => field === 2).map(({ block: one }) => readArgument(one)),
      outputs: fields.filter(({ field }) => field === 3).map(({ block: one }) => readArgument(one)),
      defaults: new Map(
        fields
          .filter(({ field }) => field === 4)
          .flatMap(({ block: one }) => {
            const parts = fieldsOf(one)
            const value = parts.find(({ field }) => field === 3)
            const attribute = parts.find(({ field }) => field === 1)
            return value === undefined || attribute === undefined
              ? []
              : [[textOf(attribute.block), value.block] as const]
          }),
      ),
    })
  }
  return kinds
}

function readArgument(block: Bytes): Argument {
  const fields = fieldsOf(block)
  const text = (wanted: number): string =>
    textOf(fields.find(({ field }) => field === wanted)?.block ?? new Uint8Array())
  return { name: text(1), typeAttribute: text(4), numberAttribute: text(5) }
}

/** Where an input of an operation comes from. */
export type Source =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'result'; readonly operation: number; readonly output: number }
  | {
      readonly kind: 'constant'
      readonly dtype: number
      readonly shape: readonly number[]
      readonly values: ArrayBufferView
    }

export interface Operation {
  readonly name: string
  readonly attributes: readonly Attribute[]
  readonly inputs: readonly Source[]
  /** Types of what goes in and comes out. */
  readonly inputTypes: readonly number[]
  readonly outputTypes: readonly number[]
}

export interface FunctionPlan {
  readonly name: string
  /** Types of the arguments. */
  readonly argumentTypes: readonly number[]
  readonly operations: readonly Operation[]
  /** What is given back: outputs of operations. */
  readonly results: readonly { readonly operation: number; readonly output: number }[]
}

export interface AttributeKinds {
  readonly TF_ATTR_STRING: number
  readonly TF_ATTR_INT: number
  readonly TF_ATTR_FLOAT: number
  readonly TF_ATTR_BOOL: number
  readonly TF_ATTR_TYPE: number
  readonly TF_ATTR_SHAPE: number
}

/** Operations on a variable, which count in their order. */
const ON_VARIABLES = new Set(['AssignVariableOp', 'ReadVariableOp', 'ResourceApplyAdam'])
const DT_RESOURCE = 20

/**
 * The bytes of a FunctionDef. Operations on one variable follow each other as they were called.
 * @throws RangeError for an operation that the list does not know
 */
export function writeFunction(
  plan: FunctionPlan,
  known: ReadonlyMap<string, OperationKind>,
  kinds: AttributeKinds,
): Bytes {
  const names = new Map<string, string>() // of outputs, and of constants
  const signature = new Message().block(1, plan.name)
  plan.argumentTypes.forEach((type, index) => signature.block(2, new Message().block(1, `a${index}`).integer(3, type)))
  const body = new Message()
  const lastOn = new Map<string, number>()
  plan.operations.forEach((operation, at) => {
    const kind = known.get(operation.name)
    if (kind === undefined) throw new RangeError(`TensorFlow knows no operation ${operation.name}`)
    const inputs = operation.inputs.map((source) => inputName(source, names, body))
    const node = new Message().block(1, `n${at}`).block(2, operation.name)
    for (const name of inputs) node.block(3, name)
    if (ON_VARIABLES.has(operation.name)) {
      const variables = inputs.filter((_, index) => operation.inputTypes[index] === DT_RESOURCE)
      const before = new Set(variables.flatMap((name) => lastOn.get(name) ?? []))
      for (const earlier of before) node.block(3, `^n${earlier}`)
      for (const name of variables) lastOn.set(name, at)
    }
    for (const [name, value] of attributesOf(operation, kind, kinds)) node.entry(5, name, value)
    body.block(3, node)
    outputNames(operation, kind).forEach((name, output) => names.set(`${at}:${output}`, `n${at}:${name}`))
  })
  const back = new Message()
  plan.results.forEach(({ operation, output }, index) => {
    const type = plan.operations[operation]!.outputTypes[output]!
    signature.block(3, new Message().block(1, `r${index}`).integer(3, type))
    back.entry(4, `r${index}`, names.get(`${operation}:${output}`)!)
  })
  // What only changes a variable is done all the same.
  if (lastOn.size > 0) signature.integer(17, 1)
  for (const at of new Set(lastOn.values())) {
    signature.block(20, `d${at}`)
    back.entry(6, `d${at}`, `n${at}`)
  }
  const whole = new Message().block(1, signature).bytes()
  return concatenate([whole, body.bytes(), back.bytes()])
}

function inputName(source: Source, names: Map<string, string>, body: Message): string {
  if (source.kind === 'argument') return `a${source.index}`
  if (source.kind === 'result') return names.get(`${source.operation}:${source.output}`)!
  const { values, dtype, shape } = source
  const key = `constant ${dtype} ${shape.join(',')} ${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex')}`
  const known = names.get(key)
  if (known !== undefined) return known
  const name = `c${names.size}`
  const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const tensor = new Message().integer(1, dtype).block(2, shapeOf(shape)).block(4, content)
  body.block(
    3,
    new Message()
      .block(1, name)
      .block(2, 'Const')
      .entry(5, 'dtype', new Message().integer(6, dtype))
      .entry(5, 'value', new Message().block(8, tensor)),
  )
  names.set(key, `${name}:output:0`)
  return `${name}:output:0`
}

function shapeOf(shape: readonly number[]): Message {
  const message = new Message()
  for (const size of shape) message.block(2, new Message().integer(1, size))
  return message
}

/** `product:0`, `output:3`: the argument of the operation's description, and the place in it. */
function outputNames(operation: Operation, kind: OperationKind): string[] {
  return kind.outputs.flatMap(({ name, numberAttribute }) => {
    const count =
      numberAttribute === ''
        ? 1
        : (operation.attributes.find((one) => one.name === numberAttribute)?.value ?? operation.outputTypes.length)
    return Array.from({ length: Number(count) }, (_, index) => `${name}:${index}`)
  })
}

/** What was said, what follows from the inputs, and what else is usual. */
function attributesOf(operation: Operation, kind: OperationKind, kinds: AttributeKinds): Map<string, Bytes> {
  const attributes = new Map(kind.defaults)
  let input = 0
  for (const { typeAttribute, numberAttribute } of kind.inputs) {
    const given = operation.attributes.find(({ name }) => name === numberAttribute)?.value
    const count = numberAttribute === '' ? 1 : Number(given ?? operation.inputs.length - kind.inputs.length + 1)
    if (numberAttribute !== '') attributes.set(numberAttribute, new Message().integer(3, count).bytes())
    if (typeAttribute !== '')
      attributes.set(typeAttribute, new Message().integer(6, operation.inputTypes[input]!).bytes())
    input += count
  }
  for (const attribute of operation.attributes) attributes.set(attribute.name, attributeValue(attribute, kinds).bytes())
  return attributes
}

function attributeValue({ type, value }: Attribute, kinds: AttributeKinds): Message {
  if (type !== kinds.TF_ATTR_SHAPE && Array.isArray(value)) {
    const list = new Message()
    for (const one of value as unknown[]) putValue(list, type, one, kinds)
    return new Message().block(1, list)
  }
  return putValue(new Message(), type, value, kinds)
}

function putValue(message: Message, type: number, value: unknown, kinds: AttributeKinds): Message {
  if (type === kinds.TF_ATTR_STRING) return message.block(2, String(value))
  if (type === kinds.TF_ATTR_INT) return message.integer(3, Number(value))
  if (type === kinds.TF_ATTR_FLOAT) return message.float(4, Number(value))
  if (type === kinds.TF_ATTR_BOOL) return message.integer(5, value === true ? 1 : 0)
  if (type === kinds.TF_ATTR_TYPE) return message.integer(6, Number(value))
  if (type === kinds.TF_ATTR_SHAPE) return message.block(7, shapeOf(value as number[]))
  throw new RangeError(`an attribute of kind ${type} has no place in a function`)
}

function concatenate(parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
