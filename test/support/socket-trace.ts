/** A call that names an address beyond this machine, or asks for a name. */
export interface Reach {
  readonly call: string
  readonly target: string
}

export interface Trace {
  readonly own: readonly Reach[]
  /** Of processes below an executable that is a browser. */
  readonly browser: readonly Reach[]
  /** How many calls named this machine: loopback addresses, local sockets. */
  readonly local: number
}

const BROWSER = /(chrom|chrome|msedge)/i
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/

const DNS_PORT = 53
/** The calls that this reads, as strace takes them. */
export const TRACED_CALLS = 'execve,clone,clone3,fork,vfork,socket,connect,sendto,sendmsg,sendmmsg'

interface Line {
  readonly pid: string
  readonly call: string
  readonly rest: string
}

function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    const [, pid, call, rest] = /^(\d+)\s+(?:<\.\.\. )?(\w+)(.*)$/.exec(line) ?? []
    return pid === undefined || call === undefined || rest === undefined ? [] : [{ pid, call, rest }]
  })
}

/** Every process and thread that a browser's executable became or made. */
function browsersIn(lines: readonly Line[]): (pid: string) => boolean {
  const parents = new Map<string, string>()
  const started = new Set<string>()
  for (const { pid, call, rest } of lines) {
    const child = / = (\d+)$/.exec(rest)?.[1]
    if (/^(clone3?|v?fork)$/.test(call) && child !== undefined) parents.set(child, pid)
    if (call === 'execve' && BROWSER.test(/^\("([^"]*)"/.exec(rest)?.[1] ?? '')) started.add(pid)
  }
  return (pid) => {
    for (let one: string | undefined = pid; one !== undefined; one = parents.get(one)) if (started.has(one)) return true
    return false
  }
}

/** Reads what `strace -f -e trace=<TRACED_CALLS>` wrote. */
export function readTrace(text: string): Trace {
  const lines = linesOf(text)
  const isBrowser = browsersIn(lines)
  const found = { own: [] as Reach[], browser: [] as Reach[], local: 0 }
  for (const { pid, call, rest } of lines) {
    const address = /inet_addr\("([^"]+)"\)/.exec(rest)?.[1] ?? /inet_pton\(AF_INET6, "([^"]+)"/.exec(rest)?.[1]
    const port = Number(/htons\((\d+)\)/.exec(rest)?.[1] ?? 0)
    if (address === undefined) found.local += rest.includes('AF_UNIX') ? 1 : 0
    else if (LOOPBACK.test(address) && port !== DNS_PORT) found.local += 1
    else (isBrowser(pid) ? found.browser : found.own).push({ call, target: `${address} port ${port}` })
  }
  return found
}
