import { z } from 'zod'
import { fieldsOf, type FormField } from '../../shared/form.ts'
import { rewardSource } from '../../shared/run-spec.ts'

function judge(): FormField {
  const [field] = fieldsOf(z.toJSONSchema(z.strictObject({ judge: rewardSource }), { io: 'input' }))
  if (field === undefined) throw new Error('the schema of a reward source has no fields')
  return field
}

/** What scores generated samples: the same choices as a method's own reward. */
export const judgeField = judge()
