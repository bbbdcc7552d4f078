// Kernels cut into chunks that any thread can do: what stands between a job in memory and a kernel's arguments.
import type { FunctionScope, ModuleBuilder } from './assemble-module.ts'
import { call, type Code, f32, get, i32, type Local, set, threadIndex } from './assembler.ts'
import { JOB } from './wasm-pool.ts'

export type Argument = 'i32' | 'f32'

/** What a thread can be told to do: a place in the module's table, and the types of its arguments. */
export interface Task {
  readonly index: number
  readonly params: readonly Argument[]
}

/** Adds a task that finds its arguments, in this order, in the job. */
export function defineTask(
  module: ModuleBuilder,
  params: readonly Argument[],
  write: (scope: FunctionScope, chunk: Local, ...args: Local[]) => Code,
): Task {
  const index = module.task((scope, job, chunk) => {
    const args = params.map((type) => scope.local(type))
    const load = (type: Argument, index: number): Code =>
      (type === 'f32' ? f32 : i32).load(get(job), JOB.arguments + index * 4)
    return [args.map((local, index) => set(local, load(params[index]!, index))), write(scope, chunk, ...args)]
  })
  return { index, params }
}

export interface RowKernel {
  /** Index of the function in the module. */
  readonly kernel: number
  readonly params: readonly Argument[]
  /** Which parameter is the number of rows. */
  readonly rows: number
  /** Parameters that are addresses and move on with the rows. */
  readonly moving: readonly number[]
  /** Addresses that move on by so many bytes a chunk: one result for each. */
  readonly perChunk?: readonly number[]
}

/** A kernel over rows as a task: its own arguments, then the rows of a chunk, then the bytes of a step for each moving address. */
export function defineRowTask(
  module: ModuleBuilder,
  { kernel, params, rows, moving, perChunk: byChunk = [] }: RowKernel,
): Task {
  const all: Argument[] = [...params, 'i32', ...moving.map(() => 'i32' as const), ...byChunk.map(() => 'i32' as const)]
  return defineTask(module, all, (scope, chunk, ...args) => {
    const first = scope.local('i32')
    const perChunk = args[params.length]!
    const argument = (local: Local, index: number): Code => {
      if (index === rows) return i32.min(get(perChunk), i32.sub(get(local), get(first)))
      const place = [...moving, ...byChunk].indexOf(index)
      if (place < 0) return get(local)
      return i32.add(
        get(local),
        i32.mul(get(place < moving.length ? first : chunk), get(args[params.length + 1 + place]!)),
      )
    }
    return [set(first, i32.mul(get(chunk), get(perChunk))), call(kernel, ...args.slice(0, params.length).map(argument))]
  })
}

/** Address of this thread's own scratch space. */
export function ownScratch(base: Local, strideBytes: Local): Code {
  return i32.add(get(base), i32.mul(threadIndex(), get(strideBytes)))
}
