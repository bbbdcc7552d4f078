import { z } from 'zod'

/** `own`: the desktop window and the program itself; `loopback`: whoever has the key of the host, as a page in a browser. */
export type Door = 'own' | 'loopback'

export interface Call<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly input: I
  readonly output: O
  /** Set on a call that runs what its input names: no other door takes it, and this is what to do instead. */
  readonly ownDoorOnly?: string
}

/** Of a call that makes something: the same key again makes nothing twice, whether or not the first answer arrived. */
export const clientKey = z.string().min(8).max(64).optional()

/** What every import of a file asks for; its name is the file's if left empty. */
export const importedFile = {
  path: z.string().min(1),
  name: z.string().max(120).default(''),
  licence: z.string().nullable().default(null),
  clientKey,
} as const

/** One call of the contract: what goes in, what comes out. */
export function call<I extends z.ZodType, O extends z.ZodType>(input: I, output: O): Call<I, O> {
  return { input, output }
}

/** A call that runs what its input names. @param instead what to do where it is refused */
export function ownDoorCall<I extends z.ZodType, O extends z.ZodType>(
  input: I,
  output: O,
  instead: string,
): Call<I, O> {
  return { input, output, ownDoorOnly: instead }
}
