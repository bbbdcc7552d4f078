import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeNpy, type NpyArray } from '../../main/base/files/npy.ts'
import { readNpz } from '../../main/core/formats/npz.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { AppError } from '../../shared/errors.ts'

/** How many damages to try: 300 here, thousands by hand. */
const DAMAGES = Number(process.env['PAIRLAB_DAMAGES'] ?? 300)
const forms = ['new_format', 'old_format', 'replay_buffer'] as const
const good = Object.fromEntries(
  forms.map((form) => [form, readFileSync(path.resolve(import.meta.dirname, `../fixtures/cpl/${form}.npz`))]),
)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'npz ü '))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function readBytes(bytes: Uint8Array): Promise<Record<string, NpyArray>> {
  const file = path.join(folder, 'damaged.npz')
  writeFileSync(file, bytes)
  return readNpz(file)
}

/** What came of it: the arrays, or the error, which has to be one that a person can act on. */
async function outcomeOf(bytes: Uint8Array): Promise<Record<string, NpyArray> | AppError> {
  try {
    return await readBytes(bytes)
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(AppError)
    return error as AppError
  }
}

describe('a damaged npz', () => {
  test(`${DAMAGES} times cut, flipped, blanked or mixed: a right read, or an error with its place`, async () => {
    const random = createRandom(14)
    const pick = (count: number): number => Math.floor(random.uniform() * count)
    const whole: Record<string, Record<string, NpyArray>> = {}
    for (const form of forms) whole[form] = await readBytes(good[form]!)
    let refused = 0
    for (let number = 0; number < DAMAGES; number += 1) {
      const form = forms[number % forms.length]!
      const bytes = Buffer.from(good[form]!)
      const at = pick(bytes.length)
      const end = Math.min(bytes.length, at + 1 + pick(64))
      const damage = ['cut', 'flip', 'blank', 'noise', 'remove', 'repeat'][pick(6)]!
      let damaged = bytes
      if (damage === 'cut') damaged = bytes.subarray(0, at)
      else if (damage === 'flip') bytes[at] = bytes[at]! ^ (1 << pick(8))
      else if (damage === 'blank') bytes.fill(0, at, end)
      else if (damage === 'noise') for (let index = at; index < end; index += 1) bytes[index] = pick(256)
      else if (damage === 'remove') damaged = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
      else damaged = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
      const found = await outcomeOf(damaged)
      if (found instanceof AppError) {
        refused += 1
        expect(found.code).toBe('dataset-invalid')
        expect(found.message, damage).toMatch(/byte \d+ of the (file|array)/)
        continue
      }
      // What was read is what was written: a flipped bit of the packed numbers never becomes another number.
      for (const [name, array] of Object.entries(found))
        if (whole[form]![name] !== undefined) expect(array, `${damage} at ${at}: ${name}`).toEqual(whole[form]![name])
    }
    expect(refused).toBeGreaterThan(DAMAGES / 2)
  })

  test('a file of nothing, of text, and a zip without its end', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('no zip at all'), good['new_format']!.subarray(0, 3000)]) {
      expect(await outcomeOf(bytes)).toMatchObject({
        code: 'dataset-invalid',
        message: expect.stringContaining(`byte ${bytes.length} of the file`),
        details: { offset: bytes.length },
      })
    }
  })

  test('an encrypted entry, and one packed by another method, are named', async () => {
    const array = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", Buffer.alloc(8))
    expect(await outcomeOf(zipOf('obs.npy', array, { flags: 1, method: 8 }))).toMatchObject({
      message: expect.stringContaining('obs.npy is encrypted'),
      details: { entry: 'obs.npy', offset: 0 },
    })
    expect(await outcomeOf(zipOf('obs.npy', array, { method: 12 }))).toMatchObject({
      message: expect.stringContaining('method 12'),
      details: { entry: 'obs.npy' },
    })
  })

  test('numbers that were changed behind the zip’s back are not taken', async () => {
    const array = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", Buffer.alloc(8))
    const zip = zipOf('obs.npy', array, { method: 0 })
    zip[zip.indexOf('obs.npy') + 'obs.npy'.length + array.length - 1] = 1
    expect(await outcomeOf(zip)).toMatchObject({ message: expect.stringContaining('its checksum differs') })
  })

  test('stored and deflated entries, with sizes of 64 bits or of 32', async () => {
    const array = npy(
      "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
      Buffer.from(Float64Array.of(1, 2).buffer),
    )
    for (const method of [0, 8])
      for (const zip64 of [false, true])
        expect([...(await readBytes(zipOf('x.npy', array, { method, zip64 })))['x']!.data]).toEqual([1, 2])
  })
})

describe('an array', () => {
  const header = (descr: string, shape: string, fortran = 'False'): string =>
    `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`

  test.each([
    ['of Python objects', header("'|O'", '(1,)'), 'Python objects'],
    ['of texts', header("'<U8'", '(1,)'), 'type <U8'],
    ['of complex numbers', header("'<c16'", '(1,)'), 'type <c16'],
    ['of records', header("[('x', '<f4'), ('y', '<f4')]", '(1,)'), 'several fields'],
    ['whose shape is too large', header("'<f8'", '(9999999, 9999999, 9999999)'), 'fewer numbers'],
    ['whose shape is no tuple of sizes', header("'<f8'", '(-1,)'), 'header cannot be read'],
    ['whose shape is smaller than what it holds', header("'<f8'", '(0, 5)'), 'goes on for 8 bytes'],
    ['without a header', '', 'header cannot be read'],
  ])('%s is refused with its place', (_what, text, reason) => {
    expect(() => decodeNpy(npy(text, Buffer.alloc(8)), 'obs')).toThrow(reason)
    expect(() => decodeNpy(npy(text, Buffer.alloc(8)), 'obs')).toThrow(/The array "obs" .* \(byte \d+ of the array\)/)
  })

  test('by columns, and with the high byte first, gives the same numbers', () => {
    const byColumns = Buffer.alloc(6 * 8)
    ;[1, 4, 2, 5, 3, 6].forEach((value, at) => byColumns.writeDoubleBE(value, at * 8))
    expect(decodeNpy(npy(header("'>f8'", '(2, 3)', 'True'), byColumns), 'x')).toEqual({
      shape: [2, 3],
      data: Float64Array.of(1, 2, 3, 4, 5, 6),
    })
    // [first][second][third], the first running fastest
    const deep = Buffer.from(Uint8Array.from({ length: 8 }, (_, at) => at))
    expect([...decodeNpy(npy(header("'|u1'", '(2, 2, 2)', 'True'), deep), 'x').data]).toEqual([0, 4, 2, 6, 1, 5, 3, 7])
  })
})

function npy(text: string, numbers: Uint8Array): Buffer {
  const header = Buffer.from(`${text.padEnd(117)}\n`, 'latin1')
  const prefix = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8])
  return Buffer.concat([prefix, header, numbers])
}

/** One entry; sizes of 64 bits stand in the extra field, as numpy.savez writes them. */
function zipOf(
  name: string,
  raw: Buffer,
  { method, flags = 0, zip64 = false }: { readonly method: number; readonly flags?: number; readonly zip64?: boolean },
): Buffer {
  const packed = method === 8 ? deflateRawSync(raw) : raw
  const sizes = Buffer.alloc(zip64 ? 20 : 0)
  if (zip64) {
    sizes.writeUInt16LE(1, 0)
    sizes.writeUInt16LE(16, 2)
    sizes.writeBigUInt64LE(BigInt(raw.length), 4)
    sizes.writeBigUInt64LE(BigInt(packed.length), 12)
  }
  const shared = Buffer.alloc(26)
  shared.writeUInt16LE(zip64 ? 45 : 20, 0)
  shared.writeUInt16LE(flags, 2)
  shared.writeUInt16LE(method, 4)
  shared.writeUInt32LE(crc32(raw), 10)
  shared.writeUInt32LE(zip64 ? 0xffffffff : packed.length, 14)
  shared.writeUInt32LE(zip64 ? 0xffffffff : raw.length, 18)
  shared.writeUInt16LE(name.length, 22)
  shared.writeUInt16LE(sizes.length, 24)
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), shared, Buffer.from(name), sizes, packed])
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02', 'latin1'),
    Buffer.from([20, 0]),
    shared,
    Buffer.alloc(14),
    Buffer.from(name),
    sizes,
  ])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}
