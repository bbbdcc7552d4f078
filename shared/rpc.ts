import { AppError, describeIssues, fromWire, toWire, type WireError } from './errors.ts'
import { contract, type CallName, type Input, type Output, type Parsed } from './contract.ts'
import type { Call, Door } from './contract/define.ts'

declare function structuredClone<T>(value: T): T

/** One function a call, kept complete by the compiler. */
export type Handlers = { readonly [N in CallName]: (input: Parsed<N>) => Output<N> | Promise<Output<N>> }

export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: WireError }

/** The app as its callers see it, whatever lies between. */
export interface Client {
  call<N extends CallName>(name: N, input: Input<N>): Promise<Output<N>>
}

/**
 * The only way in: looks the name up, checks the input, runs the handler, checks the output. Never throws; errors
 * travel in the reply because Electron's `invoke` would strip them.
 * @param door which it comes through: some calls are not for every one
 */
export async function dispatch(handlers: Handlers, name: string, raw: unknown, door: Door = 'own'): Promise<Reply> {
  try {
    if (!Object.hasOwn(contract, name)) {
      throw new AppError({
        code: 'usage-invalid',
        message: `There is no call named "${name}".`,
        hint: 'Check the spelling against shared/contract.ts.',
      })
    }
    const callName = name as CallName // the line above proved it
    const definition: Call = contract[callName]
    if (definition.ownDoorOnly !== undefined && door !== 'own') {
      throw new AppError({
        code: 'forbidden',
        message: `${name} runs what it is given, so it is not for a page in a browser.`,
        hint: definition.ownDoorOnly,
      })
    }
    const input = definition.input.safeParse(raw)
    if (!input.success) {
      throw new AppError({
        code: 'input-invalid',
        message: `${name}: ${describeIssues(input.error)}`,
        hint: 'Correct the named fields and try again.',
      })
    }
    const handler = handlers[callName] as (value: unknown) => unknown // input was parsed by this very call's schema
    const output = definition.output.safeParse(await handler(input.data))
    if (!output.success) throw new Error(`${name} answered outside the contract: ${describeIssues(output.error)}`)
    return { ok: true, value: output.data }
  } catch (error) {
    return { ok: false, error: toWire(error) }
  }
}

/** Turns a reply back into a value or a thrown AppError. */
export function unwrap(reply: Reply): unknown {
  if (reply.ok) return reply.value
  throw fromWire(reply.error)
}

/** The transport of tests and of the command line. Clones both ways, so that no caller can lean on shared objects. */
export function inProcess(handlers: Handlers): Client {
  return {
    async call(name, input) {
      const reply = await dispatch(handlers, name, structuredClone(input))
      return structuredClone(unwrap(reply)) as Output<typeof name> // checked by dispatch
    },
  }
}
