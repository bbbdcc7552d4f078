import { spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli, startCli } from '../support/cli.ts'
import { waitUntil } from '../support/make-app.ts'

// Stands in PATH for the program that opens a browser, and notes what it was given.
const OPENER = '#!/bin/sh\nfor one in "$@"; do echo "$one" >> "$OPENER_NOTES"; done\n'

describe.skipIf(process.platform !== 'linux')('serve --open', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab öpen '))
  const dataFolder = path.join(folder, 'data')
  const notes = path.join(folder, 'notes')
  const env = { PATH: `${path.join(folder, 'bin')}:${process.env['PATH']}`, OPENER_NOTES: notes }
  let child: ChildProcess
  let printed = ''

  const given = (): string[] => readFileSync(notes, 'utf8').trim().split('\n')
  const address = (): { readonly port: number; readonly token: string } =>
    JSON.parse(readFileSync(path.join(dataFolder, 'serve.json'), 'utf8')) as { port: number; token: string }
  const enter = async (code: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${address().port}/enter`, { method: 'POST', body: code })).status
  const codeIn = (text: string): string => /\?code=([\w-]+)/.exec(text)?.[1] ?? ''

  beforeAll(async () => {
    mkdirSync(path.join(folder, 'bin'))
    writeFileSync(path.join(folder, 'bin/xdg-open'), OPENER)
    chmodSync(path.join(folder, 'bin/xdg-open'), 0o755)
    child = startCli(['serve', '--open'], { dataFolder, env })
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    await waitUntil('the opener', () => readdirSync(folder).includes('notes') && printed.includes('Ctrl+C'))
  })
  afterAll(async () => {
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('close', resolve))
    expect(readdirSync(dataFolder).filter((name) => name.startsWith('open-') || name === 'serve.json')).toEqual([])
    rmSync(folder, { recursive: true, force: true })
  })

  it('gives the browser a page that only its owner can read, and no key or code', async () => {
    const [target = '', ...rest] = given()
    expect(rest).toEqual([])
    expect(target).toMatch(/^file:\/\/.*\/open-[0-9a-f]{16}\.html$/)
    const page = fileURLToPath(target)
    expect(statSync(page).mode & 0o777).toBe(0o600)
    const code = codeIn(readFileSync(page, 'utf8'))
    expect(await enter(code)).toBe(200)
    expect(await enter(code)).toBe(401)
  })

  it('prints an address that opens once, and the key nowhere', async () => {
    const { token } = address()
    expect(statSync(path.join(dataFolder, 'serve.json')).mode & 0o777).toBe(0o600)
    expect(await enter(codeIn(printed))).toBe(200)
    const second = await runCli(['serve'], { dataFolder, env })
    expect(second).toMatchObject({ status: 8, stdout: '' })
    expect(second.stderr).toContain('already running')
    expect(second.stderr).not.toMatch(/code=|token=|http/)
    const third = await runCli(['serve', '--open', '--json'], { dataFolder, env })
    expect(await enter(codeIn((JSON.parse(third.stdout) as { url: string }).url))).toBe(200)
    await expect.poll(given, { timeout: 10_000 }).toHaveLength(2) // the opener outlives the command that starts it
    expect(await enter(codeIn(readFileSync(fileURLToPath(given()[1]!), 'utf8')))).toBe(200)
    const told = [
      printed,
      second.stderr,
      third.stdout,
      third.stderr,
      readFileSync(path.join(dataFolder, 'app.log'), 'utf8'),
      ...given(),
    ].join('\n')
    expect(told).not.toContain(token)
  })

  it.skipIf(process.getuid?.() !== 0)(
    'shows another user of the machine nothing that opens the page (skipped: only root can try as another user)',
    () => {
      const secrets = [
        address().token,
        ...given().flatMap((target) => codeIn(readFileSync(fileURLToPath(target), 'utf8'))),
      ]
      const seen = spawnSync(
        'sh',
        ['-c', `cat /proc/*/cmdline 2>/dev/null; cat '${dataFolder}'/* 2>/dev/null; ls '${dataFolder}'`],
        { uid: 65534, gid: 65534, encoding: 'latin1' },
      )
      expect(seen.stdout).toContain('serve') // it does see the command lines
      for (const secret of secrets) expect(seen.stdout).not.toContain(secret)
    },
  )
})
