// Functions written with the assembler, as the bytes of a WebAssembly module.
import { type Code, f32x4, get, i32, type Local, set, unsigned, VALUE_TYPES, type ValueType } from './assembler.ts'

export interface FunctionScope {
  local(type: ValueType): Local
  /** As many of one type. */
  locals<const Count extends number>(type: ValueType, count: Count): LocalsOf<Count>
  /** This number in four lanes, made once where the function begins: a constant inside a loop would be made in every turn. */
  constant(value: number): Code
}

/** A tuple of so many, so that each has a name where they are taken apart. */
type LocalsOf<Count extends number, Made extends Local[] = []> = Made['length'] extends Count
  ? Made
  : LocalsOf<Count, [...Made, Local]>

interface Defined {
  readonly name: string
  readonly params: readonly ValueType[]
  readonly result: ValueType | null
  readonly locals: readonly ValueType[]
  readonly body: Code
  readonly task: boolean
}

export interface ModuleBuilder {
  /** Adds an exported function; `write` gets its parameters in order and returns its body. → its index */
  define(
    name: string,
    params: readonly ValueType[],
    result: ValueType | null,
    write: (scope: FunctionScope, ...params: Local[]) => Code,
  ): number
  /** Adds a function of a job's address and a chunk's number that `callTask` can call. → its place in the table */
  task(write: (scope: FunctionScope, job: Local, chunk: Local) => Code): number
  bytes(): Uint8Array<ArrayBuffer>
}

const TASK_PARAMS: readonly ValueType[] = ['i32', 'i32']

/** A module whose memory is imported as `env.memory`, shared or not, and its thread's number as `env.thread`. */
export function createModule(shared: boolean): ModuleBuilder {
  const functions: Defined[] = []
  let tasks = 0
  const add = (
    name: string,
    params: readonly ValueType[],
    result: ValueType | null,
    task: boolean,
    write: (scope: FunctionScope, ...params: Local[]) => Code,
  ): number => {
    const locals: ValueType[] = []
    const constants = new Map<number, Local>()
    const local = (type: ValueType): Local => {
      locals.push(type)
      return { type, index: params.length + locals.length - 1 }
    }
    const scope: FunctionScope = {
      local,
      locals: <const Count extends number>(type: ValueType, count: Count) =>
        Array.from({ length: count }, () => local(type)) as LocalsOf<Count>, // as many as were counted
      constant(value) {
        const known = constants.get(value) ?? local('v128')
        constants.set(value, known)
        return get(known)
      },
    }
    const main = write(scope, ...params.map((type, index) => ({ type, index })))
    const body = [[...constants].map(([value, known]) => set(known, f32x4.const(value))), main]
    functions.push({ name, params, result, locals, body, task })
    return functions.length - 1
  }
  return {
    define: (name, params, result, write) => add(name, params, result, false, write),
    task(write) {
      add('', TASK_PARAMS, null, true, (scope, job, chunk) => write(scope, job!, chunk!))
      tasks += 1
      return tasks - 1
    },
    bytes: () => encode(functions, shared),
  }
}

const MAX_PAGES = 65_536

function encode(functions: readonly Defined[], shared: boolean): Uint8Array<ArrayBuffer> {
  const type = ({ params, result }: Pick<Defined, 'params' | 'result'>): Code => [
    0x60,
    vector(params.map((name) => VALUE_TYPES[name])),
    vector(result === null ? [] : [VALUE_TYPES[result]]),
  ]
  const body = ({ locals, body: code }: Defined): Code => {
    const bytes = flatten([vector(locals.map((name) => [1, VALUE_TYPES[name]])), code, 0x0b])
    return [unsigned(bytes.length), bytes]
  }
  const tasks = functions.flatMap(({ task }, index) => (task ? [index] : []))
  const memoryImport: Code = [
    text('env'),
    text('memory'),
    0x02,
    shared ? [0x03, 0x00, unsigned(MAX_PAGES)] : [0x00, 0x00],
  ]
  const threadImport: Code = [text('env'), text('thread'), 0x03, VALUE_TYPES.i32, 0x00]
  return flatten([
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, [type({ params: TASK_PARAMS, result: null }), ...functions.map(type)]),
    section(2, [memoryImport, threadImport]),
    section(
      3,
      functions.map((_, index) => unsigned(index + 1)),
    ),
    section(4, [[0x70, 0x00, unsigned(tasks.length)]]),
    section(
      7,
      functions.flatMap(({ name }, index) => (name === '' ? [] : [[text(name), 0x00, unsigned(index)]])),
    ),
    section(9, [[0x00, i32.const(0), 0x0b, vector(tasks.map(unsigned))]]),
    section(10, functions.map(body)),
  ])
}

const vector = (items: readonly Code[]): Code => [unsigned(items.length), items]
const text = (value: string): Code => vector([...new TextEncoder().encode(value)])

function section(id: number, items: readonly Code[]): Code {
  const bytes = flatten(vector(items))
  return [id, unsigned(bytes.length), bytes]
}

function flatten(code: Code): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(code))
  let length = 0
  const visit = (part: Code): void => {
    if (typeof part !== 'number' && !(part instanceof Uint8Array)) return part.forEach(visit)
    if (typeof part === 'number') bytes[length] = part
    else bytes.set(part, length)
    length += lengthOf(part)
  }
  visit(code)
  return bytes
}

function lengthOf(code: Code): number {
  if (typeof code === 'number') return 1
  return code instanceof Uint8Array ? code.length : code.reduce<number>((sum, part) => sum + lengthOf(part), 0)
}
