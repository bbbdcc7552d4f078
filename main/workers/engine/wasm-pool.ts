// Threads for our kernels. A job is a task of the module, its arguments and a number of chunks; threads take chunks
// one by one, and the thread that gave the job works like the others. Nobody waits for a thread that took no chunk, so
// one that sleeps, starts or shares its core with another program costs its help alone.
import type { ModuleBuilder } from './assemble-module.ts'
import {
  atomic,
  back,
  callTask,
  type Code,
  drop,
  forever,
  get,
  i32,
  leave,
  type Local,
  set,
  when,
} from './assembler.ts'

/** Byte offsets in the control block; what different threads write stands on cache lines of its own. */
const CHUNKS_LEFT = 0
const CHUNKS_DONE = 128
const JOBS_GIVEN = 256
const SLEEPERS = 384
const STOP = 512
export const JOB_OFFSET = 640
export const CONTROL_BYTES = 1024

/** Looks before a thread without work goes to sleep: a fifth of a millisecond. Waking one costs half of that, several times a token. */
const SPINS_IDLE = 100_000
/** Looks at the chunks still out before the giver naps between looks: someone else has the core. */
const SPINS_WAITING = 20_000
const NAP_NANOSECONDS = 50_000
/** Naps until the giver calls the job lost: about a minute of them. */
const MOST_NAPS = 1_000_000

/** A job in memory: its task, its number of chunks, then its arguments. */
export const JOB = { task: 0, chunks: 4, arguments: 8 } as const

const at = (control: Local, offset: number): Code => i32.add(get(control), i32.const(offset))
const bumpBy = (control: Local, offset: number, by: number): Code => atomic.add(at(control, offset), i32.const(by))

/** Takes chunks of the job at hand until none is left. */
function workChunks(control: Local, left: Local): Code {
  const job = at(control, JOB_OFFSET)
  return forever([
    set(left, bumpBy(control, CHUNKS_LEFT, -1)),
    when(i32.leS(get(left), i32.const(0)), leave(1)),
    callTask(
      i32.load(get(control), JOB_OFFSET + JOB.task),
      job,
      i32.sub(i32.load(get(control), JOB_OFFSET + JOB.chunks), get(left)),
    ),
    drop(bumpBy(control, CHUNKS_DONE, 1)),
  ])
}

/** `giveJob(control)`: runs the job that was written. → 1 when done, 0 when a chunk never came back. `serve(control)`: a thread's life. */
export function definePool(module: ModuleBuilder): void {
  module.define('giveJob', ['i32'], 'i32', (scope, control) => {
    const [left, spins, chunks, naps] = [scope.local('i32'), scope.local('i32'), scope.local('i32'), scope.local('i32')]
    const done = atomic.load(at(control!, CHUNKS_DONE))
    return [
      set(chunks, i32.load(get(control!), JOB_OFFSET + JOB.chunks)),
      // One chunk is not worth waking anyone.
      when(i32.eq(get(chunks), i32.const(1)), [
        callTask(i32.load(get(control!), JOB_OFFSET + JOB.task), at(control!, JOB_OFFSET), i32.const(0)),
        i32.const(1),
        back(),
      ]),
      atomic.store(at(control!, CHUNKS_DONE), i32.const(0)),
      atomic.store(at(control!, CHUNKS_LEFT), get(chunks)),
      drop(bumpBy(control!, JOBS_GIVEN, 1)),
      when(atomic.load(at(control!, SLEEPERS)), drop(atomic.wakeAll(at(control!, JOBS_GIVEN)))),
      workChunks(control!, left),
      set(spins, i32.const(0)),
      set(naps, i32.const(0)),
      forever([
        when(i32.eq(done, get(chunks)), leave(1)),
        set(spins, i32.add(get(spins), i32.const(1))),
        when(i32.gtS(get(spins), i32.const(SPINS_WAITING)), [
          drop(atomic.wait(at(control!, STOP), i32.const(0), NAP_NANOSECONDS)),
          set(naps, i32.add(get(naps), i32.const(1))),
          when(i32.gtS(get(naps), i32.const(MOST_NAPS)), [i32.const(0), back()]),
        ]),
      ]),
      i32.const(1),
    ]
  })
  module.define('serve', ['i32'], null, (scope, control) => {
    const [left, spins, jobs] = [scope.local('i32'), scope.local('i32'), scope.local('i32')]
    const work = i32.gtS(atomic.load(at(control!, CHUNKS_LEFT)), i32.const(0))
    const stopped = atomic.load(at(control!, STOP))
    return [
      set(spins, i32.const(0)),
      forever([
        when(stopped, leave(1)),
        when(work, [workChunks(control!, left), set(spins, i32.const(0))]),
        set(spins, i32.add(get(spins), i32.const(1))),
        when(i32.gtS(get(spins), i32.const(SPINS_IDLE)), [
          // The number of jobs is read before the last look for one, so that a job given in between ends the wait at once.
          set(jobs, atomic.load(at(control!, JOBS_GIVEN))),
          drop(bumpBy(control!, SLEEPERS, 1)),
          when(i32.isZero(i32.or(work, stopped)), drop(atomic.wait(at(control!, JOBS_GIVEN), get(jobs), -1))),
          drop(bumpBy(control!, SLEEPERS, -1)),
          set(spins, i32.const(0)),
        ]),
      ]),
    ]
  })
  module.define('stopThreads', ['i32'], null, (_scope, control) => [
    atomic.store(at(control!, STOP), i32.const(1)),
    drop(bumpBy(control!, JOBS_GIVEN, 1)),
    drop(atomic.wakeAll(at(control!, JOBS_GIVEN))),
  ])
}
