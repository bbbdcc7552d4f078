import type { z } from 'zod'
import { AppError, describeIssues } from '../../../shared/errors.ts'

/** A run's settings by the schema of its method's page. @throws AppError `spec-invalid` */
export function parseConfig(page: { readonly name: string; readonly config: z.ZodType }, config: unknown): unknown {
  const parsed = page.config.safeParse(config)
  if (parsed.success) return parsed.data
  throw new AppError({
    code: 'spec-invalid',
    message: `${page.name}: ${describeIssues(parsed.error)}`,
    hint: 'Start the run again from its request.',
  })
}
