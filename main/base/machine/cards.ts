// What the system tells of the graphics cards in use: NVIDIA's own program, and the kernel's files of the others.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import type { CardReading } from '../../../shared/contract/engines.ts'
import { runProgram } from '../processes/run-program.ts'

/** Asked for in this order. */
const ASKED = [
  'name',
  'driver_version',
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'power.draw',
] as const
const LONGEST_MS = 5000
const MEBIBYTE = 2 ** 20

/** As PCI numbers those who make cards. */
const MAKERS: Readonly<Record<string, string>> = { '0x1002': 'AMD', '0x8086': 'Intel', '0x10de': 'NVIDIA' }

export interface CardSources {
  /** Default: looked for on the path. */
  readonly nvidiaSmi?: string
  /** Default: where Linux shows its cards. */
  readonly drmFolder?: string
}

/** Every card that the system tells of. Never rejects: what is not told is null, and where nothing is, the list is empty. */
export async function readCards({ nvidiaSmi = 'nvidia-smi', drmFolder = '/sys/class/drm' }: CardSources = {}): Promise<
  CardReading[]
> {
  const ofNvidia = parseNvidia(
    await run(nvidiaSmi, [`--query-gpu=${ASKED.join(',')}`, '--format=csv,noheader,nounits']),
  )
  return [...ofNvidia, ...readDrm(drmFolder, ofNvidia.length > 0)]
}

/**
 * The card that an engine's device names: of several of one name the busiest, since which of them it is is not told.
 * @param device as an engine says it, e.g. "WebGPU, nvidia NVIDIA H200 570.86.10"
 */
export function cardOf(device: string, cards: readonly CardReading[]): CardReading | null {
  const said = device.toLowerCase()
  const named = cards.filter(
    ({ name, driver }) => said.includes(name.toLowerCase()) || (said.includes('cuda') && driver.startsWith('NVIDIA')),
  )
  const [first, ...rest] = named.length > 0 ? named : cards.length === 1 ? cards : []
  return first === undefined
    ? null
    : rest.reduce((one, other) => ((other.use ?? 0) > (one.use ?? 0) ? other : one), first)
}

async function run(program: string, args: readonly string[]): Promise<string> {
  try {
    const { status, stdout } = await runProgram(program, args, {
      signal: AbortSignal.timeout(LONGEST_MS),
      purpose: 'compute',
    })
    return status === 0 ? stdout : ''
  } catch {
    return '' // no answer in time: a driver that hangs
  }
}

/** A line a card; what a card does not tell stands as [N/A] or [Not Supported]. */
function parseNvidia(text: string): CardReading[] {
  return text.split('\n').flatMap((line) => {
    const cells = line.split(',').map((cell) => cell.trim())
    if (cells.length !== ASKED.length) return []
    const [name, driver, ...numbers] = cells as [string, string, ...string[]]
    const [percent, used, total, temperature, power] = numbers.map((cell) => {
      const value = Number(cell)
      return cell === '' || !Number.isFinite(value) ? null : value
    }) as [number | null, number | null, number | null, number | null, number | null] // five were asked for
    return [
      {
        name,
        driver: `NVIDIA ${driver}`,
        use: percent === null ? null : percent / 100,
        memoryUsedBytes: used === null ? null : used * MEBIBYTE,
        memoryBytes: total === null ? null : total * MEBIBYTE,
        temperature,
        watts: power,
      },
    ]
  })
}

function readDrm(folder: string, nvidiaKnown: boolean): CardReading[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((entry) => /^card\d+$/.test(entry))
    .flatMap((entry) => {
      const device = path.join(folder, entry, 'device')
      const maker = readWord(path.join(device, 'vendor'))
      if (maker === null || (maker === '0x10de' && nvidiaKnown)) return []
      const sensors = sensorFolder(device)
      const sensor = (file: string): number | null => (sensors === null ? null : readCount(path.join(sensors, file)))
      const busy = readCount(path.join(device, 'gpu_busy_percent'))
      const milliDegrees = sensor('temp1_input')
      const microWatts = sensor('power1_average') ?? sensor('power1_input')
      return [
        {
          name: readWord(path.join(device, 'product_name')) ?? `${MAKERS[maker] ?? `Maker ${maker}`} ${entry}`,
          driver: driverOf(device),
          use: busy === null ? null : busy / 100,
          memoryUsedBytes: readCount(path.join(device, 'mem_info_vram_used')),
          memoryBytes: readCount(path.join(device, 'mem_info_vram_total')),
          temperature: milliDegrees === null ? null : milliDegrees / 1000,
          watts: microWatts === null ? null : microWatts / 1e6,
        },
      ]
    })
}

function sensorFolder(device: string): string | null {
  const folder = path.join(device, 'hwmon')
  const [first] = existsSync(folder) ? readdirSync(folder) : []
  return first === undefined ? null : path.join(folder, first)
}

function driverOf(device: string): string {
  try {
    return path.basename(readlinkSync(path.join(device, 'driver')))
  } catch {
    return '' // no driver has it
  }
}

function readWord(file: string): string | null {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return text === '' ? null : text
  } catch {
    return null // not told by this driver
  }
}

function readCount(file: string): number | null {
  const word = readWord(file)
  const value = word === null ? Number.NaN : Number(word)
  return Number.isFinite(value) ? value : null
}
