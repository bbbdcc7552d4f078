import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Goodbye, Hello, Reply, Request } from './engine-jobs.ts'

/** A process that does the benchmark's work on request, one request at a time. */
export interface Participant {
  readonly hello: Hello
  ask(request: Request): Promise<Reply>
  end(): Promise<Goodbye>
}

export function startEngine(name: string, threads: number, folder: string): Promise<Participant> {
  const script = fileURLToPath(new URL('engine-child.ts', import.meta.url))
  return meet(spawn(process.execPath, [script, name, String(threads), folder], { stdio: ['pipe', 'pipe', 'pipe'] }))
}

/** @param mode `eager`, or `compile`: what can be is given to torch.compile */
export function startPeer(
  python: string,
  threads: number,
  folder: string,
  device: string,
  mode: string,
): Promise<Participant> {
  const script = fileURLToPath(new URL('peer.py', import.meta.url))
  const limits = { OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) }
  return meet(
    spawn(python, [script, String(threads), folder, device, mode], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...limits },
    }),
  )
}

async function meet(child: ChildProcess): Promise<Participant> {
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000)
  })
  const spawned = new Promise<never>((_resolve, reject) => child.once('error', reject))
  const reader = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const next = async <T>(): Promise<T> => {
    const { value, done } = await Promise.race([reader.next(), spawned])
    if (done === true) throw new Error(lastLines(complaint) || 'the process ended without a word')
    return JSON.parse(String(value)) as T // the lines of engine-jobs.ts
  }
  const send = (value: unknown): void => void child.stdin!.write(`${JSON.stringify(value)}\n`)
  const hello = await next<Hello>()
  return {
    hello,
    ask(request) {
      send(request)
      return next<Reply>()
    },
    end() {
      send('end')
      return next<Goodbye>()
    },
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ')
}
