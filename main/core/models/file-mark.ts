import { z } from 'zod'

/** A file as it was when the model was added: enough to notice a change without reading it. */
export const fileMark = z.strictObject({ name: z.string(), sizeBytes: z.number(), mtimeMs: z.number() })
export type FileMark = z.infer<typeof fileMark>
