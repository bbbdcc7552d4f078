// `entry.ts probe <json>`: opens one engine in this process, tests it, measures it if asked, and says what came of it in
// one line on standard output. A native library that crashes takes this process alone with it.
import { z } from 'zod'
import { engineName } from '../../../shared/domain.ts'
import { toWire } from '../../../shared/errors.ts'
import { openEngine } from '../engine/choose.ts'
import { measureSpeed } from '../engine/measure-speed.ts'
import { selfTest } from '../engine/self-test.ts'

const request = z.object({
  engine: engineName,
  threads: z.int().positive().nullable(),
  enginesFolder: z.string().nullable(),
  /** Seconds to measure for; 0 only tests. */
  seconds: z.number().nonnegative(),
})

export async function probe(text: string): Promise<number> {
  const { engine: name, threads, enginesFolder, seconds } = request.parse(JSON.parse(text))
  try {
    const engine = await openEngine(name, { threads, enginesFolder })
    await selfTest(name)
    // An emulated card takes ten seconds a step, and nothing is chosen by its speed.
    const speed = seconds > 0 && engine.software !== true ? await measureSpeed(seconds) : null
    say({
      name,
      available: true,
      device: engine.device,
      threads: engine.threads,
      peakBytes: engine.memory().peakBytes,
      software: engine.software === true,
      card: engine.card ?? null,
      speed,
      error: null,
    })
    await engine.dispose()
  } catch (error) {
    say({
      name,
      available: false,
      device: '',
      threads: null,
      peakBytes: null,
      software: false,
      card: null,
      speed: null,
      error: toWire(error),
    })
  }
  return 0
}

function say(report: object): void {
  process.stdout.write(`\n${JSON.stringify(report)}\n`)
}
