// A small WebAssembly assembler: enough of the binary format (core 2.0 with SIMD, and relaxed multiply-add) to write
// numeric kernels as TypeScript expressions. Code is nested arrays of bytes, flattened at the end.

export type Code = number | readonly Code[]
export type ValueType = 'i32' | 'f32' | 'v128'

const VALUE_TYPES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b }

export interface Local {
  readonly type: ValueType
  readonly index: number
}

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
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
const binary = (opcode: Code) => (a: Code, b: Code): Code => [a, b, opcode]
const unary = (opcode: Code) => (a: Code): Code => [a, opcode]
const load = (opcode: Code, align: number) => (address: Code, offset = 0): Code => [address, opcode, align, unsigned(offset)]
const store = (opcode: Code, align: number) => (address: Code, value: Code, offset = 0): Code => [address, value, opcode, align, unsigned(offset)]

export const get = (local: Local): Code => [0x20, unsigned(local.index)]
export const set = (local: Local, value: Code): Code => [value, 0x21, unsigned(local.index)]

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  shl: binary(0x74),
  ltS: binary(0x48),
  gtS: binary(0x4a),
  leS: binary(0x4c),
  geS: binary(0x4e),
  min: (a: Code, b: Code): Code => [a, b, a, b, 0x48, 0x1b], // select
  load: load(0x28, 2),
}

export const f32 = {
  const: (value: number): Code => [0x43, float(value)],
  add: binary(0x92),
  sub: binary(0x93),
  mul: binary(0x94),
  div: binary(0x95),
  max: binary(0x97),
  sqrt: unary(0x91),
  fromI32: unary(0xb2),
  load: load(0x2a, 2),
  store: store(0x38, 2),
}

const lanes = (values: readonly number[]): Code => [simd(0x0c), ...values.map(float)]

export const v128 = {
  load: load(simd(0x00), 2),
  store: store(simd(0x0b), 2),
  /** One float into all four lanes. */
  loadSplat: load(simd(0x09), 2),
  /** Lane 0 alone. */
  storeFirst: (address: Code, value: Code, offset = 0): Code => [address, value, simd(0x5a), 2, unsigned(offset), 0],
  and: binary(simd(0x4e)),
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
  neg: unary(simd(0xe1)),
  nearest: unary(simd(0x6a)),
  sum: (local: Local): Code => horizontal(local, f32.add),
  largest: (local: Local): Code => horizontal(local, f32.max),
}

export const i32x4 = {
  const: (value: number): Code => [simd(0x0c), ...Array.from({ length: 4 }, () => [...new Uint8Array(new Int32Array([value]).buffer)])],
  add: binary(simd(0xae)),
  shl: (value: Code, bits: number): Code => [value, i32.const(bits), simd(0xab)],
  fromFloat: unary(simd(0xf8)), // saturating
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

export function call(index: number, ...args: readonly Code[]): Code {
  return [args, 0x10, unsigned(index)]
}

export interface FunctionScope {
  local(type: ValueType): Local
}

interface Defined {
  readonly name: string
  readonly params: readonly ValueType[]
  readonly result: ValueType | null
  readonly locals: readonly ValueType[]
  readonly body: Code
}

export interface ModuleBuilder {
  /** Adds an exported function; `write` gets its parameters in order and returns its body. → its index */
  define(name: string, params: readonly ValueType[], result: ValueType | null, write: (scope: FunctionScope, ...params: Local[]) => Code): number
  bytes(): Uint8Array<ArrayBuffer>
}

/** A module whose memory is imported as `env.memory`. */
export function createModule(): ModuleBuilder {
  const functions: Defined[] = []
  return {
    define(name, params, result, write) {
      const locals: ValueType[] = []
      const scope: FunctionScope = {
        local(type) {
          locals.push(type)
          return { type, index: params.length + locals.length - 1 }
        },
      }
      const body = write(scope, ...params.map((type, index) => ({ type, index })))
      functions.push({ name, params, result, locals, body })
      return functions.length - 1
    },
    bytes: () => encode(functions),
  }
}

function encode(functions: readonly Defined[]): Uint8Array<ArrayBuffer> {
  const type = ({ params, result }: Defined): Code => [0x60, vector(params.map((name) => VALUE_TYPES[name])), vector(result === null ? [] : [VALUE_TYPES[result]])]
  const body = ({ locals, body: code }: Defined): Code => {
    const bytes = flatten([vector(locals.map((name) => [1, VALUE_TYPES[name]])), code, 0x0b])
    return [unsigned(bytes.length), bytes]
  }
  const memoryImport: Code = [text('env'), text('memory'), 0x02, 0x00, 0x00]
  return Uint8Array.from(flatten([
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, functions.map(type)),
    section(2, [memoryImport]),
    section(3, functions.map((_, index) => unsigned(index))),
    section(7, functions.map(({ name }, index) => [text(name), 0x00, unsigned(index)])),
    section(10, functions.map(body)),
  ]))
}

const vector = (items: readonly Code[]): Code => [unsigned(items.length), items]
const text = (value: string): Code => vector([...new TextEncoder().encode(value)])

function section(id: number, items: readonly Code[]): Code {
  const bytes = flatten(vector(items))
  return [id, unsigned(bytes.length), bytes]
}

function flatten(code: Code): number[] {
  const bytes: number[] = []
  const visit = (part: Code): void => {
    if (typeof part === 'number') bytes.push(part)
    else part.forEach(visit)
  }
  visit(code)
  return bytes
}
