/**
 * Indices come from the caller's own count of rows; one outside would read or write another tensor, or say nothing.
 * @throws RangeError
 */
export function checkIndices(indices: Int32Array, rows: number): void {
  for (const index of indices) if (index < 0 || index >= rows) throw new RangeError(`row ${index} of ${rows}`)
}
