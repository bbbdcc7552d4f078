// Engines beside PyTorch, interleaved in one run: npm run bench -- [--engines wasm,tensorflow] [--threads 1,2]
// [--shapes small,large,smollm2] [--jobs sft,dpo,lora-sft,lora-dpo,sample-1,sample-8,load] [--rounds 7] [--python python3]
// [--peers eager,compile] [--peer-device cpu|cuda] [--json file]. Ratios are to the first peer. Jobs with adapters need PEFT.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { JOBS, SHAPES, type JobName, type ShapeName } from './engine-jobs.ts'
import { startEngine, startPeer, type Participant } from './participants.ts'
import { disagreement, quartiles, ratioOf, type Spread } from './spread.ts'
import { writeWork } from './work-folder.ts'

const { values } = parseArgs({
  options: {
    engines: { type: 'string', default: 'tensorflow,wasm' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    shapes: { type: 'string', default: 'small,large' },
    jobs: { type: 'string', default: JOBS.join(',') },
    rounds: { type: 'string', default: '7' },
    python: { type: 'string', default: 'python3' },
    peers: { type: 'string', default: 'eager' },
    'peer-device': { type: 'string', default: 'cpu' },
    json: { type: 'string' },
  },
})
const shapes = values.shapes.split(',') as ShapeName[]
const jobs = values.jobs.split(',') as JobName[]
const rounds = Number(values.rounds)

interface Line {
  readonly threads: number
  readonly shape: ShapeName
  readonly job: JobName
  readonly engine: string
  readonly ms: Spread
  /** Time divided by the first peer's of the same round; null without a peer. */
  readonly ratio: Spread | null
  /** The same of processor time: where other programs take the cores, the fairer of the two. */
  readonly cpuRatio: Spread | null
  /** Largest relative difference of what both computed; null without a peer. */
  readonly disagreement: number | null
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'pairlab-bench-'))
const lines: Line[] = []
const notes: string[] = []
try {
  writeWork(folder, shapes)
  for (const threads of values.threads.split(',').map(Number)) await measureWith(threads)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (values.json !== undefined) {
  const machine = {
    cpu: os.cpus()[0]?.model.trim(),
    cores: os.availableParallelism(),
    platform: `${os.platform()} ${os.arch()}`,
    node: process.versions.node,
  }
  writeFileSync(
    values.json,
    `${JSON.stringify({ date: new Date().toISOString(), command: process.argv.slice(2).join(' '), machine, notes, lines }, null, 2)}\n`,
  )
}

async function measureWith(threads: number): Promise<void> {
  const peers: Participant[] = []
  for (const mode of values.peers.split(',')) {
    const started = await startPeer(values.python, threads, folder, values['peer-device'], mode).catch(
      (error: unknown) => note(`no peer: ${String(error)}`),
    )
    if (started !== null) peers.push(started)
  }
  const engines: Participant[] = []
  for (const name of values.engines.split(',')) {
    const started = await startEngine(name, threads, folder).catch((error: unknown) =>
      note(`${name}: ${error instanceof Error ? error.message : String(error)}`),
    )
    if (started !== null) engines.push(started)
  }
  const all = [...peers, ...engines]
  for (const one of all) note(`${one.hello.name} ${one.hello.version}: ${one.hello.device}`)
  printHead()
  for (const shape of shapes) {
    const possible = jobs.filter((job) => SHAPES[shape].jobs.includes(job))
    for (const job of possible) await measure(threads, shape, job, all, peers[0] ?? null)
  }
  for (const one of all) {
    const { peakBytes, tensors } = await one.end()
    note(
      `${one.hello.name}: peak resident memory ${(peakBytes / 2 ** 20).toFixed(0)} MiB${tensors === null ? '' : `; tensors after the first and the last round of steps ${tensors.join(', ')}`}`,
    )
  }
}

async function measure(
  threads: number,
  shape: ShapeName,
  job: JobName,
  everyone: readonly Participant[],
  peer: Participant | null,
): Promise<void> {
  const inner = job.startsWith('sample') || job === 'load' ? 1 : SHAPES[shape].inner
  const times = new Map<Participant, number[]>()
  const cpuTimes = new Map<Participant, number[]>()
  const checks = new Map<Participant, readonly number[]>()
  for (const one of everyone) {
    const reply = await one.ask({ shape, job, count: job === 'load' ? 1 : 3, fresh: true }) // warm-up, and the numbers that must agree
    if (reply.error !== undefined) note(`${one.hello.name} ${shape} ${job}: ${reply.error}`)
    else {
      times.set(one, [])
      cpuTimes.set(one, [])
      checks.set(one, reply.check)
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const one of times.keys()) {
      const { ms, cpuMs } = await one.ask({ shape, job, count: inner, fresh: false })
      times.get(one)!.push(quartiles(ms).median)
      cpuTimes.get(one)!.push(quartiles(cpuMs).median)
    }
  }
  const peerTimes = peer === null ? undefined : times.get(peer)
  for (const [one, ms] of times) {
    const ratio = peerTimes === undefined || one === peer ? null : ratioOf(ms, peerTimes)
    const cpuRatio = ratio === null ? null : ratioOf(cpuTimes.get(one)!, cpuTimes.get(peer!)!)
    const line: Line = {
      threads,
      shape,
      job,
      engine: one.hello.name,
      ms: quartiles(ms),
      ratio,
      cpuRatio,
      disagreement: peer === null || one === peer ? null : disagreement(checks.get(one)!, checks.get(peer) ?? []),
    }
    lines.push(line)
    printLine(line)
  }
}

function note(text: string): null {
  notes.push(text)
  console.log(text)
  return null
}

function printHead(): void {
  console.log(
    '\nTime of one step, generation or load; ratio to PyTorch eager in the same round, of time and of processor time: median, quartiles.',
  )
  console.log(
    `${'shape'.padEnd(7)} ${'job'.padEnd(9)} ${'threads'.padStart(7)}  ${'engine'.padEnd(15)} ${'ms'.padStart(9)} ${'quartiles'.padStart(19)}   ${'÷ PyTorch'.padStart(9)} ${'quartiles'.padStart(15)} ${'cpu ÷'.padStart(6)} ${'quartiles'.padStart(15)}   differs by`,
  )
}

function printLine({ threads, shape, job, engine, ms, ratio, cpuRatio, disagreement: apart }: Line): void {
  const span = (spread: Spread, digits: number): string =>
    `${spread.low.toFixed(digits)} … ${spread.high.toFixed(digits)}`
  console.log(
    `${shape.padEnd(7)} ${job.padEnd(9)} ${String(threads).padStart(7)}  ${engine.padEnd(15)} ${ms.median.toFixed(2).padStart(9)} ${span(ms, 2).padStart(19)}   ${(ratio === null ? '' : ratio.median.toFixed(2)).padStart(9)} ${(ratio === null ? '' : span(ratio, 2)).padStart(15)} ${(cpuRatio === null ? '' : cpuRatio.median.toFixed(2)).padStart(6)} ${(cpuRatio === null ? '' : span(cpuRatio, 2)).padStart(15)}   ${apart === null ? '' : apart.toExponential(1)}`,
  )
}
