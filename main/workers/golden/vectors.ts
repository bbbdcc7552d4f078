import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'

/** A number, a nested list of numbers, or a record of those; null stands for a missing answer. */
export type Value = number | null | string | boolean | readonly Value[] | { readonly [key: string]: Value }

export interface GoldenCase {
  readonly name: string
  readonly inputs: Readonly<Record<string, Value>>
  readonly params: Readonly<Record<string, Value>>
  readonly outputs: Readonly<Record<string, Value>>
  readonly tags: readonly string[]
}

const fields = z.record(z.string(), z.json())
const goldenFile = z.object({
  format: z.literal(1),
  cases: z.array(
    z.object({
      name: z.string(),
      inputs: fields.default({}),
      params: fields.default({}),
      outputs: fields,
      tags: z.array(z.string()).default([]),
    }),
  ),
})

/** @throws AppError `input-invalid` for text that is not a vector file */
export function parseGoldenFile(text: string): readonly GoldenCase[] {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (error) {
    throw new AppError({
      code: 'input-invalid',
      message: `not JSON: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Check the file.',
      cause: error,
    })
  }
  const parsed = goldenFile.safeParse(raw)
  if (!parsed.success)
    throw new AppError({
      code: 'input-invalid',
      message: `not a vector file: ${z.prettifyError(parsed.error).replace(/\s+/g, ' ')}`,
      hint: 'Check the file.',
    })
  return parsed.data.cases.map((item) => ({
    ...item,
    inputs: readNumbers(item.inputs),
    params: readNumbers(item.params),
    outputs: readNumbers(item.outputs),
  }))
}

/** Non-finite numbers are written as strings. */
function readNumbers(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, readNumber(value)]))
}

function readNumber(value: Value): Value {
  if (value === 'NaN') return NaN
  if (value === 'Infinity') return Infinity
  if (value === '-Infinity') return -Infinity
  if (Array.isArray(value)) return value.map(readNumber)
  if (typeof value === 'object' && value !== null) return readNumbers(value as Readonly<Record<string, Value>>)
  return value
}

/** Reads a case's fields with a plain message for each that is missing or of another shape. */
export interface Reader {
  number(name: string): number
  numberOr(name: string, fallback: number): number
  text(name: string): string
  vector(name: string): number[]
  matrix(name: string): number[][]
  cube(name: string): number[][][]
  raw(name: string): Value
  has(name: string): boolean
}

export function reader(record: Readonly<Record<string, Value>>, where: string): Reader {
  const fail = (name: string, wanted: string): never => {
    throw new AppError({ code: 'input-invalid', message: `${where}.${name} is not ${wanted}`, hint: 'Check the file.' })
  }
  const read = <T>(name: string, schema: z.ZodType<T>, wanted: string): T => {
    const parsed = schema.safeParse(record[name])
    return parsed.success ? parsed.data : fail(name, wanted)
  }
  const number = z.custom<number>((value) => typeof value === 'number') // z.number() refuses the non-finite ones
  return {
    number: (name) => read(name, number, 'a number'),
    numberOr: (name, fallback) =>
      record[name] === undefined || record[name] === null ? fallback : read(name, number, 'a number'),
    text: (name) => read(name, z.string(), 'a text'),
    vector: (name) => read(name, z.array(number), 'a list of numbers'),
    matrix: (name) => read(name, z.array(z.array(number)), 'a matrix'),
    cube: (name) => read(name, z.array(z.array(z.array(number))), 'a three-dimensional array'),
    raw: (name) => record[name] ?? fail(name, 'given'),
    has: (name) => record[name] !== undefined && record[name] !== null,
  }
}
