import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createLedger, note } from './ledger.ts'
import { endTrainers, startActor } from './kills.ts'
import { lookOver } from './look-over.ts'

const SIZE_MIB = 48
const PAGE_BYTES = 4096
/** Refusals after which the actor gives up: enough to try every kind of deed on the full disk. */
const REFUSALS = 25

export interface FullDiskReport {
  readonly rounds: number
  readonly refused: number
  readonly acknowledged: number
  readonly problems: readonly string[]
}

/** Why a disk cannot be filled here; null where it can. */
export function whyNoFullDisk(): string | null {
  if (process.platform !== 'linux') return 'a file system of a given size is made on Linux only'
  return process.getuid?.() === 0 ? null : 'mounting one needs root'
}

/**
 * Lets the disk fill up after 0, 1, 2 … pages (every `stride` of them), so that each write of a course of deeds is once the
 * one that fails; then frees it and looks at what is left.
 */
export async function runFullDisk(
  rounds: number,
  stride: number,
  seed: number,
  onRound: (round: number, problems: readonly string[]) => void = () => {},
): Promise<FullDiskReport> {
  const root = mkdtempSync(path.join(tmpdir(), 'pairlab full '))
  const disk = path.join(root, 'disk')
  const files = path.join(root, 'files')
  for (const folder of [disk, files]) mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'pairlab-test', disk])
  const dataFolder = path.join(disk, 'data')
  const ballast = path.join(disk, 'ballast')
  const ledger = createLedger()
  const problems: string[] = []
  let refused = 0
  try {
    // A folder with something in it, and then one round for each page that is left.
    const first = startActor(dataFolder, files, seed)
    await first.ready
    await new Promise((resolve) => setTimeout(resolve, 4000))
    first.process.kill('SIGKILL')
    note(ledger, await first.ended)
    endTrainers(dataFolder)
    problems.push(...(await lookOver(dataFolder, ledger)))
    for (let round = 0; round < rounds; round += 1) {
      // Every third time it is full already when the app opens; else it fills up while the app works.
      const early = round % 3 === 0
      if (early) fillTo(disk, ballast, round * stride * PAGE_BYTES)
      const actor = startActor(dataFolder, files, seed * 100_000 + round, REFUSALS)
      await actor.ready
      if (!early) fillTo(disk, ballast, round * stride * PAGE_BYTES)
      const told = await actor.ended
      rmSync(ballast, { force: true })
      endTrainers(dataFolder)
      note(ledger, told)
      refused += told.filter((one) => one.phase === 'refused' && one.code === 'disk-full').length
      const found = [...(await lookOver(dataFolder, ledger)), ...ledger.bad.splice(0)]
      problems.push(...found.map((problem) => `full after ${round * stride} pages: ${problem}`))
      onRound(round, found)
      // What a person would empty; the rest of the disk is for the rounds to come.
      if (freeBytes(disk) < SIZE_MIB * 1024 * 1024 * 0.5)
        for (const name of ['exports', 'trash']) rmSync(path.join(dataFolder, name), { recursive: true, force: true })
    }
  } finally {
    endTrainers(dataFolder)
    execFileSync('umount', ['-l', disk])
    rmSync(root, { recursive: true, force: true })
  }
  return {
    rounds,
    refused,
    acknowledged: Object.values(ledger.counts).reduce((sum, count) => sum + count, 0),
    problems,
  }
}

function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

function fillTo(disk: string, ballast: string, leaveBytes: number): void {
  rmSync(ballast, { force: true })
  try {
    writeFileSync(ballast, Buffer.alloc(Math.max(0, freeBytes(disk) - leaveBytes)))
  } catch (error) {
    // The app wrote meanwhile: it is as full as it can be.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}
