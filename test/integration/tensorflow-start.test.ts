import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { probeEngine } from '../../main/app/engine-setup/probe.ts'
import { rememberEngine } from '../../main/base/own-engines.ts'
import { WORKER_ENTRY } from '../support/tiny-run.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab tensorflow '))
  process.env['PAIRLAB_CONFIG'] = path.join(root, 'config')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const hasPackage = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].some((name) => {
  try {
    return createRequire(import.meta.url).resolve(`${name}/package.json`) !== ''
  } catch {
    return false
  }
})

test.skipIf(!hasPackage)(
  'the backend starts in the program as it is built, and asks the addon, here a stand-in',
  async () => {
    const engine = path.join(root, 'engines/tensorflow')
    mkdirSync(engine, { recursive: true })
    writeFileSync(
      path.join(engine, 'addon.cjs'),
      `const refuse = () => { throw new Error('the stand-in was asked') }
module.exports = new Proxy({ isUsingGpuDevice: () => false }, { get: (own, name) => own[name] ?? (String(name).startsWith('TF_') ? 1 : refuse) })`,
    )
    writeFileSync(
      path.join(engine, 'engine.json'),
      JSON.stringify({ tensorflowVersion: '2.0.0', cuda: false, addon: 'addon.cjs', libraries: [] }),
    )
    rememberEngine(engine)
    const { error } = await probeEngine({ execPath: process.execPath, args: [WORKER_ENTRY] }, 'tensorflow', {
      enginesFolder: path.join(root, 'engines'),
      threads: null,
      seconds: 0,
    })
    expect(error?.message).toContain('the stand-in was asked')
  },
)
