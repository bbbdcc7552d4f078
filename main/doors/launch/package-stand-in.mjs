// A distribution of Electron without Electron: enough for electron-builder to lay out the app, set the fuses and pack.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './runtime.mjs'

// @electron/fuses finds the fuses behind this text: version, count, one ASCII digit a fuse.
const FUSE_SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
const FUSE_COUNT = 9

export function makeStandIn(folder) {
  rmSync(folder, { recursive: true, force: true })
  for (const name of ['resources', 'locales']) mkdirSync(path.join(folder, name), { recursive: true })
  const fuses = Buffer.concat([
    Buffer.from(FUSE_SENTINEL),
    Buffer.from([1, FUSE_COUNT]),
    Buffer.from('0'.repeat(FUSE_COUNT)),
  ])
  const binary = path.join(folder, 'electron')
  writeFileSync(binary, Buffer.concat([Buffer.from('#!/bin/sh\nexit 0\n# '), fuses, Buffer.from('\n')]))
  chmodSync(binary, 0o755)
  const { version } = JSON.parse(readFileSync(path.join(root, 'node_modules/electron/package.json'), 'utf8'))
  writeFileSync(path.join(folder, 'version'), version)
  for (const name of ['LICENSE', 'LICENSES.chromium.html', 'locales/en-US.pak'])
    writeFileSync(path.join(folder, name), '')
}
