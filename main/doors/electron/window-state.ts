import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Where the window was when it was closed, in pixels of the desktop. */
const windowState = z.object({
  x: z.int().exactOptional(),
  y: z.int().exactOptional(),
  width: z.int().positive(),
  height: z.int().positive(),
  maximized: z.boolean(),
})
export type WindowState = z.infer<typeof windowState>

/** Null at the first start, and of a file that someone broke: the window has no other memory. */
export function readWindowState(file: string): WindowState | null {
  try {
    return windowState.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data ?? null
  } catch {
    return null
  }
}
