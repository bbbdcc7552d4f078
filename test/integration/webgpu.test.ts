import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readTail } from '../../main/base/files/tail.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { killAfterCheckpoint } from '../support/kill-trainer.ts'
import { everyKind, TEXTS } from '../support/every-kind.ts'
import { expectSameCurves } from '../support/same-curves.ts'
import { softwareGpu } from '../support/software-gpu.ts'
import { allEvents, exitOf, makeTinyRun, metricsByStep, spawnTrainer, type TinyOptions } from '../support/tiny-run.ts'
import { ownFolder } from '../support/own-folder.ts'

const TRAIN_FOLDERS = fileURLToPath(new URL('../support/train-folders-child.ts', import.meta.url))
const CHILD = fileURLToPath(new URL('../support/webgpu-child.ts', import.meta.url))
/** Two seconds each on two cores that emulate a card. Twenty and more by hand. */
const STEPS = Number(process.env['PAIRLAB_GPU_STEPS'] ?? 3)
/** An emulated step takes seconds, and other work on the machine as many more. */
const TIME_MS = 280_000 + 20_000 * STEPS
/** Those that the test above does not train; with more steps, all. */
const METHODS = ['sft', 'copg', 'pg-rank', 'grace', 'cpl', ...(STEPS > 5 ? ['dpo'] : [])] as const
const own = ownFolder('webgpu')

describe.skipIf(softwareGpu === null)(
  'webgpu on an emulated graphics card (skipped: no Chromium with SwiftShader)',
  () => {
    async function finish(folder: string): Promise<string> {
      expect([
        await exitOf(spawnTrainer(folder, 'train', softwareGpu ?? {})),
        readTail(runPaths(folder).log, 5).filter((line) => !line.includes('XDG_RUNTIME_DIR')),
      ]).toEqual([0, []])
      return folder
    }

    test(
      'trains on the same curve as wasm, also where it was killed, saves and draws',
      async () => {
        const options: TinyOptions = {
          method: 'dpo',
          rows: TEXTS,
          training: {
            steps: STEPS,
            batchSize: 2,
            microBatchSize: 2,
            maxLength: 16,
            evalEvery: 0,
            checkpointEvery: STEPS - 1,
            samplePrompts: 1,
            sampleTokens: 2,
          },
        }
        const webgpu = makeTinyRun(own.path, { ...options, engine: 'webgpu', runId: 'webgpu' })
        await killAfterCheckpoint(webgpu, STEPS - 1, softwareGpu ?? {})
        const folders = {
          webgpu: await finish(webgpu),
          wasm: await finish(makeTinyRun(own.path, { ...options, engine: 'wasm', runId: 'wasm' })),
        }
        expectSameCurves(folders.webgpu, folders.wasm, ['loss', 'grad_norm', 'rewards/margins'], STEPS)
        const expected = metricsByStep(allEvents(folders.wasm))
        // The curve moves, so that a step that does nothing would show.
        expect(Math.abs(expected['loss']![STEPS]! - expected['loss']![1]!)).toBeGreaterThan(1e-2)
        const events = allEvents(folders.webgpu)
        expect(events[0]).toMatchObject({ type: 'ready', engine: 'webgpu' })
        expect(events.filter((event) => event.type === 'sample')).toHaveLength(1)
        expect(events.find((event) => event.type === 'fact' && 'enginePeakBytes' in event.facts)).toBeDefined()
        expect(events.findLast((event) => event.type === 'ready')).toMatchObject({ resumedFromStep: STEPS - 1 })
      },
      TIME_MS,
    )

    test('trains every kind of method on the same curve as wasm', { timeout: TIME_MS }, () => {
      const kinds = everyKind(STEPS)
      const folders = (engine: 'webgpu' | 'wasm'): string[] =>
        METHODS.map((name) =>
          makeTinyRun(path.join(own.path, engine, name), { ...kinds[name], engine, runId: `${engine}-${name}` }),
        )
      const [webgpu, wasm] = [folders('webgpu'), folders('wasm')]
      for (const [engine, given] of Object.entries({ webgpu, wasm })) {
        const { status, stderr } = spawnSync(process.execPath, [TRAIN_FOLDERS, engine, ...given], {
          encoding: 'utf8',
          env: { ...process.env, ...softwareGpu },
        })
        expect([status, status === 0 ? '' : stderr.slice(-2000)], engine).toEqual([0, ''])
      }
      METHODS.forEach((_name, at) => expectSameCurves(webgpu[at]!, wasm[at]!, ['loss', 'grad_norm'], STEPS))
    })

    const child = (trouble: string, ...more: string[]): Record<string, unknown> => {
      const { stdout } = spawnSync(process.execPath, [CHILD, trouble, ...more], {
        encoding: 'utf8',
        env: { ...process.env, ...softwareGpu },
      })
      return JSON.parse(stdout.trim().split('\n').at(-1)!)
    }

    test('says what it is, and that a device is gone, full, or asked too much', () => {
      expect(child('none')).toMatchObject({
        before: null,
        code: null,
        software: true,
        device: expect.stringContaining('(emulated by the processor)'),
      })
      expect(child('lost')).toMatchObject({
        before: null,
        code: 'engine-unavailable',
        message: expect.stringContaining('The graphics device was lost'),
      })
      expect(child('limit')).toMatchObject({
        before: null,
        code: 'trainer-failed',
        message: expect.stringContaining('refused'),
      })
    })

    test('names an adapter that is not there', () => {
      expect(child('none', 'no such card')).toMatchObject({
        code: 'engine-unavailable',
        message: 'There is no graphics adapter "no such card".',
        hint: expect.stringContaining('SwiftShader'),
      })
    })
  },
)
