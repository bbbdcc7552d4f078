/** A float32 matrix in NumPy's .npy format, version 1.0, little-endian, row by row. values [rows · columns] */
export function npyOf(values: Float32Array, rows: number, columns: number): Uint8Array {
  const words = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`
  const start = 10
  const headerBytes = Math.ceil((start + words.length + 1) / 64) * 64 - start // the data begin at a multiple of 64
  const bytes = new Uint8Array(start + headerBytes + values.byteLength)
  bytes.set([0x93, ...Buffer.from('NUMPY'), 1, 0])
  new DataView(bytes.buffer).setUint16(8, headerBytes, true)
  bytes.set(Buffer.from(`${words.padEnd(headerBytes - 1)}\n`, 'latin1'), start)
  const view = new DataView(bytes.buffer, start + headerBytes)
  values.forEach((value, at) => view.setFloat32(at * 4, value, true))
  return bytes
}
