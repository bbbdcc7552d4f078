import { describe, expect, it } from 'vitest'
import type { AppEvent } from '../../shared/contract.ts'
import type { Reply } from '../../shared/rpc.ts'
import { waitUntil } from './make-app.ts'

/** A way to reach an app, as raw as the transport lets a stranger be. */
export interface Door {
  call(name: string, input: unknown): Promise<Reply>
  /** Returns the way to stop. */
  subscribe(listener: (event: AppEvent) => void): Promise<() => void>
  end(): Promise<void>
}

async function withDoor(open: () => Promise<Door>, work: (door: Door) => Promise<void>): Promise<void> {
  const door = await open()
  try {
    await work(door)
  } finally {
    await door.end()
  }
}

/** What every transport promises. The same list runs against each of them. */
export function runConformance(name: string, open: () => Promise<Door>): void {
  describe(`${name} keeps the contract`, () => {
    it('answers with defaults filled in', () =>
      withDoor(open, async (door) => {
        expect(await door.call('settings.get', {})).toMatchObject({
          ok: true,
          value: { theme: 'system', onQuit: 'continue', slots: 1 },
        })
        expect(await door.call('datasets.list', {})).toEqual({ ok: true, value: [] })
      }))

    it('changes state and reads it back', () =>
      withDoor(open, async (door) => {
        const added = await door.call('annotators.add', { name: '  Zoë  ' })
        expect(added).toMatchObject({ ok: true, value: { name: 'Zoë', imported: false } })
        expect(await door.call('annotators.list', {})).toMatchObject({ ok: true, value: [{ name: 'Zoë' }] })
        expect(await door.call('settings.set', { theme: 'dark' })).toMatchObject({ ok: true, value: { theme: 'dark' } })
        expect(await door.call('settings.get', {})).toMatchObject({ ok: true, value: { theme: 'dark' } })
      }))

    it.each(['toString', '__proto__', 'constructor', 'nothing.here', ''])('does not know the call %j', (call) =>
      withDoor(open, async (door) => {
        const reply = await door.call(call, {})
        expect(reply.ok).toBe(false)
      }),
    )

    it('refuses input outside the contract and names the field', () =>
      withDoor(open, async (door) => {
        const reply = await door.call('settings.set', { slots: 'many' })
        expect(reply).toMatchObject({ ok: false, error: { code: 'input-invalid' } })
        expect(reply.ok ? '' : reply.error.message).toContain('slots')
        expect(await door.call('settings.set', { colour: 'red' })).toMatchObject({
          ok: false,
          error: { code: 'input-invalid' },
        })
        expect(await door.call('settings.get', null)).toMatchObject({ ok: false, error: { code: 'input-invalid' } })
      }))

    it('carries expected errors whole: code, message, hint', () =>
      withDoor(open, async (door) => {
        const reply = await door.call('datasets.get', { datasetId: 'no-such' })
        expect(reply).toMatchObject({ ok: false, error: { code: 'not-found' } })
        expect(reply.ok ? '' : reply.error.hint).not.toBe('')
      }))

    it('tells of changes in numbered events without a gap', () =>
      withDoor(open, async (door) => {
        const seen: AppEvent[] = []
        const stop = await door.subscribe((event) => seen.push(event))
        for (const theme of ['dark', 'light', 'system'] as const) await door.call('settings.set', { theme })
        await waitUntil('three events', () => seen.length >= 3)
        stop()
        const numbers = seen.map((event) => event.seq)
        expect(numbers).toEqual(numbers.map((_number, at) => (numbers[0] ?? 0) + at))
        expect(seen.map((event) => event.name)).toContain('settings.changed')
      }))

    it('shares no object with its caller', () =>
      withDoor(open, async (door) => {
        const first = await door.call('settings.get', {})
        if (first.ok) (first.value as { view: Record<string, unknown> }).view['poison'] = true
        expect(await door.call('settings.get', {})).toMatchObject({ ok: true, value: { view: {} } })
        const second = await door.call('settings.get', {})
        expect(second.ok ? second.value : null).not.toHaveProperty('view.poison')
      }))
  })
}
