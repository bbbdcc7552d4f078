// A small WebAssembly assembler: enough of the binary format (core 2.0 with SIMD, threads, and relaxed multiply-add) to
// write numeric kernels as TypeScript expressions. Code is nested arrays of bytes, flattened at the end: assemble-module.ts.

export type Code = number | Uint8Array | readonly Code[]
export type ValueType = 'i32' | 'f32' | 'f64' | 'v128'

export const VALUE_TYPES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b }

export interface Local {
  readonly type: ValueType
  readonly index: number
}

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  let left = value >>> 0
  do {
    const low = left & 0x7f
    left >>>= 7
    bytes.push(left > 0 ? low | 0x80 : low)
  } while (left > 0)
  return bytes
}

/** Signed LEB128 of an int32. */
function signed(value: number): number[] {
  const bytes: number[] = []
  let left = value | 0
  for (;;) {
    const low = left & 0x7f
    left >>= 7
    const done = (left === 0 && (low & 0x40) === 0) || (left === -1 && (low & 0x40) !== 0)
    bytes.push(done ? low : low | 0x80)
    if (done) return bytes
  }
}

const float = (value: number): number[] => [...new Uint8Array(new Float32Array([value]).buffer)]
const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)]
const binary =
  (opcode: Code) =>
  (a: Code, b: Code): Code => [a, b, opcode]
const unary =
  (opcode: Code) =>
  (a: Code): Code => [a, opcode]
const load =
  (opcode: Code, align: number) =>
  (address: Code, offset = 0): Code => [address, opcode, align, unsigned(offset)]
const store =
  (opcode: Code, align: number) =>
  (address: Code, value: Code, offset = 0): Code => [address, value, opcode, align, unsigned(offset)]

export const get = (local: Local): Code => [0x20, unsigned(local.index)]
export const set = (local: Local, value: Code): Code => [value, 0x21, unsigned(local.index)]

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  /** Towards 0. */
  div: binary(0x6d),
  remainder: binary(0x6f),
  and: binary(0x71),
  or: binary(0x72),
  shl: binary(0x74),
  isZero: unary(0x45),
  eq: binary(0x46),
  ltS: binary(0x48),
  ltU: binary(0x49),
  gtS: binary(0x4a),
  leS: binary(0x4c),
  geS: binary(0x4e),
  min: (a: Code, b: Code): Code => [a, b, a, b, 0x48, 0x1b], // select
  max: (a: Code, b: Code): Code => [a, b, a, b, 0x4a, 0x1b],
  load: load(0x28, 2),
  /** Two bytes, unsigned. */
  load16: load(0x2f, 1),
  store: store(0x36, 2),
}

/** On shared memory, in one order that all threads see. */
export const atomic = {
  load: load([0xfe, 0x10], 2),
  store: store([0xfe, 0x17], 2),
  /** → the value before */
  add: store([0xfe, 0x1e], 2),
  /** Wakes every thread that waits at the address. → how many */
  wakeAll: (address: Code): Code => [address, i32.const(-1), 0xfe, 0x00, 2, 0],
  /** Sleeps while the address holds `expected`, at most so many nanoseconds (below 0: for ever). → 0 woken, 1 another value, 2 time over */
  wait: (address: Code, expected: Code, nanoseconds: number): Code => [
    address,
    expected,
    0x42,
    signed(nanoseconds),
    0xfe,
    0x01,
    2,
    0,
  ],
}

export const f64 = {
  const: (value: number): Code => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)],
  add: binary(0xa0),
  mul: binary(0xa2),
  fromF32: unary(0xbb),
  load: load(0x2b, 2),
  store: store(0x39, 2),
}

export const f32 = {
  const: (value: number): Code => [0x43, float(value)],
  add: binary(0x92),
  sub: binary(0x93),
  mul: binary(0x94),
  div: binary(0x95),
  max: binary(0x97),
  min: binary(0x96),
  sqrt: unary(0x91),
  fromI32: unary(0xb2),
  load: load(0x2a, 2),
  store: store(0x38, 2),
}

/** Bytes 0–15 are a's, 16–31 are b's. */
const shuffle =
  (bytes: readonly number[]) =>
  (a: Code, b: Code): Code => [a, b, simd(0x0d), ...bytes]
const words = (...order: readonly number[]): number[] =>
  order.flatMap((word) => [0, 1, 2, 3].map((byte) => word * 4 + byte))

const lanes = (values: readonly number[]): Code => [simd(0x0c), ...values.map(float)]

export const v128 = {
  load: load(simd(0x00), 2),
  store: store(simd(0x0b), 2),
  /** One float into all four lanes. */
  loadSplat: load(simd(0x09), 2),
  /** Lane 0 alone. */
  storeFirst: (address: Code, value: Code, offset = 0): Code => [address, value, simd(0x5a), 2, unsigned(offset), 0],
  and: binary(simd(0x4e)),
  /** Bits of `a` where the mask has ones, of `b` where it has zeros. */
  select: (a: Code, b: Code, mask: Code): Code => [a, b, mask, simd(0x52)],
  /** Lanes 1 to 3 set to 0. */
  first: (value: Code): Code => [value, simd(0x0c), 0xff, 0xff, 0xff, 0xff, ...Array<number>(12).fill(0), simd(0x4e)],
}

export const f32x4 = {
  const: (value: number): Code => lanes([value, value, value, value]),
  splat: unary(simd(0x13)),
  lane: (value: Code, index: number): Code => [value, simd(0x1f), index],
  add: binary(simd(0xe4)),
  sub: binary(simd(0xe5)),
  mul: binary(simd(0xe6)),
  div: binary(simd(0xe7)),
  min: binary(simd(0xe8)),
  max: binary(simd(0xe9)),
  abs: unary(simd(0xe0)),
  neg: unary(simd(0xe1)),
  sqrt: unary(simd(0xe3)),
  lt: binary(simd(0x43)),
  fromIntegers: unary(simd(0xfa)),
  nearest: unary(simd(0x6a)),
  /** a0 b0 a1 b1 and a2 b2 a3 b3. */
  zipLow: shuffle(words(0, 4, 1, 5)),
  zipHigh: shuffle(words(2, 6, 3, 7)),
  /** a0 a1 b0 b1 and a2 a3 b2 b3. */
  joinLow: shuffle(words(0, 1, 4, 5)),
  joinHigh: shuffle(words(2, 3, 6, 7)),
  sum: (local: Local): Code => horizontal(local, f32.add),
  largest: (local: Local): Code => horizontal(local, f32.max),
}

export const i32x4 = {
  const: (value: number): Code => [
    simd(0x0c),
    ...Array.from({ length: 4 }, () => [...new Uint8Array(new Int32Array([value]).buffer)]),
  ],
  add: binary(simd(0xae)),
  shl: (value: Code, bits: number): Code => [value, i32.const(bits), simd(0xab)],
  fromFloat: unary(simd(0xf8)), // saturating
  /** The first, or last, four of eight signed 16-bit numbers. */
  extendLowSigned: unary(simd(0xa7)),
  extendHighSigned: unary(simd(0xa8)),
  /** The first, or last, four of eight unsigned 16-bit numbers. */
  extendLow: unary(simd(0xa9)),
  extendHigh: unary(simd(0xaa)),
}

/** Sixteen bytes, and the eight 16-bit numbers that half of them are. */
export const i8x16 = {
  splat: unary(simd(0x0f)),
  shiftRight: (value: Code, bits: number): Code => [value, i32.const(bits), simd(0x6d)],
  extendLowSigned: unary(simd(0x87)),
  extendHighSigned: unary(simd(0x88)),
}

export const f64x2 = {
  const: (value: number): Code => [
    simd(0x0c),
    ...Array.from({ length: 2 }, () => [...new Uint8Array(new Float64Array([value]).buffer)]),
  ],
  add: binary(simd(0xf0)),
  mul: binary(simd(0xf2)),
  lane: (value: Code, index: number): Code => [value, simd(0x21), index],
  /** The first two of four floats. */
  promoteLow: unary(simd(0x5f)),
  /** The last two. */
  promoteHigh: (value: Local): Code => [shuffle(words(2, 3, 2, 3))(get(value), get(value)), simd(0x5f)],
}

function horizontal(local: Local, join: (a: Code, b: Code) => Code): Code {
  const lane = (index: number): Code => f32x4.lane(get(local), index)
  return join(join(lane(0), lane(2)), join(lane(1), lane(3)))
}

/** a · b + c, in one instruction and one rounding where the processor has it. */
export function multiplyAdd(relaxed: boolean): (a: Code, b: Code, c: Code) => Code {
  return relaxed ? (a, b, c) => [a, b, c, simd(0x105)] : (a, b, c) => [c, a, b, simd(0xe6), simd(0xe4)]
}

const EMPTY_BLOCK = 0x40

export function when(condition: Code, then: Code, otherwise?: Code): Code {
  return [condition, 0x04, EMPTY_BLOCK, then, otherwise === undefined ? [] : [0x05, otherwise], 0x0b]
}

/** while (counter < end) { body; counter += step } with signed numbers; `counter` starts as it is. */
export function loopTo(counter: Local, end: Code, step: Code, body: Code): Code {
  const below = i32.ltS(get(counter), end)
  return when(below, [0x03, EMPTY_BLOCK, body, set(counter, i32.add(get(counter), step)), below, 0x0d, 0, 0x0b])
}

/** A loop without end; `leave(depth)` and `again(depth)` count the blocks around them, `when` included. */
export function forever(body: Code): Code {
  return [0x02, EMPTY_BLOCK, 0x03, EMPTY_BLOCK, body, 0x0c, 0, 0x0b, 0x0b]
}

/** Jumps out of the loop from `depth` blocks inside its body. */
export const leave = (depth = 0): Code => [0x0c, unsigned(depth + 1)]

/** Drops a result. */
export const drop = (value: Code): Code => [value, 0x1a]

export const back = (): Code => 0x0f

/** The same over addresses, which are unsigned. */
export function loopPointer(pointer: Local, end: Code, step: number, body: Code): Code {
  const below = i32.ltU(get(pointer), end)
  return when(below, [
    0x03,
    EMPTY_BLOCK,
    body,
    set(pointer, i32.add(get(pointer), i32.const(step))),
    below,
    0x0d,
    0,
    0x0b,
  ])
}

export function call(index: number, ...args: readonly Code[]): Code {
  return [args, 0x10, unsigned(index)]
}

/** The first of a module's types is that of its tasks. */
const TASK_TYPE = 0

/** Calls the entry `index` of the module's table, which holds its tasks. */
export function callTask(index: Code, job: Code, chunk: Code): Code {
  return [job, chunk, index, 0x11, unsigned(TASK_TYPE), 0]
}

/** The number the instance was made with. */
export const threadIndex = (): Code => [0x23, 0]
