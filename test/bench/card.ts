// A graphics card beside PyTorch on the same card: npm run bench:card -- [--shapes small,large,smollm2] [--jobs sft,dpo,lora-sft,…]
// [--rounds 7] [--curve 20] [--python python3] [--peers eager,compile] [--json file], or --pack <folder>: the same as a folder that
// is copied to a machine with a card and run there with `sh run.sh`, where nothing of Pairlab is installed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { formatBytes, formatRate } from '../../shared/units.ts'
import { SHAPES, type JobName, type ShapeName, type StepJob } from './engine-jobs.ts'
import { startEngine, startPeer, type Participant } from './participants.ts'
import { disagreement, quartiles, ratioOf, type Spread } from './spread.ts'
import { stepFlops } from './step-flops.ts'
import { writeWork } from './work-folder.ts'

const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: 'small,large,smollm2' },
    jobs: { type: 'string', default: 'sft,dpo,lora-sft,lora-dpo,sample-1,sample-8' },
    rounds: { type: 'string', default: '7' },
    curve: { type: 'string', default: '20' },
    python: { type: 'string', default: 'python3' },
    peers: { type: 'string', default: 'eager,compile' },
    json: { type: 'string' },
    pack: { type: 'string' },
  },
})
if (values.pack !== undefined) {
  // Not part of the folder that it makes, so a bundler is not to see it.
  const packer = new URL('card-pack.ts', import.meta.url).href
  await ((await import(packer)) as { packCard(folder: string): Promise<void> }).packCard(path.resolve(values.pack))
  process.exit(0)
}
const shapes = values.shapes.split(',') as ShapeName[]
const jobs = values.jobs.split(',') as JobName[]
const [rounds, curveSteps] = [Number(values.rounds), Number(values.curve)]
/** Between the card's losses and the processor's, relative, at every step. */
const CURVE_TOLERANCE = 2e-3

interface Line {
  readonly shape: ShapeName
  readonly job: JobName
  readonly who: string
  readonly ms: Spread
  /** Operations that the step asks for, a second; null for sampling. */
  readonly flopsPerSec: number | null
  /** Throughput beside each peer's in the same round: 1 is as fast, 2 twice. */
  readonly throughput: Readonly<Record<string, Spread>>
}

interface CurveCheck {
  readonly shape: ShapeName
  readonly job: StepJob
  readonly steps: number
  readonly apart: number
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'pairlab-card-'))
const lines: Line[] = []
const curves: CurveCheck[] = []
const notes: string[] = []
try {
  writeWork(folder, shapes)
  await measureAll()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report(), null, 2)}\n`)
if (curves.some(({ apart }) => !(apart <= CURVE_TOLERANCE))) process.exitCode = 1

function report(): object {
  const { model } = os.cpus()[0] ?? { model: 'unknown' }
  const machine = { cpu: model.trim(), cores: os.availableParallelism(), platform: `${os.platform()} ${os.arch()}` }
  return { date: new Date().toISOString(), command: process.argv.slice(2).join(' '), machine, notes, curves, lines }
}

async function measureAll(): Promise<void> {
  const threads = os.availableParallelism()
  const card = await start('the webgpu engine', () => startEngine('webgpu', threads, folder))
  if (card === null)
    throw new Error('Without the webgpu engine there is nothing to measure: a Vulkan driver must be there.')
  if (curveSteps > 0) {
    const processor = await start('the wasm engine', () => startEngine('wasm', threads, folder))
    if (processor === null) throw new Error('Without the wasm engine nothing says whether the card computes right.')
    for (const [shape, job] of stepJobs()) await checkCurve(shape, job, card, processor)
    await processor.end()
  }
  const peers = rounds === 0 ? [] : await startPeers(threads)
  for (const shape of rounds === 0 ? [] : shapes)
    for (const job of jobs.filter((one) => SHAPES[shape].jobs.includes(one))) await measure(shape, job, card, peers)
  for (const one of [card, ...peers]) {
    const { peakBytes, cardBytes } = await one.end()
    note(`${one.hello.name}: at most ${formatBytes(cardBytes)} on the card, ${formatBytes(peakBytes)} beside it`)
  }
}

async function start(what: string, begin: () => Promise<Participant>): Promise<Participant | null> {
  try {
    const one = await begin()
    note(`${one.hello.name} ${one.hello.version}: ${one.hello.device}`)
    return one
  } catch (error) {
    note(`${what} is not here: ${error instanceof Error ? error.message : String(error)}`)
    return null
  }
}

/** PyTorch as it comes, compiled, and each with bfloat16 products; on the card where its PyTorch knows one. */
async function startPeers(threads: number): Promise<Participant[]> {
  const cuda = spawnSync(values.python, ['-c', 'import torch; print(torch.cuda.is_available())'], { encoding: 'utf8' })
  const device = cuda.stdout?.trim() === 'True' ? 'cuda' : 'cpu'
  if (device === 'cpu')
    note('PyTorch knows no card here: it computes on the processor, and the ratios compare two machines.')
  const peers: Participant[] = []
  for (const precision of ['f32', 'bf16'] as const) {
    for (const mode of values.peers.split(',').filter((one) => one !== '')) {
      const peer = await start(`PyTorch, ${mode}, ${precision}`, () =>
        startPeer(values.python, threads, folder, device, mode, precision),
      )
      if (peer !== null) peers.push(peer)
    }
  }
  return peers
}

function stepJobs(): (readonly [ShapeName, StepJob])[] {
  return shapes.flatMap((shape) =>
    jobs
      .filter((job): job is StepJob => SHAPES[shape].jobs.includes(job) && !job.startsWith('sample') && job !== 'load')
      .map((job) => [shape, job] as const),
  )
}

/** A fast card that computes something else is no card. */
async function checkCurve(shape: ShapeName, job: StepJob, card: Participant, processor: Participant): Promise<void> {
  const request = { shape, job, count: curveSteps, fresh: true }
  const [ours, theirs] = [await card.ask(request), await processor.ask(request)]
  const trouble = ours.error ?? theirs.error
  if (trouble !== undefined) {
    note(`${shape} ${job}: ${trouble}`)
    curves.push({ shape, job, steps: 0, apart: Number.POSITIVE_INFINITY })
    return
  }
  const apart = disagreement(ours.check, theirs.check)
  curves.push({ shape, job, steps: curveSteps, apart })
  const verdict = apart <= CURVE_TOLERANCE ? 'as on the processor' : 'NOT as on the processor'
  console.log(`${shape} ${job}: ${curveSteps} steps ${verdict}, losses differ by ${apart.toExponential(1)} at most`)
}

async function measure(
  shape: ShapeName,
  job: JobName,
  card: Participant,
  peers: readonly Participant[],
): Promise<void> {
  const times = new Map<Participant, number[]>()
  for (const one of [card, ...peers]) {
    const { error } = await one.ask({ shape, job, count: 3, fresh: true }) // compiles, and warms up
    if (error === undefined) times.set(one, [])
    else note(`${one.hello.name} ${shape} ${job}: ${error}`)
  }
  const inner = job.startsWith('sample') ? 1 : SHAPES[shape].inner
  for (let round = 0; round < rounds; round += 1)
    for (const [one, ms] of times)
      ms.push(quartiles((await one.ask({ shape, job, count: inner, fresh: false })).ms).median)
  for (const [one, ms] of times) {
    const spread = quartiles(ms)
    const isStep = !job.startsWith('sample')
    const throughput =
      one === card
        ? Object.fromEntries(
            [...times]
              .filter(([peer]) => peer !== card)
              .map(([peer, theirs]) => [peer.hello.name, ratioOf(theirs, ms)]),
          )
        : {}
    const line: Line = {
      shape,
      job,
      who: one.hello.name,
      ms: spread,
      flopsPerSec: isStep ? (1000 * stepFlops(shape, job as StepJob)) / spread.median : null,
      throughput,
    }
    lines.push(line)
    console.log(sayLine(line))
  }
}

function sayLine({ shape, job, who, ms, flopsPerSec, throughput }: Line): string {
  const beside = Object.entries(throughput).map(
    ([peer, { median, low, high }]) => `${median.toFixed(2)} × ${peer} (${low.toFixed(2)} to ${high.toFixed(2)})`,
  )
  return [
    `${shape} ${job} ${who}: ${ms.median.toFixed(2)} ms (${ms.low.toFixed(2)} to ${ms.high.toFixed(2)})`,
    ...(flopsPerSec === null ? [] : [formatRate(flopsPerSec, 'FLOP')]),
    ...beside,
  ].join(', ')
}

function note(text: string): void {
  notes.push(text)
  console.log(text)
}
