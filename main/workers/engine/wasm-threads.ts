// The threads beside the one that trains. Each runs our module over the shared memory and nothing else.
import { Worker } from 'node:worker_threads'

/** Given as text, so that it is found in a bundle and in a packed archive alike. */
const THREAD_CODE = `
const { parentPort, workerData } = require('node:worker_threads')
const { module, memory, thread, control } = workerData
const { serve } = new WebAssembly.Instance(module, { env: { memory, thread } }).exports
parentPort.postMessage('ready')
serve(control)
`

const START_LIMIT_MS = 10_000

export interface Crew {
  /** One more than the highest number of a thread: places for scratch space. */
  readonly size: number
  /** Threads that work on a job, the one that gives it included. */
  readonly working: number
  /** Resolves when the threads have ended. */
  stop(): Promise<void>
}

export interface CrewPlace {
  /** A WebAssembly.Module. */
  readonly module: object
  /** A shared WebAssembly.Memory. */
  readonly memory: object
  readonly control: number
  /** Tells every thread to end. */
  stop(): void
}

/** Starts `size` − 1 threads; says on the console when it cannot, and goes on with those that came. */
export async function startCrew(place: CrewPlace, size: number): Promise<Crew> {
  const started = await Promise.allSettled(
    Array.from({ length: size - 1 }, (_, index) => startThread(place, index + 1)),
  )
  const failure = started.find((result) => result.status === 'rejected')
  const workers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  if (failure !== undefined)
    console.warn(`The WebAssembly engine runs on ${workers.length + 1} of ${size} threads: ${String(failure.reason)}`)
  return {
    size,
    working: workers.length + 1,
    async stop() {
      const ended = workers.map((worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve())))
      for (const worker of workers) worker.ref() // the caller waits for it
      place.stop()
      await Promise.all(ended)
      new Int32Array((place.memory as { buffer: ArrayBufferLike }).buffer, place.control, 256).fill(0)
    },
  }
}

function startThread({ module, memory, control }: CrewPlace, thread: number): Promise<Worker> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(THREAD_CODE, {
      eval: true,
      execArgv: [],
      name: `pairlab-${thread}`,
      workerData: { module, memory, thread, control },
    })
    const timer = setTimeout(() => {
      void worker.terminate()
      reject(new Error(`thread ${thread} did not start within ${START_LIMIT_MS / 1000} s`))
    }, START_LIMIT_MS)
    worker.once('message', () => {
      clearTimeout(timer)
      worker.unref()
      resolve(worker)
    })
    worker.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
      console.error(`thread ${thread} of the WebAssembly engine failed`, error)
    })
  })
}
