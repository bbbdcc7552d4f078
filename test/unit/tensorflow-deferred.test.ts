import { expect, test } from 'vitest'
import { deferring } from '../../main/workers/engine/tensorflow-functions/deferred.ts'
import { fieldsOf, Message, textOf } from '../../main/workers/engine/tensorflow-functions/protobuf.ts'
import { ruleOf, type Given } from '../../main/workers/engine/tensorflow-functions/results-of.ts'
import { createRandom } from '../support/seeded.ts'
import { standInTensorflow, type StandIn } from '../support/stand-in-tensorflow.ts'

type Binding = ReturnType<typeof deferring>['binding']

interface Lab {
  readonly real: StandIn
  readonly binding: Binding
  readonly counts: ReturnType<typeof deferring>['counts']
  readonly warnings: string[]
}

function open(): Lab {
  const real = standInTensorflow()
  const warnings: string[] = []
  const { binding, counts } = deferring(real, (text) => warnings.push(text))
  return { real, binding, counts, warnings }
}

const floats = (binding: Binding, ...values: number[]): number =>
  binding.createTensor([values.length], binding.TF_FLOAT, Float32Array.from(values))
const ints = (binding: Binding, ...values: number[]): number =>
  binding.createTensor([values.length], binding.TF_INT32, Int32Array.from(values))
const one = (binding: Binding, name: string, ...inputs: number[]): number =>
  binding.executeOp(name, [], inputs, 1)[0]!.id

/** Ten operations on x, read at the end; everything made is let go. */
function stretch(binding: Binding, x: readonly number[]): unknown {
  const made = [floats(binding, ...x)]
  const axes = ints(binding, 0, 1)
  const shape = ints(binding, x.length, 1)
  for (let at = 0; at < 8; at += 1) made.push(one(binding, at % 2 === 0 ? 'Mul' : 'AddV2', made.at(-1)!, made[0]!))
  made.push(one(binding, 'Reshape', made.at(-1)!, shape))
  made.push(one(binding, 'Sum', made.at(-1)!, axes))
  const value = binding.tensorDataSync(made.at(-1)!)
  for (const id of [...made, axes, shape]) binding.deleteTensor(id)
  return value
}

const expected = (x: readonly number[]): unknown => stretch(standInTensorflow(), x)

test('what comes again is one call, whatever its lengths and numbers, and computes the same', () => {
  const { real, binding, counts, warnings } = open()
  const kinds: number[] = []
  for (let round = 0; round < 12; round += 1) {
    const x = Array.from({ length: 2 + (round % 5) }, (_, at) => at / 3 + round)
    const before = real.calls.length
    expect(stretch(binding, x)).toEqual(expected(x))
    kinds.push(real.calls.length - before)
  }
  expect(kinds).toEqual([10, 10, 10, 10, 10, 1, 1, 1, 1, 1, 1, 1])
  expect(counts).toEqual({ asked: 120, launches: 57, functions: 7, made: 1 })
  expect(real.alive).toBe(0)
  expect(warnings).toEqual([])
})

test('a stretch that goes on otherwise is called as it comes, also from its middle on', () => {
  const { real, binding } = open()
  for (let round = 0; round < 8; round += 1) stretch(binding, [1, 2, 3])
  const x = floats(binding, 2, 3)
  const square = one(binding, 'Mul', x, x)
  const sum = one(binding, 'AddV2', square, x)
  expect(real.calls.at(-1)).toMatch(/^pairlab_stretch/) // both wait
  const negative = one(binding, 'Neg', sum)
  expect(real.calls.slice(-3)).toEqual(['Mul', 'AddV2', 'Neg'])
  expect(binding.tensorDataSync(negative)).toEqual([-6, -12])
  expect(binding.tensorDataSync(square)).toEqual([4, 9])
  for (const id of [x, square, sum, negative]) binding.deleteTensor(id)
  expect(real.alive).toBe(0)
})

test('constants belong to the operation: along another axis is another stretch', () => {
  const { real, binding } = open()
  const calls = (axis: number): number => {
    const before = real.calls.length
    const sum = one(binding, 'Sum', floats(binding, 1, 2), ints(binding, axis))
    const called = real.calls.length - before
    binding.tensorDataSync(sum)
    return called
  }
  expect([0, 0, -1, -1, 0].map(calls)).toEqual([1, 0, 1, 0, 0])
})

test('what a result is used for after the read is among what the function gives', () => {
  const { real, binding } = open()
  for (let round = 0; round < 9; round += 1) {
    const x = floats(binding, round, 1)
    const parts = Array.from({ length: 8 }, () => one(binding, 'Mul', x, x))
    const last = one(binding, 'AddV2', parts[0]!, parts[1]!)
    for (const id of parts.slice(3)) binding.deleteTensor(id)
    expect(binding.tensorDataSync(last)).toEqual([2 * round * round, 2])
    const later = one(binding, 'Neg', parts[2]!)
    expect(binding.tensorDataSync(later)).toEqual([-round * round, -1])
    for (const id of [x, last, later, ...parts.slice(0, 3)]) binding.deleteTensor(id)
  }
  expect(real.calls.filter((name) => name.startsWith('pairlab'))).toHaveLength(4)
  expect(real.alive).toBe(0)
})

test('variables are written and read in their order, also where nobody reads them at once', () => {
  const { real, binding } = open()
  const text = (name: string, value: string) => ({ name, type: binding.TF_ATTR_STRING, value })
  const attributes = [
    { name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'shape', type: binding.TF_ATTR_SHAPE, value: [2] },
    text('shared_name', 'v'),
  ]
  const variable = binding.executeOp('VarHandleOp', attributes, [], 1)[0]!.id
  const dtype = [attributes[0]!]
  const read = (): number => binding.executeOp('ReadVariableOp', dtype, [variable], 1)[0]!.id
  const start = floats(binding, 1, 1)
  binding.executeOp('AssignVariableOp', [], [variable, start], 0)
  binding.tensorDataSync(read())
  for (let round = 1; round <= 9; round += 1) {
    const two = floats(binding, 2, 2)
    let value = read()
    for (let at = 0; at < 4; at += 1) {
      const doubled = one(binding, 'Mul', value, two)
      binding.executeOp('AssignVariableOp', dtype, [variable, doubled], 0)
      value = read()
    }
    const after = one(binding, 'AddV2', value, two)
    const ended = floats(binding, 0, 7)
    binding.executeOp('AssignVariableOp', dtype, [variable, ended], 0) // nothing of it is read in this stretch
    const wanted = round === 1 ? 16 : 0
    expect(binding.tensorDataSync(after)).toEqual([wanted + 2, (round === 1 ? 16 : 7 * 16) + 2])
  }
  expect(real.calls.filter((name) => name.startsWith('pairlab')).length).toBeGreaterThan(3)
})

test('a function that ends in its middle is done again, but never where it changed a variable', () => {
  const { real, binding, warnings } = open()
  const changing = (lab: Lab): unknown => {
    const dtype = [{ name: 'dtype', type: lab.binding.TF_ATTR_TYPE, value: lab.binding.TF_FLOAT }]
    const [variable] = lab.binding.executeOp(
      'VarHandleOp',
      [{ name: 'shared_name', type: lab.binding.TF_ATTR_STRING, value: 'v' }],
      [],
      1,
    )
    if (lab.counts.asked === 1)
      lab.binding.executeOp('AssignVariableOp', dtype, [variable!.id, floats(lab.binding, 0)], 0)
    let last = lab.binding.executeOp('ReadVariableOp', dtype, [variable!.id], 1)[0]!.id
    for (let at = 0; at < 9; at += 1) last = one(lab.binding, 'AddV2', last, floats(lab.binding, 1))
    lab.binding.executeOp('AssignVariableOp', dtype, [variable!.id, last], 0)
    return lab.binding.tensorDataSync(last)
  }
  for (let round = 0; round < 5; round += 1) expect(stretch(binding, [1, round])).toEqual(expected([1, round]))
  real.breaks = true
  expect(stretch(binding, [1, 9])).toEqual(expected([1, 9]))
  expect(warnings).toHaveLength(1)
  const other = open()
  for (let round = 1; round <= 6; round += 1) expect(changing(other)).toEqual([9 * round])
  other.real.breaks = true
  expect(() => changing(other)).toThrow('no memory left')
  // What it did before it ended was done once; one by one from here on.
  expect(changing(other)).toEqual([9 * 8])
})

test('a function that is refused is said, and every operation is called by itself', () => {
  const { real, binding, warnings } = open()
  real.refuse = true
  for (let round = 0; round < 8; round += 1) expect(stretch(binding, [1, round])).toEqual(expected([1, round]))
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('no function today')
  expect(real.alive).toBe(0)
})

test('an operation whose result looks otherwise than foreseen no longer waits', () => {
  const { real, binding, warnings } = open()
  for (let round = 0; round < 8; round += 1) {
    const x = floats(binding, 1, 2)
    const [rounded] = binding.executeOp('Round', [], [x], 1)
    expect(rounded!.shape).toEqual([2, 1])
    expect(binding.tensorDataSync(rounded!.id)).toEqual([1, 2])
  }
  expect(warnings).toHaveLength(1)
  expect(real.calls.every((name) => name === 'Round')).toBe(true)
})

test('any program computes what it computes without waiting, and leaves nothing behind', () => {
  const { real, binding, counts } = open()
  const random = createRandom(5)
  const programs = Array.from({ length: 6 }, () =>
    Array.from({ length: 4 + Math.floor(random() * 20) }, () => [random(), random(), random(), random()] as const),
  )
  const run = (on: Binding, program: (typeof programs)[number], seed: number): unknown[] => {
    const size = 1 + (seed % 4)
    const alive = [floats(on, ...Array.from({ length: size }, (_, at) => (seed + at) / 7)), floats(on, 0.5)]
    const read: unknown[] = []
    for (const [what, first, second, then] of program) {
      const pick = (share: number): number => alive[Math.floor(share * alive.length)]!
      const name = what < 0.4 ? 'AddV2' : what < 0.8 ? 'Mul' : 'Neg'
      alive.push(one(on, name, ...(name === 'Neg' ? [pick(first)] : [pick(first), pick(second)])))
      if (then < 0.1) read.push(on.tensorDataSync(pick(first)))
      if (then > 0.8 && alive.length > 3) on.deleteTensor(alive.splice(Math.floor(second * alive.length), 1)[0]!)
    }
    for (const id of alive) read.push(on.tensorDataSync(id))
    for (const id of alive) on.deleteTensor(id)
    return read
  }
  for (let round = 0; round < 120; round += 1) {
    const program = programs[Math.floor(random() * programs.length)]!
    expect(run(binding, program, round)).toEqual(run(standInTensorflow(), program, round))
    expect(real.alive).toBe(0)
  }
  expect(counts.functions).toBeGreaterThan(60)
})

test('messages are written as protocol buffers have them', () => {
  const bytes = new Message().integer(1, 300).integer(2, -1).block(3, 'é').float(4, 1.5).bytes()
  expect(Buffer.from(bytes).toString('hex')).toBe('08ac0210ffffffffffffffffff011a02c3a9250000c03f')
  const fields = fieldsOf(bytes)
  expect(fields.map(({ field }) => field)).toEqual([1, 2, 3, 4])
  expect(fields[0]!.value).toBe(300)
  expect(textOf(fields[2]!.block)).toBe('é')
  expect(() => fieldsOf(bytes.subarray(0, 2))).toThrow(RangeError)
  expect(() => fieldsOf(bytes.subarray(0, 16))).toThrow(RangeError)
})

const given = (shape: number[], values?: number[], dtype = 1): Given => ({
  shape,
  dtype,
  values: values === undefined ? null : Int32Array.from(values),
  holds: null,
})
const attribute = (name: string, value: unknown) => ({ name, type: 0, value })

test.each([
  ['AddV2', [given([4, 1, 3]), given([5, 1])], [], [4, 5, 3]],
  ['MatMul', [given([3, 4]), given([5, 4])], [attribute('transpose_b', true)], [3, 5]],
  ['BatchMatMulV2', [given([2, 1, 4, 3]), given([6, 4, 5])], [attribute('adj_x', true)], [2, 6, 3, 5]],
  ['Mean', [given([2, 3, 4]), given([2], [-1, 0])], [attribute('keep_dims', true)], [1, 3, 1]],
  ['Sum', [given([2, 3, 4]), given([1], [1])], [], [2, 4]],
  ['Reshape', [given([2, 6]), given([2], [3, -1])], [], [3, 4]],
  ['Reshape', [given([0, 6]), given([2], [-1, 6])], [], [0, 6]],
  ['Transpose', [given([2, 3, 4]), given([3], [2, 0, 1])], [], [4, 2, 3]],
  ['Slice', [given([5, 6]), given([2], [1, 2]), given([2], [-1, 3])], [], [4, 3]],
  ['PadV2', [given([2, 3]), given([2, 2], [1, 0, 2, 3]), given([])], [], [3, 8]],
  ['ConcatV2', [given([2, 3]), given([2, 5]), given([], [-1])], [], [2, 8]],
  ['Pack', [given([2, 3]), given([2, 3])], [attribute('axis', 1)], [2, 2, 3]],
  ['GatherV2', [given([7, 3]), given([4]), given([], [0])], [], [4, 3]],
  ['GatherNd', [given([7, 3]), given([4, 1])], [], [4, 3]],
  ['ScatterNd', [given([4, 1]), given([4, 3]), given([2], [9, 3])], [], [9, 3]],
  ['UnsortedSegmentSum', [given([4, 3]), given([4]), given([], [6])], [], [6, 3]],
  ['OneHot', [given([4]), given([], [9]), given([]), given([])], [], [4, 9]],
  ['Tile', [given([2, 3]), given([2], [2, 1])], [], [4, 3]],
  ['ExpandDims', [given([2, 3]), given([], [-1])], [], [2, 3, 1]],
  ['L2Loss', [given([2, 3])], [], []],
] as const)('the result of %s has its shape', (name, inputs, attributes, shape) => {
  expect(ruleOf(name)!.results(inputs, attributes)[0]!.shape).toEqual(shape)
})
