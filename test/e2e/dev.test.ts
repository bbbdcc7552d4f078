// npm run dev, in a copy of the tree, so that what is edited here is nobody else's.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findChromium, launchChromium } from '../support/chromium.ts'

const root = path.resolve(import.meta.dirname, '../..')
const chromiumPath = findChromium()
const COPIED = ['main', 'renderer', 'shared', 'resources', 'electron.config.ts', 'package.json', 'package-lock.json']
const tree = mkdtempSync(path.join(tmpdir(), 'pairlab-dev-'))
let command: ChildProcess
let said = ''
let browser: Browser
let page: Page

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + 60_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (Date.now() > endMs) throw new Error(`waited in vain for ${what}\n${said}`)
  }
}

function edit(file: string, from: string, to: string): void {
  const before = readFileSync(path.join(tree, file), 'utf8')
  expect(before).toContain(from)
  writeFileSync(path.join(tree, file), before.replace(from, to))
}

function rejected(headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(page.url())
    request({ host: '127.0.0.1', port, path: '/call/settings.get', method: 'POST', headers }, (response) =>
      resolve(response.resume().statusCode),
    )
      .on('error', reject)
      .end('{}')
  })
}

beforeAll(async () => {
  if (chromiumPath === null) return
  for (const name of COPIED) cpSync(path.join(root, name), path.join(tree, name), { recursive: true })
  // Each package by itself: what Vite keeps beside them is of this tree alone.
  mkdirSync(path.join(tree, 'node_modules'))
  for (const name of readdirSync(path.join(root, 'node_modules'))) {
    if (name !== '.vite')
      symlinkSync(path.join(root, 'node_modules', name), path.join(tree, 'node_modules', name), 'junction')
  }
  command = spawn(process.execPath, ['main/doors/launch/dev.mjs', '--data-dir', path.join(tree, 'data')], {
    cwd: tree,
    env: { ...process.env, PAIRLAB_BROWSER: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [command.stdout, command.stderr])
    stream?.on('data', (bytes: Buffer) => (said += bytes.toString()))
  await until('the address', () => /code=\S+/.test(said))
  browser = await launchChromium(chromiumPath)
  page = await (await browser.newContext()).newPage()
  page.on('console', (message) => (said += `${message.type()}: ${message.text()}\n`))
  page.on('pageerror', (error) => (said += `${error.message}\n`))
})

afterAll(async () => {
  await browser?.close()
  if (command?.exitCode === null) {
    command.kill('SIGTERM')
    await once(command, 'exit')
  }
  rmSync(tree, { recursive: true, force: true })
})

test.skipIf(chromiumPath === null)(
  'a change of the page is shown in place; a change of the app restarts it, and the page goes on',
  async () => {
    const [address = ''] = /http:\S+code=\S+/.exec(said) ?? []
    await page.goto(`${address}#/settings`)
    await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor()
    await page.evaluate(() => void Object.assign(globalThis, { kept: true }))

    edit('renderer/pages/Settings.tsx', '<h1>Settings</h1>', '<h1>Settings as edited</h1>')
    await page.getByRole('heading', { name: 'Settings as edited' }).waitFor()

    edit('main/doors/headless/dev-host.ts', 'await main()', "await main(process.stdout.write('the host as edited\\n'))")
    await until('the host as edited', () => said.includes('the host as edited'))
    // A call waits until the host is back. Its event comes by the stream, which found its way back by itself.
    await page.getByText('Dark', { exact: true }).click()
    await until('the dark page', () => page.evaluate(() => document.documentElement.dataset['theme'] === 'dark'))
    expect(await page.evaluate(() => 'kept' in globalThis)).toBe(true)

    expect(await rejected({ host: 'elsewhere.example' })).toBe(403)
    expect(await rejected({ origin: 'http://elsewhere.example' })).toBe(404)
    expect(await rejected({})).toBe(401)
  },
)
