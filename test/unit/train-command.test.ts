import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { fieldsOf, flagName, formatField } from '../../shared/form.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { trainCommand } from '../../main/doors/headless/verbs/train.ts'
import { algorithmHandlers } from '../../main/app/handlers/algorithms.ts'
import { algorithms } from '../../main/core/learn/registry.ts'
import { readSchemaFlags } from '../../main/doors/headless/schema-flags.ts'

const infos = await algorithmHandlers()['algorithms.list']({})
const train = trainCommand()

/** The verb of one method, which only reads what it is given. */
function verb(id: string): (typeof train.commands)[number] {
  const found = train.commands.find((command) => command.name() === id)
  if (found === undefined) throw new Error(`pairlab train ${id} is no verb`)
  return found.exitOverride()
}

test('train has a verb for each method, and no other', () => {
  expect(train.commands.map((command) => command.name())).toEqual(algorithms.map((algorithm) => algorithm.id))
})

describe.each(infos.map((info) => [info.id, info] as const))('train %s', (id, info) => {
  test('has a flag for each setting, and says it in its help', () => {
    const keys = [
      ...Object.keys((algorithms.find((algorithm) => algorithm.id === id)!.config as unknown as z.ZodObject).shape),
      ...Object.keys(trainingConfig.shape),
    ]
    const help = verb(id).helpInformation()
    for (const key of keys) expect(help).toContain(`--${flagName(key)} `)
  })

  test('reads every number it is given by a flag', () => {
    const numbers = fieldsOf(info.configSchema).filter(
      (field) =>
        (field.kind === 'number' || field.kind === 'integer') && field.default !== undefined && field.default !== null,
    )
    const command = trainCommand().commands.find((one) => one.name() === id)!
    command.parseOptions([
      '--data',
      'x',
      ...numbers.flatMap((field) => [`--${flagName(field.path)}`, formatField(field.default)]),
    ])
    expect(readSchemaFlags(info.configSchema, command.opts())).toEqual(
      Object.fromEntries(numbers.map((field) => [field.path, field.default])),
    )
  })
})
