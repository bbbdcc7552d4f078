import { z } from 'zod'
import { fieldsOf, formatField } from '../../../shared/form.ts'
import { matters, READ_WITHOUT_TRAINING, type RunUse } from '../../../shared/form-use.ts'
import { trainingConfig, type TrainingConfig } from '../../../shared/training-config.ts'

const fields = fieldsOf(z.toJSONSchema(trainingConfig, { io: 'input' }))

/**
 * Settings that what was chosen elsewhere never reads go back to their defaults, so that runs which do the same are one
 * group. `idle` names those that were asked for otherwise.
 */
export function restIdle(
  training: TrainingConfig,
  use: RunUse & { readonly learns?: boolean | undefined },
): { readonly training: TrainingConfig; readonly idle: readonly string[] } {
  const values = training as Readonly<Record<string, unknown>>
  const resting = fields.filter(
    (field) =>
      (use.learns === false && !READ_WITHOUT_TRAINING.includes(field.path)) ||
      !matters(field, use, (path) => formatField(values[path])),
  )
  const steps = use.learns === false ? { steps: 0 } : {}
  return {
    training: trainingConfig.parse({
      ...training,
      ...Object.fromEntries(resting.map((field) => [field.path, field.default])),
      ...steps,
    }),
    idle: resting
      .filter(({ path, default: usual }) => values[path] !== usual && !(path in steps && values[path] === 0))
      .map((field) => field.title),
  }
}
