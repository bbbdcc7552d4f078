import { z } from 'zod'
import { fieldsOf, formatField } from '../../../shared/form.ts'
import { matters, type RunUse } from '../../../shared/form-use.ts'
import { trainingConfig, type TrainingConfig } from '../../../shared/training-config.ts'

const fields = fieldsOf(z.toJSONSchema(trainingConfig, { io: 'input' }))

/**
 * Settings that what was chosen elsewhere never reads go back to their defaults, so that runs which do the same are one
 * group. `idle` names those that were asked for otherwise.
 */
export function restIdle(
  training: TrainingConfig,
  use: RunUse,
): { readonly training: TrainingConfig; readonly idle: readonly string[] } {
  const values = training as Readonly<Record<string, unknown>>
  const resting = fields.filter((field) => !matters(field, use, (path) => formatField(values[path])))
  return {
    training: trainingConfig.parse({
      ...training,
      ...Object.fromEntries(resting.map((field) => [field.path, field.default])),
    }),
    idle: resting.filter((field) => values[field.path] !== field.default).map((field) => field.title),
  }
}
