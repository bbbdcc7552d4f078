import { connect } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { serve } from '../../main/doors/headless/serve.ts'
import { contract, type CallName } from '../../shared/contract.ts'
import { fromWire } from '../../shared/errors.ts'
import { dispatch } from '../../shared/rpc.ts'
import { CALLS_THAT_DELETE, callInputs, type Place } from '../support/call-inputs.ts'
import { makeLargeData } from '../support/large-data.ts'
import { mutateJson } from './mutate.ts'
import type { Target } from './target.ts'

const size = { pairs: 60, runs: 3, steps: 12 }
/** Calls whose input is looked at alone: they would start work for minutes, or write where the input says. */
const NOT_CARRIED_OUT: readonly CallName[] = [
  ...CALLS_THAT_DELETE,
  'runs.start',
  'runs.estimate',
  'runs.resume',
  'runs.export',
  'papers.reproduce',
  'engines.test',
  'engines.add',
  'engines.addWheels',
  'engines.remove',
  'playground.generate',
  'segments.collect',
  'models.add',
  'samples.open',
  'trash.restore',
]
const nowhere: Place = { size, dataFolder: '/nowhere', importFile: '/nowhere/none.jsonl' }

async function openApp(folder: string) {
  mkdirSync(folder, { recursive: true })
  await makeLargeData(folder, size)
  writeFileSync(path.join(folder, 'import.jsonl'), '{"prompt":"q","chosen":"a","rejected":"b"}\n')
  const app = await createApp({ dataFolder: folder })
  await dispatch(app.handlers, 'queue.pause', { paused: true })
  return app
}

/** Every call of the contract, with one to three values of its input changed. */
const calls: Target = {
  name: 'calls',
  seeds: (Object.keys(callInputs) as CallName[]).flatMap((name) =>
    Object.values(callInputs[name](nowhere)).map((input) => Buffer.from(JSON.stringify({ name, input }))),
  ),
  change: (seed, random) => {
    const { name, input } = JSON.parse(seed.toString()) as { name: string; input: unknown } // written above
    return Buffer.from(
      JSON.stringify({
        name,
        input: JSON.parse(mutateJson(Buffer.from(JSON.stringify(input)), random).toString()) as unknown,
      }),
    )
  },
  async open(folder) {
    const app = await openApp(folder)
    return {
      async read(bytes) {
        const { name, input } = JSON.parse(bytes.toString()) as { name: CallName; input: unknown } // written above
        if (NOT_CARRIED_OUT.includes(name) && contract[name].input.safeParse(input).success) return
        const reply = await dispatch(app.handlers, name, input)
        if (!reply.ok) throw fromWire(reply.error)
      },
      close: () => app.close('checkpoint'),
    }
  },
}

const headers = 'host: 127.0.0.1:PORT\r\nauthorization: Bearer KEY\r\n'
const masked = Buffer.from([0x81, 0x85, 1, 2, 3, 4, 0x69, 0x67, 0x6f, 0x68, 0x6e])

/** The loopback host, by raw bytes: requests, uploads, and frames after an upgrade. */
const host: Target = {
  name: 'host',
  seeds: [
    `POST /call/datasets.list HTTP/1.1\r\n${headers}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    `POST /call/labels.progress HTTP/1.1\r\n${headers}content-length: 43\r\n\r\n{"datasetId":"large","annotatorId":"Eva"}  `,
    `GET /index.html HTTP/1.1\r\n${headers}\r\n`,
    `POST /upload?name=a.jsonl HTTP/1.1\r\n${headers}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    `GET /download?path=x HTTP/1.1\r\n${headers}\r\n`,
    `POST /enter HTTP/1.1\r\n${headers}content-length: 4\r\n\r\ncode`,
    `GET /events?since=1 HTTP/1.1\r\n${headers}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: pairlab, key.KEY\r\n\r\n${masked.toString('latin1')}`,
  ].map((text) => Buffer.from(text, 'latin1')),
  async open(folder) {
    const app = await openApp(folder)
    const serving = await serve({ app, rendererFolder: null, idleMs: 2000 })
    let asked = 0
    return {
      async read(bytes) {
        const request = Buffer.from(
          bytes.toString('latin1').replaceAll('PORT', String(serving.port)).replaceAll('KEY', serving.token),
          'latin1',
        )
        const answer = await exchange(serving.port, request)
        if (answer.includes('"code":"internal"')) throw new Error(`answered: ${answer.slice(0, 600)}`)
        asked += 1
        if (asked % 20 !== 0) return
        const whole = await exchange(
          serving.port,
          Buffer.from(
            `POST /call/settings.get HTTP/1.1\r\nhost: 127.0.0.1:${serving.port}\r\nauthorization: Bearer ${serving.token}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`,
          ),
          5000,
        )
        if (!whole.startsWith('HTTP/1.1 200'))
          throw new Error(`the host does not answer any more: ${whole.slice(0, 200)}`)
      },
      async close() {
        await serving.close()
        await app.close('checkpoint')
      },
    }
  },
}

/** What comes back until the other side ends, or a while after it fell silent. */
function exchange(port: number, request: Buffer, patienceMs = 25): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    const finish = (): void => {
      socket.destroy()
      resolve(text)
    }
    socket
      .on('error', finish)
      .on('close', finish)
      .on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
      })
    socket.setTimeout(patienceMs, finish)
    socket.write(request)
  })
}

export const appTargets: readonly Target[] = [calls, host]
