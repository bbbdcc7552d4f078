// A stand-in for the addon: a handful of operations on small tensors, and functions, which it reads from their bytes and runs node by
// node in the order that inputs and control edges ask for. It has what the real one has of strictness: no tensor twice deleted,
// none used after, no attribute left out of a function.
import { fieldsOf, Message, textOf, type Bytes } from '../../main/workers/engine/tensorflow-functions/protobuf.ts'
import type { FunctionBinding } from '../../main/workers/engine/tensorflow-functions/deferred.ts'
import type { Attribute, OutputInfo } from '../../main/workers/engine/tensorflow-ops.ts'

interface Value {
  readonly shape: number[]
  readonly dtype: number
  readonly numbers: number[]
  /** Of a variable. */
  readonly slot?: string
}

const [FLOAT, INT32, RESOURCE] = [1, 3, 20]
const ATTRIBUTES = {
  TF_ATTR_STRING: 0,
  TF_ATTR_INT: 1,
  TF_ATTR_FLOAT: 2,
  TF_ATTR_BOOL: 3,
  TF_ATTR_TYPE: 4,
  TF_ATTR_SHAPE: 5,
}

/** Inputs and outputs of each operation with the attribute of their type, and what attributes are by default. */
const OPERATIONS: Readonly<
  Record<
    string,
    { readonly inputs: readonly string[]; readonly outputs: readonly string[]; readonly types: readonly string[] }
  >
> = {
  AddV2: { inputs: ['x', 'y'], outputs: ['z'], types: ['T', 'T'] },
  Mul: { inputs: ['x', 'y'], outputs: ['z'], types: ['T', 'T'] },
  Neg: { inputs: ['x'], outputs: ['y'], types: ['T'] },
  Reshape: { inputs: ['tensor', 'shape'], outputs: ['output'], types: ['T', 'Tshape'] },
  Sum: { inputs: ['input', 'reduction_indices'], outputs: ['output'], types: ['T', 'Tidx'] },
  Round: { inputs: ['x'], outputs: ['y'], types: ['T'] },
  AssignVariableOp: { inputs: ['resource', 'value'], outputs: [], types: ['', 'dtype'] },
  ReadVariableOp: { inputs: ['resource'], outputs: ['value'], types: [''] },
}

export interface StandIn extends FunctionBinding {
  readonly calls: string[]
  readonly alive: number
  /** Every function is refused as it is added. */
  refuse: boolean
  /** Functions end with this in their middle, after their variables were written. */
  breaks: boolean
}

export function standInTensorflow(): StandIn {
  const tensors = new Map<number, Value>()
  const variables = new Map<string, Value>()
  const functions = new Map<string, Bytes>()
  const calls: string[] = []
  let next = 1
  const put = (value: Value): OutputInfo => {
    tensors.set(next, value)
    return { id: next++, shape: [...value.shape], dtype: value.dtype }
  }
  const get = (id: number): Value => {
    const value = tensors.get(id)
    if (value === undefined) throw new Error(`no tensor ${id}`)
    return value
  }

  function compute(name: string, attributes: ReadonlyMap<string, unknown>, inputs: readonly Value[]): Value[] {
    const [x, y] = inputs
    if (name === 'AddV2') return [each(x!, y!, (a, b) => a + b)]
    if (name === 'Mul') return [each(x!, y!, (a, b) => a * b)]
    if (name === 'Neg') return [{ ...x!, numbers: x!.numbers.map((one) => -one) }]
    // Said to keep its shape, it does not: what looks otherwise than foreseen.
    if (name === 'Round') return [{ ...x!, shape: [...x!.shape, 1] }]
    if (name === 'Reshape') return [{ ...x!, shape: [...y!.numbers] }]
    if (name === 'Sum') {
      const total = x!.numbers.reduce((sum, one) => sum + one, 0)
      const shape = attributes.get('keep_dims') === true ? x!.shape.map(() => 1) : []
      return [{ shape, dtype: x!.dtype, numbers: [total] }]
    }
    if (name === 'VarHandleOp')
      return [{ shape: [], dtype: RESOURCE, numbers: [], slot: String(attributes.get('shared_name')) }]
    if (name === 'AssignVariableOp') {
      variables.set(x!.slot!, y!)
      return []
    }
    if (name === 'ReadVariableOp') return [variables.get(x!.slot!)!]
    throw new Error(`no operation ${name}`)
  }

  function runFunction(definition: Bytes, inputs: readonly Value[]): Value[] {
    const fields = fieldsOf(definition)
    const known = new Map<string, Value>(inputs.map((value, index) => [`a${index}`, value]))
    const done = new Set<string>()
    const map = (wanted: number): Map<string, string> =>
      new Map(
        fields
          .filter(({ field }) => field === wanted)
          .map(({ block }) => fieldsOf(block))
          .map(([key, value]) => [textOf(key!.block), textOf(value!.block)]),
      )
    const nodes = new Map(
      fields
        .filter(({ field }) => field === 3)
        .map(({ block }) => fieldsOf(block))
        .map((node) => [textOf(node.find(({ field }) => field === 1)!.block), node]),
    )
    const run = (name: string): void => {
      if (done.has(name)) return
      done.add(name)
      const node = nodes.get(name)!
      const operation = textOf(node.find(({ field }) => field === 2)!.block)
      const from = node.filter(({ field }) => field === 3).map(({ block }) => textOf(block))
      for (const one of from) if (!known.has(one)) run(one.replace('^', '').split(':')[0]!)
      const attributes = attributesOf(node.filter(({ field }) => field === 5).map(({ block }) => block))
      if (operation === 'Const') {
        known.set(`${name}:output:0`, attributes.get('value') as Value)
        return
      }
      const { types, outputs } = OPERATIONS[operation]!
      for (const type of types) if (type !== '' && !attributes.has(type)) throw new Error(`${operation} lacks ${type}`)
      const results = compute(
        operation,
        attributes,
        from.filter((one) => !one.startsWith('^')).map((one) => known.get(one)!),
      )
      results.forEach((value, index) => known.set(`${name}:${outputs[index]}:0`, value))
    }
    const back = map(4)
    for (const place of [...back.values(), ...map(6).values()]) run(place.split(':')[0]!)
    return [...back.values()].map((place) => known.get(place)!)
  }

  return {
    TF_FLOAT: FLOAT,
    TF_INT32: INT32,
    ...ATTRIBUTES,
    calls,
    refuse: false,
    breaks: false,
    get alive() {
      return tensors.size
    },
    createTensor: (shape, dtype, values) => put({ shape: [...shape], dtype, numbers: [...values] }).id,
    deleteTensor(id) {
      get(id)
      tensors.delete(id)
    },
    tensorDataSync: (id) => get(id).numbers,
    executeOp(name, attributes, ids, outputs) {
      calls.push(name)
      const inputs = ids.map(get)
      const definition = functions.get(name)
      if (definition !== undefined && this.breaks) {
        runFunction(definition, inputs)
        throw new Error('no memory left')
      }
      const results =
        definition === undefined
          ? compute(name, new Map(attributes.map((one: Attribute) => [one.name, one.value])), inputs)
          : runFunction(definition, inputs)
      if (results.length !== outputs) throw new Error(`${name} gives ${results.length}, not ${outputs}`)
      return results.map(put)
    },
    addFunction(definition) {
      if (this.refuse) throw new Error('no function today')
      const signature = fieldsOf(fieldsOf(definition).find(({ field }) => field === 1)!.block)
      functions.set(textOf(signature.find(({ field }) => field === 1)!.block), definition)
    },
    removeFunction: (name) => void functions.delete(name),
    listOperations() {
      const list = new Message()
      for (const [name, { inputs, outputs, types }] of Object.entries(OPERATIONS)) {
        const operation = new Message().block(1, name)
        inputs.forEach((input, index) => operation.block(2, new Message().block(1, input).block(4, types[index]!)))
        for (const output of outputs) operation.block(3, new Message().block(1, output).block(4, 'T'))
        if (name === 'Sum')
          operation.block(4, new Message().block(1, 'keep_dims').block(2, 'bool').block(3, new Message().integer(5, 0)))
        list.block(1, operation)
      }
      return list.bytes()
    },
  }
}

function each(x: Value, y: Value, of: (a: number, b: number) => number): Value {
  const [long, short] = x.numbers.length >= y.numbers.length ? [x, y] : [y, x]
  const at = (value: Value, index: number): number => value.numbers[index % value.numbers.length]!
  return {
    ...long,
    numbers: long.numbers.map((_, index) => Math.fround(of(at(x, index), at(y, index)))),
    shape: long.shape.length >= short.shape.length ? long.shape : short.shape,
  }
}

function attributesOf(entries: readonly Bytes[]): Map<string, unknown> {
  return new Map(
    entries.map((entry) => {
      const [key, value] = fieldsOf(entry)
      const [content] = fieldsOf(value!.block)
      const read =
        content?.field === 8 ? tensorOf(content.block) : content?.field === 5 ? content.value === 1 : content?.value
      return [textOf(key!.block), read]
    }),
  )
}

function tensorOf(block: Bytes): Value {
  const fields = fieldsOf(block)
  const bytes = fields.find(({ field }) => field === 4)!.block
  const shape = fieldsOf(fields.find(({ field }) => field === 2)!.block).map(
    ({ block: size }) => fieldsOf(size)[0]!.value,
  )
  return {
    shape,
    dtype: fields.find(({ field }) => field === 1)!.value,
    numbers: [...new Int32Array(bytes.slice().buffer)],
  }
}
