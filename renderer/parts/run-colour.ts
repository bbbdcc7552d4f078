/** The look of a run, the same in table, legend and chart: colour by run id, dash by group. */

const COLOURS = 8
export const DASHES: readonly (readonly number[])[] = [[], [5, 3], [1.5, 2.5], [7, 2, 1.5, 2]]

/** FNV-1a: small, and the same everywhere. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}

/** The name of the token: `--r1` … `--r8`. */
export function runColourToken(runId: string): string {
  return `--r${(hash(runId) % COLOURS) + 1}`
}

/** The colour as it is now, for a canvas. Ask again when the theme changes. */
export function runColour(runId: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(runColourToken(runId)).trim()
}

/** Lengths of strokes and gaps in pixels; empty is a full line. */
export function groupDash(groupHash: string): readonly number[] {
  return DASHES[hash(groupHash) % DASHES.length] ?? []
}
