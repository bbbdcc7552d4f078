import { z } from 'zod'
import { call } from './define.ts'

export const trashEntry = z.strictObject({
  trashId: z.string(),
  /** `import`: one that never ended. `other`: nothing that Pairlab put there. */
  kind: z.enum(['dataset', 'import', 'run', 'model', 'other']),
  name: z.string(),
  /** Null where an older version did not write it down. */
  deletedAtMs: z.number().nullable(),
  sizeBytes: z.number(),
  /** Label events of people in it. */
  labelEvents: z.int(),
  /** When the rule removes it; null: only on command. */
  removedAtMs: z.number().nullable(),
})
export type TrashEntryInfo = z.infer<typeof trashEntry>

export const trashCalls = {
  /** Newest first. */
  'trash.list': call(z.strictObject({}), z.array(trashEntry)),
  /** Puts it back where it was, with its labels. */
  'trash.restore': call(
    z.strictObject({ trashId: z.string().min(1) }),
    z.strictObject({ kind: trashEntry.shape.kind, id: z.string(), name: z.string() }),
  ),
  /** Removes what is named, or everything, for good. `remains`: where its texts may still stand. */
  'trash.empty': call(
    z.strictObject({ trashIds: z.array(z.string()).nullable().default(null) }),
    z.strictObject({ removed: z.int(), freedBytes: z.number(), remains: z.array(z.string()) }),
  ),
} as const
