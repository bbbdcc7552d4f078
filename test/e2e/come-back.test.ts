import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser, Page } from 'playwright'
import { launchChromium } from '../support/chromium.ts'
import { runJson, startCli } from '../support/cli.ts'
import { waitUntil } from '../support/make-app.ts'
import { chromiumPath } from './support.ts'

interface Served {
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
}

describe.skipIf(chromiumPath === null)('a page whose Pairlab was killed', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'pairlab bäck '))
  const dataFolder = path.join(root, 'data')
  const env = { PAIRLAB_CONFIG: path.join(root, 'config') }
  let browser: Browser
  let page: Page
  let served: Served

  async function startServing(args: readonly string[] = [], folder = dataFolder): Promise<Served> {
    const child = startCli(['serve', '--json', ...args], { dataFolder: folder, env })
    let printed = ''
    child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    await waitUntil('the host', () => printed.trimEnd().endsWith('}'), 30_000)
    const { url, port } = JSON.parse(printed) as { url: string; port: number }
    return { url, port, child }
  }

  async function end({ child }: Served, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill(signal)
    await ended
  }

  const lost = (): Promise<void> => page.getByText('Pairlab does not answer; trying again').waitFor()
  const back = (): Promise<void> =>
    page.getByText('Pairlab does not answer; trying again').waitFor({ state: 'detached', timeout: 30_000 })

  const number = (): Promise<string> => page.getByLabel('Number of the pair').inputValue()
  const shown = (wanted: number): Promise<void> =>
    waitUntil(`pair ${wanted}`, async () => (await number()) === String(wanted), 30_000)

  async function labels(): Promise<readonly { readonly chosen: string }[]> {
    const { path: out } = (await runJson(['export', 'Pairs'], { dataFolder, env })) as { path: string }
    return readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { chosen: string })
  }

  beforeAll(async () => {
    const file = path.join(root, 'pairs.jsonl')
    const rows = Array.from({ length: 6 }, (_none, at) => ({
      prompt: `Question ${at}`,
      a: `one ${at}`,
      b: `two ${at}`,
    }))
    writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))
    const { datasetId } = (await runJson(['import', file, '--name', 'Pairs'], { dataFolder, env })) as {
      datasetId: string
    }
    served = await startServing()
    browser = await launchChromium(chromiumPath!)
    page = await (await browser.newContext()).newPage()
    await page.goto(`${served.url}#/label/${datasetId}`)
  })
  afterAll(async () => {
    await browser.close()
    await end(served, 'SIGTERM')
    rmSync(root, { recursive: true, force: true })
  })

  test('goes on with the one that is started next, and hands over the answer that was never taken', async () => {
    await page.getByLabel('Your name').fill('Ada')
    await page.getByRole('button', { name: 'Start labeling' }).click()
    await page.getByText(/^Question \d$/).waitFor()
    await page.keyboard.press('1')
    await shown(2)
    await end(served, 'SIGKILL')
    await lost()
    // By then the page has asked again for what the first answer changed, in vain: what it shows stays.
    await page.waitForTimeout(1500)
    await page.keyboard.press('1')
    await page.getByRole('alert').filter({ hasText: 'Start it again; nothing that was saved is lost.' }).waitFor()
    served = await startServing()
    await back()
    await shown(3)
    expect(await labels()).toHaveLength(2)
    await page.reload() // under its new key
    await shown(3)
  })

  test('what got the port meanwhile is given neither a key nor an answer', async () => {
    await end(served, 'SIGKILL')
    await lost()
    const heard: string[] = []
    const stranger = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        heard.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)} ${Buffer.concat(chunks)}`)
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ ok: true, value: { proof: 'I am it', nonce: 'n', key: 'mine' } }))
      })
    })
    await new Promise<void>((resolve) => stranger.listen(served.port, '127.0.0.1', resolve))
    await waitUntil('the greeting', () => heard.length > 1, 30_000)
    await page.keyboard.press('1')
    await page.getByText('Start it again; nothing that was saved is lost.').waitFor()
    expect(heard.filter((one) => !one.startsWith('POST /greet '))).toEqual([])
    expect(heard.filter((one) => /authorization|key\./i.test(one))).toEqual([])
    await new Promise((resolve) => {
      stranger.close(resolve)
      stranger.closeAllConnections()
    })
    // Nor is a Pairlab on other data.
    const other = await startServing(['--port', String(served.port)], path.join(root, 'other'))
    await page.waitForTimeout(3000)
    await lost()
    await end(other, 'SIGTERM')
    served = await startServing()
    await back()
    await shown(4)
    expect(await labels()).toHaveLength(3)
  })

  test('what is kept for that lies outside of the data folder, for its person alone', () => {
    const pages = path.join(env.PAIRLAB_CONFIG, 'pages')
    const [own] = readdirSync(pages)
      .map((name) => path.join(pages, name))
      .filter((file) => readFileSync(file, 'utf8').includes(JSON.stringify(dataFolder)))
    expect(statSync(own!).mode & 0o777).toBe(0o600)
    const { secret } = JSON.parse(readFileSync(own!, 'utf8')) as { secret: string }
    const files = readdirSync(dataFolder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.filter((entry) => readFileSync(path.join(entry.parentPath, entry.name)).includes(secret))).toEqual([])
  })
})
