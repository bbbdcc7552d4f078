import type { ActorCommand, ActorStart } from '../../base/processes/actor-protocol.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import { startActor, type Acted, type Actor } from './actor.ts'

/** Policies that act for somebody who watches. */
export interface ActingService {
  /** @param engine of the policy's run, with its threads; null for a script   @throws AppError of the process */
  act(engine: Pick<ActorStart, 'engine' | 'threads'> | null, command: Omit<ActorCommand, 'id'>): Promise<Acted>
  /** Ends every process; the next question starts one. */
  end(): Promise<void>
}

/** A page that is closed without a word leaves its processes for as long. */
const IDLE_MS = 120_000

/** @param command how a process that computes is started */
export function createActingService({
  command,
  enginesFolder,
  idleMs = IDLE_MS,
}: {
  readonly command: ProgramCommand
  readonly enginesFolder: string
  readonly idleMs?: number
}): ActingService {
  /** By engine, since a process has one. */
  const actors = new Map<string, Actor>()
  let idle: NodeJS.Timeout | undefined

  async function end(): Promise<void> {
    clearTimeout(idle)
    const ending = [...actors.values()]
    actors.clear()
    await Promise.all(ending.map((actor) => actor.stop()))
  }

  function actorFor(start: ActorStart, key: string): Actor {
    const known = actors.get(key)
    if (known !== undefined) return known
    const made = startActor(command, start)
    actors.set(key, made)
    void made.gone.then(() => actors.get(key) === made && actors.delete(key))
    return made
  }

  return {
    act(engine, question) {
      clearTimeout(idle)
      idle = setTimeout(() => void end(), idleMs).unref()
      const start = { ...(engine ?? { engine: 'cpu' as const, threads: null }), enginesFolder }
      return actorFor(start, engine === null ? 'scripts' : JSON.stringify(engine)).ask(question)
    },
    end,
  }
}
