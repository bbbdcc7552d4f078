import { z } from 'zod'
import { engineName, type EngineName } from '../../../shared/domain.ts'
import { engineCard, engineSpeed } from '../../../shared/contract/engines.ts'
import { childEnvironment } from '../../base/processes/child-environment.ts'
import { wireError } from '../../../shared/errors.ts'
import { startProgram, type ProgramCommand } from '../../base/processes/program.ts'
import { librarySearchPath } from './folder.ts'

export const engineProbe = z.object({
  name: engineName,
  available: z.boolean(),
  device: z.string(),
  threads: z.number().nullable(),
  peakBytes: z.number().nullable(),
  /** A graphics card emulated by the processor. */
  software: z.boolean(),
  card: engineCard.nullable(),
  speed: engineSpeed.nullable(),
  error: wireError.nullable(),
})
export type EngineProbe = z.infer<typeof engineProbe>

export interface ProbeOptions {
  readonly enginesFolder: string
  readonly threads: number | null
  /** How long to measure; 0 only tests. */
  readonly seconds: number
  /** Ends the test; what it gave is not looked at. */
  readonly signal?: AbortSignal
}

const LONGEST_MS = 60_000

/** Environment for a process that opens engines: no more than it needs, and where an added engine's libraries are. */
export function engineEnvironment(enginesFolder: string, whole: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = childEnvironment(whole)
  const libraries = librarySearchPath(enginesFolder)
  if (libraries === '') return env
  return { ...env, LD_LIBRARY_PATH: [libraries, env['LD_LIBRARY_PATH'] ?? ''].filter((part) => part !== '').join(':') }
}

/** Opens and tests an engine in a process of its own, so that a crash is an answer and not the end. Never rejects. */
export function probeEngine(command: ProgramCommand, name: EngineName, options: ProbeOptions): Promise<EngineProbe> {
  const { signal, ...wanted } = options
  const request = JSON.stringify({ engine: name, ...wanted })
  return new Promise((resolve) => {
    const child = startProgram(command, {
      words: ['probe', request],
      environment: engineEnvironment(options.enginesFolder),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let output = ''
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4000)))
    signal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS + 3000 * options.seconds)
    const failed = (message: string): EngineProbe => ({
      name,
      available: false,
      device: '',
      threads: null,
      peakBytes: null,
      software: false,
      card: null,
      speed: null,
      error: {
        code: 'engine-unavailable',
        message,
        hint: 'The rest of the app is not touched by this; use another engine.',
        details: { output: complaint },
      },
    })
    child.once('error', (error) => {
      clearTimeout(timer)
      resolve(failed(`The test of the ${name} engine could not be started: ${error.message}`))
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve(
        readAnswer(output) ??
          failed(
            signal === null
              ? `The test of the ${name} engine ended with status ${code}.`
              : `The test of the ${name} engine was ended by ${signal}.`,
          ),
      )
    })
  })
}

function readAnswer(output: string): EngineProbe | null {
  const line = output
    .trim()
    .split('\n')
    .findLast((one) => one.startsWith('{'))
  if (line === undefined) return null
  const parsed = engineProbe.safeParse(JSON.parse(line))
  return parsed.success ? parsed.data : null
}
