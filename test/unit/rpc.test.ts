import { describe, expect, it } from 'vitest'
import { contract, type CallName } from '../../shared/contract.ts'
import {
  AppError,
  describeIssues,
  ERROR_EXIT_STATUS,
  errorCode,
  fromWire,
  toWire,
  wireError,
} from '../../shared/errors.ts'
import { dispatch, inProcess, unwrap, type Handlers } from '../../shared/rpc.ts'
import { settings } from '../../shared/contract/system.ts'

const calls: unknown[] = []
/** One real handler is enough here: what is tested is the way in, not what lies behind. */
const handlers = {
  'settings.get': () => settings.parse({ theme: 'dark' }),
  'settings.set': (input: unknown) => {
    calls.push(input)
    return settings.parse(input)
  },
  'datasets.list': () => 'not a list',
  'runs.list': () => {
    throw new AppError({
      code: 'disk-full',
      message: 'The disk is full.',
      hint: 'Free some space.',
      details: { freeBytes: 12 },
    })
  },
  'runs.log': () => {
    throw new TypeError('x is not a function')
  },
} as unknown as Handlers // the calls under test only

describe('dispatch', () => {
  it('answers with the value', async () => {
    expect(await dispatch(handlers, 'settings.get', {})).toMatchObject({ ok: true, value: { theme: 'dark' } })
  })

  it.each(['toString', '__proto__', 'constructor', 'hasOwnProperty', 'settings', '', 'settings.get '])(
    'knows no call %j',
    async (name) => {
      expect(await dispatch(handlers, name, {})).toMatchObject({ ok: false, error: { code: 'usage-invalid' } })
    },
  )

  it.each([[null], ['x'], [7], [[]], [{ theme: 'pink' }], [{ themes: 'dark' }]])(
    'lets no handler see %j',
    async (input) => {
      const before = calls.length
      const reply = await dispatch(handlers, 'settings.set', input)
      expect(reply).toMatchObject({ ok: false, error: { code: 'input-invalid' } })
      expect(calls.length).toBe(before)
    },
  )

  it('names the misspelt or wrong field', async () => {
    const reply = await dispatch(handlers, 'settings.set', { slots: 'two', thme: 'dark' })
    expect(reply.ok ? '' : reply.error.message).toMatch(/slots: .*number.*; input: .*thme/)
  })

  it('does not let an answer outside the contract through', async () => {
    expect(await dispatch(handlers, 'datasets.list', {})).toMatchObject({
      ok: false,
      error: { code: 'internal', message: expect.stringContaining('datasets.list answered outside the contract') },
    })
  })

  it('carries expected errors whole and names unexpected ones', async () => {
    expect(await dispatch(handlers, 'runs.list', {})).toEqual({
      ok: false,
      error: { code: 'disk-full', message: 'The disk is full.', hint: 'Free some space.', details: { freeBytes: 12 } },
    })
    expect(await dispatch(handlers, 'runs.log', { runId: 'a' })).toMatchObject({
      ok: false,
      error: { code: 'internal', message: 'Something unexpected went wrong: x is not a function' },
    })
  })
})

describe('the in-process client', () => {
  it('clones both ways', async () => {
    const input = { view: { panel: [1, 2] } }
    const answer = await inProcess(handlers).call('settings.set', input)
    expect(answer.view).toEqual({ panel: [1, 2] })
    expect((calls.at(-1) as typeof input).view['panel']).not.toBe(input.view['panel'])
    expect(answer.view['panel']).not.toBe((calls.at(-1) as typeof input).view['panel'])
  })

  it('throws the AppError that the handler threw', async () => {
    await expect(inProcess(handlers).call('runs.list', {})).rejects.toMatchObject({
      name: 'AppError',
      code: 'disk-full',
      hint: 'Free some space.',
      details: { freeBytes: 12 },
    })
  })
})

describe('errors', () => {
  it('cross a door and come back the same', () => {
    const error = new AppError({ code: 'run-conflict', message: 'It runs.', hint: 'Stop it.' })
    const back = fromWire(wireError.parse(JSON.parse(JSON.stringify(toWire(error)))))
    expect([back.code, back.message, back.hint, back.details]).toEqual([
      'run-conflict',
      'It runs.',
      'Stop it.',
      undefined,
    ])
    expect(() => unwrap({ ok: false, error: toWire(error) })).toThrow('It runs.')
    expect(toWire('a string').message).toBe('Something unexpected went wrong: a string')
  })

  it('have an exit status that a shell can tell from success', () => {
    for (const code of errorCode.options) {
      expect(ERROR_EXIT_STATUS[code]).toBeGreaterThanOrEqual(2) // 1 is what Node itself ends with
      expect(ERROR_EXIT_STATUS[code]).toBeLessThanOrEqual(130)
    }
  })

  it('describe where the input was wrong', () => {
    const result = contract['runs.get'].input.safeParse({ runId: 'NO' })
    expect(result.success ? '' : describeIssues(result.error)).toBe(
      'runId: a run id is lower-case letters, digits and dashes',
    )
  })
})

describe('the contract', () => {
  it('names every call noun.verb, with an object for input', () => {
    for (const name of Object.keys(contract) as CallName[]) {
      expect(name).toMatch(/^[a-z]+\.[a-z][A-Za-z]*$/)
      expect(contract[name].input.def.type).toBe('object')
    }
  })
})
