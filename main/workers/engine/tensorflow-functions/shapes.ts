// Arithmetic of shapes, as TensorFlow's operations have it. Axes count from the end where they are negative.

export function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, at) => {
    let size = 1
    for (const shape of shapes) {
      const own = shape[at - rank + shape.length] ?? 1
      if (own === 1 || own === size) continue
      if (size !== 1) throw new RangeError('shapes that do not go together')
      size = own
    }
    return size
  })
}

export function fromStart(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

export function reduce(shape: readonly number[], axes: ArrayLike<number>, keep: boolean): number[] {
  const gone = new Set(Array.from(axes, (axis) => fromStart(axis, shape.length)))
  return keep ? shape.map((size, at) => (gone.has(at) ? 1 : size)) : shape.filter((_, at) => !gone.has(at))
}

export function expanded(shape: readonly number[], axis: number, size = 1): number[] {
  return shape.toSpliced(fromStart(axis, shape.length + 1), 0, size)
}

export function reshaped(from: readonly number[], to: Int32Array): number[] {
  const left = to.indexOf(-1)
  if (left < 0) return [...to]
  const product = (sizes: Iterable<number>): number => [...sizes].reduce((all, size) => all * size, 1)
  const known = product(to.filter((size) => size !== -1))
  return Array.from(to, (size) => (size === -1 ? (known === 0 ? 0 : product(from) / known) : size))
}
