import { describe, expect, test } from 'vitest'
import { createEventBus } from '../../main/app/events.ts'
import type { AppEvent } from '../../shared/contract.ts'

describe('the event bus', () => {
  test('numbers events without a gap and tells every listener until it leaves', () => {
    const bus = createEventBus()
    const heard: AppEvent[] = []
    const leave = bus.subscribe((event) => heard.push(event))
    bus.emit('runs.changed', {})
    bus.emit('datasets.changed', { datasetId: 'x' })
    leave()
    bus.emit('settings.changed', {})
    expect(heard).toEqual([
      { seq: 1, name: 'runs.changed', payload: {} },
      { seq: 2, name: 'datasets.changed', payload: { datasetId: 'x' } },
    ])
    expect(bus.lastSeq).toBe(3)
  })

  test('replays what was missed, and says so when it no longer can', () => {
    const bus = createEventBus({ replay: 3 })
    for (let index = 0; index < 5; index += 1) bus.emit('ui.goto', { path: `/${index}` })
    expect(bus.since(2)?.map((event) => event.seq)).toEqual([3, 4, 5])
    expect(bus.since(4)?.map((event) => event.seq)).toEqual([5])
    expect(bus.since(5)).toEqual([])
    expect(bus.since(1)).toBeNull()
    expect(bus.since(9)).toBeNull()
    expect(createEventBus().since(0)).toEqual([])
  })

  test('refuses a payload outside the contract', () => {
    const bus = createEventBus()
    expect(() => bus.emit('ui.goto', { path: 4 } as never)).toThrow(/ui\.goto is outside the contract/)
    expect(bus.lastSeq).toBe(0)
  })

  test('goes on when a listener fails', () => {
    const failures: unknown[] = []
    const bus = createEventBus({ onListenerError: (error) => failures.push(error) })
    const heard: number[] = []
    bus.subscribe(() => {
      throw new Error('window gone')
    })
    bus.subscribe((event) => heard.push(event.seq))
    bus.emit('runs.changed', {})
    expect(heard).toEqual([1])
    expect(failures).toEqual([new Error('window gone')])
  })
})
