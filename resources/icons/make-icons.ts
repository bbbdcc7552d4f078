// Draws the application icon: two answers side by side, one of them chosen. Run: node resources/icons/make-icons.ts
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateSync, crc32 } from 'node:zlib'

const here = path.dirname(fileURLToPath(import.meta.url))
type Colour = readonly [number, number, number]
const ACCENT: Colour = [69, 73, 201]
const WHITE: Colour = [255, 255, 255]
const SUBSAMPLES = 4

/** Whether (x, y) lies in the rounded rectangle, all in units of the icon's side. */
function inRounded(
  x: number,
  y: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
  radius: number,
): boolean {
  if (x < left || x > right || y < top || y > bottom) return false
  const dx = Math.max(left + radius - x, x - (right - radius), 0)
  const dy = Math.max(top + radius - y, y - (bottom - radius), 0)
  return dx * dx + dy * dy <= radius * radius
}

function colourAt(x: number, y: number): Colour | null {
  if (!inRounded(x, y, 0.04, 0.04, 0.96, 0.96, 0.2)) return null
  const leftBar = inRounded(x, y, 0.24, 0.24, 0.46, 0.76, 0.06) && !inRounded(x, y, 0.295, 0.295, 0.405, 0.705, 0.025)
  const rightBar = inRounded(x, y, 0.54, 0.24, 0.76, 0.76, 0.06)
  return leftBar || rightBar ? WHITE : ACCENT
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([size, body, check])
}

/** RGBA PNG of one square size. */
function drawPng(size: number): Buffer {
  const rows = Buffer.alloc(size * (size * 4 + 1))
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const sum = [0, 0, 0, 0]
      for (let sub = 0; sub < SUBSAMPLES * SUBSAMPLES; sub++) {
        const x = (column + ((sub % SUBSAMPLES) + 0.5) / SUBSAMPLES) / size
        const y = (row + (Math.floor(sub / SUBSAMPLES) + 0.5) / SUBSAMPLES) / size
        const colour = colourAt(x, y)
        if (colour === null) continue
        for (let channel = 0; channel < 3; channel++) sum[channel] = (sum[channel] ?? 0) + (colour[channel] ?? 0)
        sum[3] = (sum[3] ?? 0) + 1
      }
      const covered = sum[3] ?? 0
      const at = row * (size * 4 + 1) + 1 + column * 4
      for (let channel = 0; channel < 3; channel++)
        rows[at + channel] = covered === 0 ? 0 : Math.round((sum[channel] ?? 0) / covered)
      rows[at + 3] = Math.round((255 * covered) / (SUBSAMPLES * SUBSAMPLES))
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header.set([8, 6, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows, { level: 9 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

/** Windows icon: a directory of PNGs. */
function makeIco(images: ReadonlyMap<number, Buffer>): Buffer {
  const header = Buffer.alloc(6 + 16 * images.size)
  header.writeUInt16LE(1, 2)
  header.writeUInt16LE(images.size, 4)
  let offset = header.length
  let entry = 6
  for (const [size, png] of images) {
    header.set([size % 256, size % 256, 0, 0, 1, 0, 32, 0], entry)
    header.writeUInt32LE(png.length, entry + 8)
    header.writeUInt32LE(offset, entry + 12)
    offset += png.length
    entry += 16
  }
  return Buffer.concat([header, ...images.values()])
}

/** macOS icon: typed blocks of PNGs. */
function makeIcns(images: ReadonlyMap<string, Buffer>): Buffer {
  const blocks = [...images].map(([type, png]) => {
    const header = Buffer.alloc(8)
    header.write(type, 'latin1')
    header.writeUInt32BE(png.length + 8, 4)
    return Buffer.concat([header, png])
  })
  const body = Buffer.concat(blocks)
  const header = Buffer.alloc(8)
  header.write('icns', 'latin1')
  header.writeUInt32BE(body.length + 8, 4)
  return Buffer.concat([header, body])
}

const sizes = [16, 32, 48, 64, 128, 256, 512, 1024]
const images = new Map(sizes.map((size) => [size, drawPng(size)]))
const imageOf = (size: number): Buffer => images.get(size) ?? drawPng(size)
for (const [size, png] of images) writeFileSync(path.join(here, `${size}x${size}.png`), png)
writeFileSync(
  path.join(here, 'icon.ico'),
  makeIco(new Map([16, 32, 48, 64, 128, 256].map((size) => [size, imageOf(size)]))),
)
writeFileSync(
  path.join(here, 'icon.icns'),
  makeIcns(
    new Map([
      ['ic07', imageOf(128)],
      ['ic08', imageOf(256)],
      ['ic09', imageOf(512)],
      ['ic10', imageOf(1024)],
    ]),
  ),
)
