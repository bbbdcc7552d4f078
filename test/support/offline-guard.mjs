// Preloaded into every process of a test (node --import): notes each attempt to reach beyond this machine and makes it
// fail. Children inherit it through NODE_OPTIONS. PAIRLAB_GUARD_LOG names the file of notes.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { appendFileSync } from 'node:fs'
import net from 'node:net'

const log = process.env.PAIRLAB_GUARD_LOG
const loopback = new Set(['127.0.0.1', '::1', 'localhost', undefined])

function note(kind, target) {
  appendFileSync(log, `${JSON.stringify({ kind, target, pid: process.pid, argv: process.argv.slice(1) })}\n`)
}

function refuse(what) {
  return Object.assign(new Error(`the network is out of bounds in this test: ${what}`), { code: 'ENETUNREACH' })
}

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function guarded(...args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0]
  const options =
    typeof first === 'object' && first !== null
      ? first
      : { port: first, host: typeof args[1] === 'string' ? args[1] : undefined }
  if (options.path !== undefined || loopback.has(options.host)) return connect.apply(this, args)
  note('connect', `${options.host}:${options.port}`)
  process.nextTick(() => this.destroy(refuse(options.host)))
  return this
}

for (const name of Object.keys(dns).filter((key) => /^(lookup|resolve|reverse)/.test(key))) {
  const original = dns[name]
  dns[name] = (host, ...rest) => {
    if (loopback.has(host)) return original(host, ...rest)
    note(`dns.${name}`, host)
    rest.at(-1)(refuse(host))
  }
  const promised = dns.promises[name]
  if (promised === undefined) continue
  dns.promises[name] = async (host, ...rest) => {
    if (loopback.has(host)) return promised(host, ...rest)
    note(`dns.promises.${name}`, host)
    throw refuse(host)
  }
}

const createSocket = dgram.createSocket
dgram.createSocket = (...args) => {
  note('dgram', JSON.stringify(args[0]))
  return createSocket(...args)
}
note('guard', 'on')
