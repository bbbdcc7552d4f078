import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Goodbye, Hello, Reply, Request } from './engine-jobs.ts'

/** A process that does the benchmark's work on request, one request at a time. */
export interface Participant {
  readonly hello: Hello
  ask(request: Request): Promise<Reply>
  end(): Promise<Goodbye>
}

export function startEngine(name: string, threads: number, folder: string): Promise<Participant> {
  // Beside this file, as it stands or bundled.
  const script = fileURLToPath(new URL(`engine-child${path.extname(import.meta.filename)}`, import.meta.url))
  return meet(spawn(process.execPath, [script, name, String(threads), folder], { stdio: ['pipe', 'pipe', 'pipe'] }))
}

/**
 * @param mode `eager`, or `compile`: what can be is given to torch.compile
 * @param precision of its products: `f32` without TF32, or `bf16` by autocast, beside float32 weights
 */
export function startPeer(
  python: string,
  threads: number,
  folder: string,
  device: string,
  mode: string,
  precision: 'f32' | 'bf16' = 'f32',
): Promise<Participant> {
  const script = fileURLToPath(new URL('peer.py', import.meta.url))
  const limits = { OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) }
  return meet(
    spawn(python, [script, String(threads), folder, device, mode, precision], {
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
  const lines = text.trim().split('\n')
  // Of an error that nobody caught, its own line; the trace behind it says where.
  return lines.find((line) => /^\w*Error: /.test(line)) ?? lines.slice(-3).join(' ')
}
