// The journey with nothing but a loopback interface, every system call that makes or uses a socket looked at:
// npm run offline. Runs itself again in a network namespace of its own under strace, and reads what that wrote.
import { spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium, launchChromium } from '../support/chromium.ts'
import { cliPath, runCli, startCli } from '../support/cli.ts'
import { readTrace, TRACED_CALLS, type Reach } from '../support/socket-trace.ts'

const INSIDE = '--inside'
const self = fileURLToPath(import.meta.url)

function say(text: string): void {
  console.log(text)
}

async function step(what: string, args: readonly string[], dataFolder: string, input = ''): Promise<string> {
  const result = await runCli(args, { dataFolder, input })
  if (result.status !== 0) throw new Error(`${what} ended with ${result.status}\n${result.stdout}${result.stderr}`)
  say(`  ${what}`)
  return result.stdout
}

/** Import → label → train → compare → export, then the page: in a browser where there is one, else its host alone. */
async function journey(folder: string): Promise<void> {
  const dataFolder = path.join(folder, 'data')
  const file = path.join(folder, 'pairs.jsonl')
  writeFileSync(
    file,
    Array.from({ length: 12 }, (_one, at) =>
      JSON.stringify({ prompt: `Say ${at}.`, chosen: `${at}`, rejected: 'No.' }),
    ).join('\n'),
  )
  const training = [
    '--tokenizer',
    'byte',
    '--steps',
    '3',
    '--batch-size',
    '2',
    '--micro-batch-size',
    '2',
    '--max-length',
    '32',
    '--eval-pairs',
    '2',
    '--sample-prompts',
    '1',
    '--sample-tokens',
    '2',
    '--engine',
    'wasm',
  ]
  await step('import', ['import', file, '--name', 'numbers'], dataFolder)
  await step('label', ['label', 'numbers', '--annotator', 'ann'], dataFolder, '1\n2\n3\nq\n')
  await step(
    'train sft',
    ['train', 'sft', '--data', 'numbers', '--model', 'new:nano', '--seeds', '1-2', ...training],
    dataFolder,
  )
  await step('compare', ['compare'], dataFolder)
  await step('export', ['export', 'numbers', '--format', 'pairs-with-labels'], dataFolder)
  await step('engine list', ['engine', 'list'], dataFolder)
  await lookAtPage(dataFolder)
}

async function lookAtPage(dataFolder: string): Promise<void> {
  const child = startCli(['serve', '--json'], { dataFolder })
  try {
    await visit(child)
  } finally {
    child.kill('SIGTERM')
    await new Promise((resolve) => (child.exitCode === null ? child.on('close', resolve) : resolve(null)))
  }
}

async function visit(child: ChildProcess): Promise<void> {
  let text = ''
  const { url, error } = await new Promise<{ url: string; error?: { message: string } }>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text) as { url: string; error?: { message: string } })
    })
    child.on('exit', () => reject(new Error(`serve ended: ${text}`)))
  })
  if (error !== undefined) throw new Error(error.message)
  const chromium = findChromium()
  if (chromium === null) {
    return say(`  serve: ${(await fetch(url)).status}; no Chromium here, so the page was not opened`)
  }
  const browser = await launchChromium(chromium)
  try {
    const page = await browser.newPage()
    await page.goto(url)
    for (const place of [
      '/data',
      '/label',
      '/train',
      '/runs',
      '/compare',
      '/playground',
      '/papers',
      '/settings',
      '/',
    ]) {
      await page.evaluate(`window.location.hash = ${JSON.stringify(place)}`)
      await page.waitForTimeout(700)
    }
    await page.getByRole('heading', { name: 'Pairlab' }).waitFor()
    say('  nine pages in Chromium')
  } finally {
    await browser.close()
  }
}

function tell(title: string, found: readonly Reach[]): void {
  const counts = new Map<string, number>()
  for (const { call, target } of found) counts.set(`${call} ${target}`, (counts.get(`${call} ${target}`) ?? 0) + 1)
  say(`${title}: ${found.length}`)
  for (const [what, count] of counts) say(`  ${count} × ${what}`)
}

function outside(): number {
  const missing = ['strace', 'unshare'].filter(
    (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status !== 0,
  )
  if (process.platform !== 'linux' || missing.length > 0) {
    say(`skipped: needs Linux with strace and unshare${missing.length > 0 ? `; missing: ${missing.join(', ')}` : ''}`)
    return 0
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-journey-'))
  const trace = path.join(folder, 'trace')
  try {
    const up = 'ip link set lo up 2>/dev/null || ifconfig lo up || exit 9'
    const traced = `exec strace -f -qq --seccomp-bpf -e trace=${TRACED_CALLS} -s 64 -o "$0" "$@"`
    const { status } = spawnSync(
      'unshare',
      ['-rn', 'sh', '-c', `${up}; ${traced}`, trace, process.execPath, self, INSIDE, folder],
      { stdio: 'inherit' },
    )
    if (!existsSync(trace)) {
      say(`skipped: a network namespace could not be made here (status ${status})`)
      return 0
    }
    const { own, browser, local } = readTrace(readFileSync(trace, 'utf8'))
    say(`loopback and sockets within this machine: ${local}`)
    tell('beyond this machine, by Pairlab', own)
    tell('beyond this machine, by the browser on its own account, which reached nothing', browser)
    return status === 0 && own.length === 0 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[2] === INSIDE) await journey(process.argv[3] ?? '')
else {
  say(`The journey of ${cliPath}, in a network namespace with a loopback interface alone:`)
  process.exit(outside())
}
