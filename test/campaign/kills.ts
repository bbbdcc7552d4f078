import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { lockOwner } from '../../main/base/run-folder/lock.ts'
import { listRunFolders } from '../../main/app/runs/rebuild.ts'
import { temporaryFolder } from '../support/filled-store.ts'
import { createRandom } from '../support/seeded.ts'
import { readTold, type Told } from './deeds.ts'
import { createLedger, note, type Ledger } from './ledger.ts'
import { lookOver } from './look-over.ts'

const ACT = fileURLToPath(new URL('act.ts', import.meta.url))

export interface Actor {
  readonly process: ChildProcess
  /** Everything it said, once it has ended. */
  readonly ended: Promise<readonly Told[]>
  readonly ready: Promise<void>
}

export function startActor(dataFolder: string, filesFolder: string, seed: number, fullLimit = 0): Actor {
  const child = spawn(process.execPath, [ACT, dataFolder, filesFolder, String(seed), String(fullLimit)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let complaint = ''
  let becameReady: () => void = () => {}
  const ready = new Promise<void>((resolve) => {
    becameReady = resolve
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    becameReady()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const ended = new Promise<readonly Told[]>((resolve) => {
    child.on('close', (status, signal) => {
      becameReady()
      const died: Told[] =
        signal !== 'SIGKILL' && status !== 0
          ? [{ phase: 'bad', message: `the app died (${signal ?? status}): ${complaint.slice(-500)}` }]
          : []
      resolve([...readTold(said), ...died])
    })
  })
  return { process: child, ended, ready }
}

export function endTrainers(dataFolder: string, only: () => boolean = () => true): number {
  let ended = 0
  for (const name of listRunFolders(path.join(dataFolder, 'runs'))) {
    const owner = lockOwner(path.join(dataFolder, 'runs', name))
    if (owner === null || !only()) continue
    process.kill(owner.pid, 'SIGKILL')
    ended += 1
  }
  return ended
}

export interface KillsReport {
  readonly kills: number
  readonly whileOpening: number
  readonly trainers: number
  readonly ledger: Ledger
  readonly problems: readonly string[]
}

/** Kills the app `kills` times at moments that the seed draws: while it opens, or in the middle of deeds; now and then its trainers too. */
export async function runKills(
  kills: number,
  seed: number,
  onRound: (round: number, problems: readonly string[]) => void = () => {},
): Promise<KillsReport> {
  const root = temporaryFolder()
  const dataFolder = path.join(root, 'data')
  const files = path.join(root, 'files')
  mkdirSync(files)
  const random = createRandom(seed)
  const ledger = createLedger()
  const problems: string[] = []
  let whileOpening = 0
  let trainers = 0
  try {
    for (let round = 0; round < kills; round += 1) {
      const actor = startActor(dataFolder, files, seed * 100_000 + round)
      const early = random() < 0.15
      if (early) whileOpening += 1
      else await actor.ready
      await new Promise((resolve) => setTimeout(resolve, random() * (early ? 900 : 700)))
      actor.process.kill('SIGKILL')
      note(ledger, await actor.ended)
      trainers += endTrainers(dataFolder, () => random() < 0.3)
      const found = await lookOver(dataFolder, ledger)
      problems.push(...found.map((problem) => `kill ${round + 1}: ${problem}`))
      onRound(round, found)
    }
  } finally {
    endTrainers(dataFolder)
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  }
  problems.push(...ledger.bad)
  return { kills, whileOpening, trainers, ledger, problems }
}
