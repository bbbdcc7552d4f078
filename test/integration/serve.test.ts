import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { serve, type Host } from '../../main/doors/headless/serve.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'

let test: TestApp
let host: Host
let page: string

beforeAll(async () => {
  test = await makeApp()
  page = mkdtempSync(path.join(tmpdir(), 'pairlab page ü '))
  mkdirSync(path.join(page, 'assets'))
  writeFileSync(path.join(page, 'index.html'), '<div id="root"></div>')
  writeFileSync(path.join(page, 'assets/index-AbCd1234.js'), 'export {}')
  writeFileSync(path.join(path.dirname(page), 'secret.txt'), 'secret')
  host = await serve({ app: test.app, rendererFolder: page })
})

afterAll(async () => {
  await host.close()
  await test.end()
  rmSync(page, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: string
}

/** fetch() would correct what these tests get wrong on purpose. */
function ask(
  target: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: host.port,
        path: target,
        method: options.method ?? 'GET',
        headers: { host: `127.0.0.1:${host.port}`, ...options.headers },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(options.body)
  })
}

const key = (): Record<string, string> => ({ authorization: `Bearer ${host.token}` })

describe('the loopback host', () => {
  it('serves the page under a policy without unsafe scripts or styles', async () => {
    const answer = await ask('/')
    expect(answer.status).toBe(200)
    const policy = String(answer.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toMatch(/unsafe|http:|\*/)
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect((await ask('/assets/index-AbCd1234.js')).headers['cache-control']).toContain('immutable')
  })

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..%5csecret.txt',
    '/%00',
    '/%zz',
    '//etc/passwd',
    '/assets',
  ])('gives nothing for %s', async (target) => {
    const answer = await ask(target)
    expect([400, 404]).toContain(answer.status)
    expect(answer.body).not.toContain('secret\n')
  })

  it('refuses a foreign Host or Origin, whatever the key', async () => {
    const call = (headers: Record<string, string>) =>
      ask('/call/settings.get', { method: 'POST', body: '{}', headers: { ...key(), ...headers } })
    expect((await call({ host: 'evil.example' })).status).toBe(403)
    expect((await call({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await call({ origin: 'null' })).status).toBe(403)
    expect((await call({ origin: `http://127.0.0.1:${host.port}` })).status).toBe(200)
  })

  it('changes the code of an address for the key once, soon, and only for its own page', async () => {
    const enter = async (code: string, headers: Record<string, string> = {}): Promise<unknown> =>
      JSON.parse((await ask('/enter', { method: 'POST', body: code, headers })).body)
    const codeOf = (address: string): string => new URL(address).searchParams.get('code') ?? ''
    const code = codeOf(host.address())
    expect(host.address()).not.toContain(host.token)
    expect(await enter(code, { origin: 'https://evil.example' })).toMatchObject({ ok: false })
    expect(await enter(code, { host: 'evil.example' })).toMatchObject({ ok: false })
    expect(await enter(code)).toEqual({ ok: true, value: { key: host.token } })
    for (const wrong of [code, '', 'x', host.token, 'x'.repeat(5000), '__proto__'])
      expect(await enter(wrong)).toMatchObject({ ok: false, error: { code: 'forbidden' } })
    const hurried = await serve({ app: test.app, rendererFolder: null, codeLifeMs: 0 })
    const late = await fetch(`http://127.0.0.1:${hurried.port}/enter`, {
      method: 'POST',
      body: codeOf(hurried.address()),
    })
    expect(late.status).toBe(401)
    await hurried.close()
  })

  it('gives a further code only for the key, and takes the key in no address', async () => {
    expect((await ask('/invite', { method: 'POST' })).status).toBe(401)
    const { value } = JSON.parse((await ask('/invite', { method: 'POST', headers: key() })).body) as {
      value: { code: string }
    }
    expect(JSON.parse((await ask('/enter', { method: 'POST', body: value.code })).body)).toEqual({
      ok: true,
      value: { key: host.token },
    })
    for (const target of ['/download?path=x', '/call/settings.get?x=1', '/invite?x=1'])
      expect(
        (await ask(`${target}&token=${host.token}`, { method: target.startsWith('/download') ? 'GET' : 'POST' }))
          .status,
      ).toBe(401)
  })

  it('runs no program and no library that a request names', async () => {
    const ran = path.join(page, 'ran')
    const program = path.join(page, 'python')
    writeFileSync(program, `#!/bin/sh\ntouch '${ran}'\n`, { mode: 0o755 })
    const call = async (name: string, input: object): Promise<string> =>
      (
        JSON.parse(
          (await ask(`/call/${name}`, { method: 'POST', headers: key(), body: JSON.stringify(input) })).body,
        ) as { error?: { code: string } }
      ).error?.code ?? 'ok'
    expect(await call('engines.add', { engine: 'tensorflow', python: program })).toBe('input-invalid')
    expect(await call('engines.add', { engine: 'tensorflow', wheels: [program] })).toBe('input-invalid')
    expect(await call('engines.addWheels', { engine: 'tensorflow', wheels: [program] })).toBe('forbidden')
    expect((await test.client.call('engines.list', {})).job).toBeNull() // nothing was begun
    expect(existsSync(ran)).toBe(false)
  })

  it('refuses calls without the key', async () => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Bearer ${host.token}x` }]) {
      const answer = await ask('/call/settings.get', { method: 'POST', body: '{}', headers })
      expect(answer.status).toBe(401)
      expect(JSON.parse(answer.body)).toMatchObject({ ok: false, error: { code: 'forbidden' } })
    }
  })

  it('refuses events without the key or from elsewhere', async () => {
    const open = (query: string, protocols: string[], headers: Record<string, string> = {}): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${host.port}/events${query}`, protocols, { headers })
        socket.on('open', () => {
          socket.terminate()
          resolve('open')
        })
        socket.on('error', () => resolve('refused'))
      })
    const right = ['pairlab', `key.${host.token}`]
    expect(await open('', [])).toBe('refused')
    expect(await open('', ['pairlab', 'key.wrong'])).toBe('refused')
    expect(await open('', right, { origin: 'https://evil.example' })).toBe('refused')
    expect(await open(`?token=${host.token}`, [])).toBe('refused') // no key in an address
    expect(await open('', right)).toBe('open')
  })

  it('names broken JSON and oversized bodies', async () => {
    const broken = await ask('/call/settings.get', { method: 'POST', headers: key(), body: '{' })
    expect([broken.status, JSON.parse(broken.body).error.code]).toEqual([400, 'input-invalid'])
    const large = await ask('/call/settings.get', {
      method: 'POST',
      headers: key(),
      body: Buffer.alloc(1024 * 1024 + 1, 32),
    })
    expect([large.status, JSON.parse(large.body).error.code]).toEqual([413, 'too-large'])
  })

  it('counts a body whose length was not announced', async () => {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const request = httpRequest(
        {
          host: '127.0.0.1',
          port: host.port,
          path: '/call/settings.get',
          method: 'POST',
          headers: { host: `127.0.0.1:${host.port}`, 'transfer-encoding': 'chunked', ...key() },
        },
        (response) => {
          let body = ''
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString()
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        },
      )
      request.on('error', reject)
      for (let chunk = 0; chunk < 5; chunk++) request.write(Buffer.alloc(256 * 1024, 32))
    })
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([413, 'too-large'])
  })

  it('outlives strangers that speak no HTTP, hang up or ask for no address', async () => {
    const upgrade = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    for (const text of [
      '\r\n',
      'GET // HTTP/1.1\r\n' + upgrade,
      'GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /events HTTP/1.1\r\n' + upgrade,
      '\x16\x03\x01\x02\x00',
    ]) {
      await new Promise<void>((resolve, reject) => {
        const socket = connect(host.port, '127.0.0.1', () =>
          socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 50)),
        )
        socket.on('data', () => {})
        socket.on('close', () => resolve())
        socket.on('error', reject)
      })
    }
    expect((await ask('/call/settings.get', { method: 'POST', headers: key(), body: '{}' })).status).toBe(200)
  })

  it('listens on the loopback interface alone', async () => {
    const others = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter((one) => !one.internal && one.family === 'IPv4').map((one) => one.address),
    )
    for (const address of [...others, '127.0.0.2']) {
      const opened = await new Promise<boolean>((resolve) => {
        const socket = connect(host.port, address, () => {
          socket.destroy()
          resolve(true)
        })
        socket.setTimeout(2000, () => {
          socket.destroy()
          resolve(false)
        })
        socket.on('error', () => resolve(false))
      })
      expect([address, opened]).toEqual([address, false])
    }
  })

  it.each(['..', '.', '', '...', '\0'])('stores an upload named %j as a file', async (name) => {
    const answer = await ask(`/upload?name=${encodeURIComponent(name)}`, { method: 'PUT', headers: key(), body: 'x' })
    const { path: stored } = JSON.parse(answer.body) as { path: string }
    expect([path.basename(stored), readFileSync(stored, 'utf8')]).toEqual([name === '\0' ? '_' : 'file', 'x'])
  })

  it('takes an upload into the data folder under a harmless name', async () => {
    const answer = await ask('/upload?name=..%2F..%2Fevil%3A.jsonl', {
      method: 'PUT',
      headers: key(),
      body: '{"prompt":"p"}',
    })
    const { path: stored } = JSON.parse(answer.body) as { path: string }
    expect(stored.startsWith(path.join(test.dataFolder, 'incoming'))).toBe(true)
    expect(path.basename(stored)).toBe('evil_.jsonl')
    expect(readFileSync(stored, 'utf8')).toBe('{"prompt":"p"}')
  })

  it('takes a folder file by file, each at its place inside, and nothing beside it', async () => {
    const send = async (query: Record<string, string>, body = 'x') => {
      const { status, body: text } = await ask(`/upload?${new URLSearchParams(query).toString()}`, {
        method: 'PUT',
        headers: key(),
        body,
      })
      return { status, ...(JSON.parse(text) as { path?: string; into?: string; error?: { code: string } }) }
    }
    const first = await send({ name: 'corpus.jsonl', folder: '../set' }, 'one')
    const { into = '', path: root = '' } = first
    expect(path.relative(path.join(test.dataFolder, 'incoming'), root)).toBe(path.join(into, 'set'))
    const second = await send({ name: 'qrels/test.tsv', folder: '../set', into }, 'two')
    expect([second.path, second.into]).toEqual([root, into])
    expect(['corpus.jsonl', 'qrels/test.tsv'].map((name) => readFileSync(path.join(root, name), 'utf8'))).toEqual([
      'one',
      'two',
    ])
    for (const name of [
      '../evil',
      'a/../../evil',
      '/etc/evil',
      'a//b',
      './a',
      'a/..',
      'a\\..\\evil',
      'a/b/c/d/e/f/g/h/i',
    ])
      expect(await send({ name, folder: 'set', into })).toMatchObject({ status: 400, error: { code: 'input-invalid' } })
    for (const other of ['..', `../incoming/${into}`, '00000000-0000-4000-8000-000000000000', ''])
      expect(await send({ name: 'a', folder: 'set', into: other })).toMatchObject({ status: 400 })
    expect(
      readdirSync(path.join(test.dataFolder, 'incoming', into), { recursive: true })
        .map(String)
        .toSorted(),
    ).toEqual(['set', 'set/corpus.jsonl', 'set/qrels', 'set/qrels/test.tsv'].map((name) => path.normalize(name)))
    await test.client.call('imports.release', { path: root })
    expect(readdirSync(path.join(test.dataFolder, 'incoming'))).not.toContain(into)
  })

  it('hands out exports and nothing else of the data folder', async () => {
    mkdirSync(path.join(test.dataFolder, 'exports'), { recursive: true })
    const file = path.join(test.dataFolder, 'exports/x.jsonl')
    writeFileSync(file, '{}\n')
    expect((await ask(`/download?path=${encodeURIComponent(file)}`, { headers: key() })).body).toBe('{}\n')
    for (const wanted of ['../app.sqlite', path.join(test.dataFolder, 'app.sqlite'), '/etc/passwd']) {
      expect((await ask(`/download?path=${encodeURIComponent(wanted)}`, { headers: key() })).status).toBe(404)
    }
  })

  it('replays what a page missed, and says when it no longer can', async () => {
    await test.client.call('settings.set', { theme: 'dark' })
    const listen = (since: number): Promise<unknown[]> =>
      new Promise((resolve) => {
        const messages: unknown[] = []
        const socket = new WebSocket(`ws://127.0.0.1:${host.port}/events?since=${since}`, [
          'pairlab',
          `key.${host.token}`,
        ])
        socket.on('message', (data) => {
          messages.push(JSON.parse(String(data)))
          if (messages.length === 2) {
            socket.close()
            resolve(messages)
          }
        })
      })
    const last = test.app.events.lastSeq
    expect(await listen(last - 1)).toMatchObject([{ hello: true, seq: last }, { seq: last }])
    expect(await listen(last + 100)).toMatchObject([{ hello: true }, { gap: true }])
    expect(await listen(Number.NaN)).toMatchObject([{ hello: true }, { gap: true }])
  })

  it('tells a page whether it is still the app that the page knows', async () => {
    const greet = ({ port, token }: Host): Promise<{ start: string }> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/events`, ['pairlab', `key.${token}`])
        socket.once('message', (data) => {
          socket.close()
          resolve(JSON.parse(String(data)) as { start: string })
        })
      })
    const another = await serve({ app: test.app, rendererFolder: null })
    const [first, second, other] = [await greet(host), await greet(host), await greet(another)]
    await another.close()
    expect(first.start).toBe(second.start)
    expect(other.start).not.toBe(first.start)
  })
})
