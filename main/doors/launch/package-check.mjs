// What can be known of a package without running Electron: its contents, its fuses, and that its code starts.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findRuntime } from './runtime.mjs'

const REQUIRED = [
  '/package.json',
  '/LICENSE',
  '/out/main/electron.js',
  '/out/main/cli.js',
  '/out/main/worker.js',
  '/out/main/reader.js',
  '/out/preload/index.cjs',
  '/out/renderer/index.html',
]
const ALLOWED = [
  /^\/package\.json$/,
  /^\/LICENSE$/,
  /^\/out(\/(main|preload|renderer|resources)(\/.*)?)?$/,
  /^\/node_modules$/,
  /^\/node_modules\/better-sqlite3(\/.*)?$/,
  /^\/node_modules\/webgpu(\/(index\.js|package\.json|LICENSE\.md|dist(\/linux-[^/]+(\/.*)?)?))?$/,
]
const UNPACKED = [
  'out/main/wasm/tfjs-backend-wasm-simd.wasm',
  'out/main/wasm/mujoco.wasm',
  'out/resources/samples/pandalm/testset-v1.json',
  'node_modules/better-sqlite3/package.json',
  `node_modules/webgpu/dist/linux-${process.arch}/dawn.node`,
]
const FUSES = {
  RunAsNode: true,
  EnableNodeOptionsEnvironmentVariable: false,
  EnableNodeCliInspectArguments: false,
  EnableEmbeddedAsarIntegrityValidation: true,
  OnlyLoadAppFromAsar: true,
  EnableCookieEncryption: true,
  GrantFileProtocolExtraPrivileges: false,
}
const START_LIMIT_MS = 30_000

function fail(message) {
  throw new Error(`The package is not right: ${message}`)
}

async function checkContents(resources) {
  const { listPackage, extractAll } = await import('@electron/asar')
  const archive = path.join(resources, 'app.asar')
  const files = listPackage(archive, {}).map((name) => name.replaceAll('\\', '/'))
  for (const name of REQUIRED) if (!files.includes(name)) fail(`app.asar lacks ${name}`)
  const strangers = files.filter(
    (name) => !ALLOWED.some((pattern) => pattern.test(name)) || name.endsWith('.map') || name.endsWith('.ts'),
  )
  if (strangers.length > 0) fail(`app.asar holds what does not run: ${strangers.slice(0, 5).join(', ')}`)
  for (const name of UNPACKED)
    if (!existsSync(path.join(resources, 'app.asar.unpacked', name))) fail(`${name} is not outside the archive`)
  if (!existsSync(path.join(resources, 'THIRD-PARTY-NOTICES.txt'))) fail('the notices of third parties are not in it')
  console.log(`app.asar: ${files.length} entries, all expected`)
  const copy = mkdtempSync(path.join(tmpdir(), 'pairlab packed é '))
  extractAll(archive, copy)
  return copy
}

async function checkFuses(folder) {
  const { FuseState, FuseV1Options, getCurrentFuseWire } = await import('@electron/fuses')
  const wire = await getCurrentFuseWire(path.join(folder, 'pairlab'))
  for (const [name, enabled] of Object.entries(FUSES)) {
    const wanted = enabled ? FuseState.ENABLE : FuseState.DISABLE
    if (wire[FuseV1Options[name]] !== wanted) fail(`fuse ${name} should be ${enabled ? 'on' : 'off'}`)
  }
  console.log(`fuses: ${Object.keys(FUSES).length} read back as configured`)
}

/** Starts the packed main code in plain Node and asks its loopback host for the page and a call. */
async function checkStart(copy) {
  const data = mkdtempSync(path.join(tmpdir(), 'pairlab data '))
  const child = spawn(findRuntime(), [path.join(copy, 'out/main/cli.js'), 'serve', '--port', '0', '--data-dir', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const address = await new Promise((resolve, reject) => {
      let text = ''
      child.stdout.on('data', (bytes) => {
        text += bytes
        const found = /http:\/\/127\.0\.0\.1:\d+\/\?code=[\w-]+/.exec(text)
        if (found !== null) resolve(new URL(found[0]))
      })
      child.on('exit', (code) => reject(new Error(`The package is not right: its host ended with status ${code}`)))
      setTimeout(() => reject(new Error('The package is not right: its host did not start')), START_LIMIT_MS).unref()
    })
    const page = await fetch(address)
    if (!page.ok || !(await page.text()).includes('<div id="root">')) fail('the host does not serve the page')
    const entered = await (
      await fetch(new URL('/enter', address), { method: 'POST', body: address.searchParams.get('code') })
    ).json()
    const reply = await fetch(new URL('/call/samples.list', address), {
      method: 'POST',
      headers: { authorization: `Bearer ${entered.value.key}`, 'content-type': 'application/json' },
      body: '{}',
    })
    const body = await reply.json()
    if (body.ok !== true || body.value.length === 0) fail('the host does not find the bundled sample')
    console.log('packed code: host started in plain Node, page and calls answer')
  } finally {
    child.kill('SIGTERM')
    await new Promise((resolve) => {
      child.once('close', resolve)
      if (child.exitCode !== null) resolve(undefined)
    })
    rmSync(data, { recursive: true, force: true })
  }
}

export async function checkPackage(folder) {
  const copy = await checkContents(path.join(folder, 'resources'))
  try {
    await checkFuses(folder)
    await checkStart(copy)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  console.log('The package is as it should be.')
}
