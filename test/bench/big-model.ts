// npm run bench:model [method]: memory of training adapters beside a 500 MB model, from its folder to its export.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { inProcess } from '../../shared/rpc.ts'
import { formatBytes, formatDuration } from '../../shared/units.ts'
import { bigConfig, trainLoraOn } from '../support/big-model.ts'

const BOUND = 3
const root = mkdtempSync(path.join(tmpdir(), 'pairlab-big-'))

/** Largest resident memory this process ever had; null where the system does not say. */
function ownPeakBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

async function main(method: string): Promise<number> {
  const config = bigConfig({ layers: 12, hidden: 768, heads: 12, feedForward: 2048, vocabSize: 32_000 })
  const app = await createApp({ dataFolder: path.join(root, 'data') })
  try {
    const beganAtMs = performance.now()
    const { weightBytes, peakBytes, state, runId } = await trainLoraOn(app, path.join(root, 'model'), config, {
      method,
    })
    console.log(
      `${method}, 10 steps of LoRA beside ${formatBytes(weightBytes)} of float32 weights: ${state} after ${formatDuration(performance.now() - beganAtMs)}`,
    )
    const log = path.join(root, 'data', 'runs', runId, 'log.txt')
    if (state !== 'finished' && existsSync(log)) console.log(readFileSync(log, 'utf8'))
    console.log(
      `training process, peak: ${formatBytes(peakBytes)}, ${(peakBytes / weightBytes).toFixed(2)} × the weights (at most ${BOUND})`,
    )
    const before = ownPeakBytes()
    await inProcess(app.handlers).call('runs.export', { runId: runId as never, path: path.join(root, 'exported') }) // an id of this app
    console.log(
      `export, merged: ${formatBytes(statSync(path.join(root, 'exported', 'model.safetensors')).size)}; this process grew from ${formatBytes(before)} to ${formatBytes(ownPeakBytes())}`,
    )
    return state === 'finished' && peakBytes <= BOUND * weightBytes && ownPeakBytes() <= BOUND * weightBytes ? 0 : 1
  } finally {
    await app.close('continue')
    rmSync(root, { recursive: true, force: true })
  }
}

process.exit(await main(process.argv[2] ?? 'dpo'))
