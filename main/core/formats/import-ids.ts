/** Remembers which ids were seen in 8 bytes each, so that a file of millions of rows stays small in memory. */
export interface IdSet {
  /** False if the id was there already. Two ids in 2⁶⁴ may be taken for one; the row is then numbered instead. */
  add(id: string): boolean
}

const START_SLOTS = 1 << 12

/** Open addressing with linear probing; a slot is two 32-bit halves of the hash, 0 0 meaning free. */
export function createIdSet(): IdSet {
  let slots = new Uint32Array(START_SLOTS * 2)
  let count = 0

  function insert(table: Uint32Array, low: number, high: number): boolean {
    const mask = table.length / 2 - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const first = table[slot * 2]
      const second = table[slot * 2 + 1]
      if (first === 0 && second === 0) {
        table[slot * 2] = low
        table[slot * 2 + 1] = high
        return true
      }
      if (first === low && second === high) return false
    }
  }

  function grow(): void {
    const larger = new Uint32Array(slots.length * 2)
    for (let slot = 0; slot < slots.length; slot += 2) {
      const low = slots[slot] ?? 0
      const high = slots[slot + 1] ?? 0
      if (low !== 0 || high !== 0) insert(larger, low, high)
    }
    slots = larger
  }

  return {
    add(id) {
      const low = hash(id, 0x811c9dc5)
      const added = insert(slots, low, hash(id, low ^ 0x9e3779b9) || 1)
      if (added) count += 1
      if (count * 8 > slots.length * 3) grow() // three quarters full: a slot has two numbers
      return added
    },
  }
}

/** FNV-1a over UTF-16 units with a final mix; the seed makes two independent halves. */
function hash(text: string, seed: number): number {
  let value = seed
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
