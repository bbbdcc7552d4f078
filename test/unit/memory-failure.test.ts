import { describe, expect, test } from 'vitest'
import { AppError, toWire } from '../../shared/errors.ts'
import { nameMemoryFailure } from '../../main/workers/memory-failure.ts'

const HINT = 'Lower the micro-batch.'

describe('a process that computes and has no memory left', () => {
  test.each(['Array buffer allocation failed', 'memory access out of bounds', 'Invalid typed array length: 9e9'])(
    'is known by what the runtime says: %s',
    (text) => {
      expect(toWire(nameMemoryFailure(new RangeError(text), HINT))).toMatchObject({
        code: 'out-of-memory',
        message: expect.stringContaining(text),
        hint: HINT,
      })
    },
  )

  test('keeps the engine’s own limit as the message, and says what to lower as well', () => {
    const full = new AppError({ code: 'out-of-memory', message: 'It reaches 4.3 GB.', hint: 'Another has more.' })
    expect(toWire(nameMemoryFailure(full, HINT))).toMatchObject({
      code: 'out-of-memory',
      message: 'It reaches 4.3 GB.',
      hint: 'Lower the micro-batch. Another has more.',
    })
  })

  test('is not made of another failure', () => {
    const other = new AppError({ code: 'spec-invalid', message: 'a', hint: 'b' })
    expect(nameMemoryFailure(other, HINT)).toBe(other)
    const plain = new Error('something else')
    expect(nameMemoryFailure(plain, HINT)).toBe(plain)
  })
})
