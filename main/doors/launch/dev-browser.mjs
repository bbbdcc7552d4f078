// The browser's form of `npm run dev`: Vite serves the page and sends its calls on to a host that `node --watch` starts again
// whenever a file that it has loaded changes. Both listen on the loopback interface alone; the key is the host's own.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { connect, createServer as createSocketServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from 'vite'
import config from '../../../electron.config.ts'
import { createOneTimeCodes } from '../headless/serve-codes.ts'
import { answerJson, comesFromUs, readBody, refuse } from '../headless/serve-guard.ts'
import { root } from './runtime.mjs'

const LOOPBACK = '127.0.0.1'
const RETRY_MS = 50
const PATIENCE_MS = 15_000
const CALLS = '^/(call/|(events|upload|download)(\\?|$))'
const CODE_LIMIT_BYTES = 1024

/** The host takes the same one after each restart. */
async function freePort() {
  const server = createSocketServer().listen(0, LOOPBACK)
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Calls that are made while the host restarts wait for it; not for ever, because it may not start. */
async function untilAnswers(port) {
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs && !(await answers(port));) await sleep(RETRY_MS)
}

/** Changes a one-time code for the key, as the host does; but these codes are good for as long as the page is served. */
function entrance(codes, key) {
  return {
    name: 'pairlab-entrance',
    configureServer(server) {
      server.middlewares.use('/enter', (request, response) => {
        if (!comesFromUs(request, portOf(server)))
          return refuse(
            response,
            403,
            'forbidden',
            'This address is not for other pages.',
            'Open the address that was printed.',
          )
        readBody(request, CODE_LIMIT_BYTES)
          .catch(() => '')
          .then((code) => {
            if (codes.redeem(code)) answerJson(response, 200, { ok: true, value: { key } })
            else
              refuse(
                response,
                401,
                'forbidden',
                'This address was opened before, or is too old.',
                'Press o and Enter where "npm run dev" runs.',
              )
          })
      })
    },
  }
}

const portOf = (server) => server.httpServer.address().port

/** Vite's page, with calls and events sent on as the host's own page would send them; what comes from another page is not. */
async function servePage(hostPort, codes, key) {
  const { renderer } = config
  const target = `http://${LOOPBACK}:${hostPort}`
  const bypass = async (request) => (comesFromUs(request, portOf(server)) ? untilAnswers(hostPort) : false)
  const server = await createServer({
    ...renderer,
    configFile: false,
    clearScreen: false,
    plugins: [...renderer.plugins, entrance(codes, key)],
    server: {
      ...renderer.server,
      proxy: { [CALLS]: { target, ws: true, changeOrigin: true, headers: { origin: target }, bypass } },
    },
  })
  await server.listen()
  return server
}

const hostPort = await freePort()
const key = randomBytes(24).toString('base64url')
const host = spawn(
  process.execPath,
  ['--watch', '--watch-preserve-output', path.join(root, 'main/doors/headless/dev-host.ts'), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PAIRLAB_DEV_PORT: String(hostPort), PAIRLAB_DEV_KEY: key },
  },
)
process.on('SIGINT', () => {}) // the terminal sends it to the host too, which ends in its own time
process.on('SIGTERM', () => host.kill('SIGTERM'))
host.on('exit', (code) => process.exit(code ?? 0))

const codes = createOneTimeCodes()
const server = await servePage(hostPort, codes, key)
await untilAnswers(hostPort)
const say = (what) => console.log(`${what}: http://${LOOPBACK}:${portOf(server)}/?code=${codes.issue()}`)
say('Pairlab, for development, opens one tab')
server.bindCLIShortcuts({
  customShortcuts: [{ key: 'o', description: 'print an address for another tab', action: () => say('Another tab') }],
})
