import { spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { lockOwner } from '../../main/base/run-folder/lock.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { openStore } from '../../main/app/store/open.ts'
import { allEvents, exitOf, metricsByStep, spawnTrainer } from '../support/tiny-run.ts'
import { readRunsForTest } from '../support/run-rows.ts'
import { waitUntil } from '../support/make-app.ts'
import { createRandom } from '../support/seeded.ts'

// How often something is killed; PAIRLAB_KILLS=30 for the long form.
const KILLS = Number(process.env['PAIRLAB_KILLS'] ?? 4)
const SEED = Number(process.env['PAIRLAB_SEED'] ?? 1)
const STEPS_PER_KILL = 40
const HOST = fileURLToPath(new URL('../support/host-child.ts', import.meta.url))

interface Host {
  readonly process: ChildProcess
  readonly ended: Promise<unknown>
  readonly lines: string[]
}

function startHost(root: string, firstKey: number): Host {
  const lines: string[] = []
  const child = spawn(
    process.execPath,
    [HOST, path.join(root, 'data'), String(firstKey), String(KILLS * STEPS_PER_KILL), root],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  return { process: child, ended: exitOf(child), lines }
}

/** Numbers of the labels whose acknowledgement reached us. */
function acknowledged(host: Host): number[] {
  return host.lines.flatMap((line) => (line.startsWith('label ') ? [Number(line.split(' ')[1])] : []))
}

test(
  `kill -9 of the trainer, the app and both, ${KILLS} times: no label is lost, the run resumes to the same end, log and index agree`,
  async () => {
    const root = mkdtempSync(path.join(tmpdir(), 'pairlab storm '))
    const random = createRandom(SEED)
    const runFolder = path.join(root, 'data/runs/sft-1')
    const labels = new Set<number>()
    const killed: Record<string, number> = { trainer: 0, host: 0, both: 0 }
    let host = startHost(root, 0)
    try {
      for (let round = 0; round < KILLS; round += 1) {
        await waitUntil('the app', () => host.lines.includes('ready'))
        await waitUntil(
          'a trainer',
          () => lockOwner(runFolder) !== null || host.lines.some((line) => line.startsWith('run sft-1 finished')),
        )
        await new Promise((resolve) => setTimeout(resolve, 200 + 2500 * random()))
        const victim = (['trainer', 'host', 'both'] as const)[round % 3]!
        const trainer = lockOwner(runFolder)
        if (victim !== 'host' && trainer !== null) process.kill(trainer.pid, 'SIGKILL')
        killed[victim]! += 1
        if (victim === 'trainer') continue
        host.process.kill('SIGKILL')
        await host.ended
        for (const key of acknowledged(host)) labels.add(key)
        host = startHost(root, Math.max(-1, ...labels) + 2) // the label after the last acknowledged one may be there too
      }
      await waitUntil(
        'the run to finish',
        () => host.lines.some((line) => line.startsWith('run sft-1 finished')),
        300_000,
      )
      host.process.kill('SIGKILL')
      await host.ended
      for (const key of acknowledged(host)) labels.add(key)

      const { db, close } = openStore(path.join(root, 'data'))
      const kept = new Set(
        db.prepare<[], string>('SELECT client_key FROM label_events WHERE client_key IS NOT NULL').pluck().all(),
      )
      close()
      expect([...labels].filter((key) => !kept.has(`storm-key-${key}`))).toEqual([])
      expect(labels.size).toBeGreaterThan(KILLS)

      const indexed = readRunsForTest(path.join(root, 'data'))
      expect(readRunsForTest(path.join(root, 'data'), 'rebuild')).toEqual(indexed)

      const calm = path.join(root, 'calm')
      cpSync(runPaths(runFolder).spec, runPaths(calm).spec, { recursive: true })
      expect(await exitOf(spawnTrainer(calm))).toBe(0)
      expect(metricsByStep(allEvents(runFolder))).toEqual(metricsByStep(allEvents(calm)))
      const starts = allEvents(runFolder).filter((event) => event.type === 'ready').length
      console.log(
        `killed ${JSON.stringify(killed)}; ${labels.size} labels acknowledged and kept; ${starts} trainers took the run to its end`,
      )
    } finally {
      host.process.kill('SIGKILL')
      const trainer = lockOwner(runFolder)
      if (trainer !== null) process.kill(trainer.pid, 'SIGKILL')
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    }
  },
  400_000 + KILLS * 30_000,
)
