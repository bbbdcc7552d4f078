import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { mutate, mutateJson } from './mutate.ts'

/** Something that takes what strangers send. */
export interface Target {
  readonly name: string
  readonly seeds: readonly Buffer[]
  /** Default: bytes are changed, whatever they mean. */
  readonly change?: (seed: Buffer, random: () => number) => Buffer
  /** @param folder of its own, empty   @throws in `read`: a typed error where the input is no good, anything else is a fault */
  open(folder: string): Opened | Promise<Opened>
}

export interface Opened {
  read(input: Buffer): Promise<void> | void
  close?(): Promise<void>
}

/** A reader of one JSON document: its values are changed as often as its bytes. */
export function jsonTarget(
  name: string,
  fileName: string,
  document: Buffer,
  read: (file: string) => Promise<void> | void,
): Target {
  return {
    ...fileTarget(name, fileName, [document], read),
    change: (seed, random) => (random() < 0.5 ? mutateJson(seed, random) : mutate(seed, random)),
  }
}

/** One reader of one file. @param pack puts changed contents into their container: else only containers would be tried */
export function fileTarget(
  name: string,
  fileName: string,
  seeds: readonly Buffer[],
  read: (file: string) => Promise<void> | void,
  pack?: (contents: Buffer) => Buffer,
): Target {
  return {
    name,
    seeds,
    change: (seed, random) =>
      pack === undefined
        ? mutate(seed, random)
        : random() < 0.3
          ? mutate(pack(seed), random)
          : pack(mutate(seed, random)),
    open(folder) {
      const file = path.join(folder, fileName)
      return {
        async read(input) {
          rmSync(folder, { recursive: true, force: true })
          mkdirSync(path.dirname(file), { recursive: true })
          writeFileSync(file, input)
          await read(file)
        },
      }
    },
  }
}
