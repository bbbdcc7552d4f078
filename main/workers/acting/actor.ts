// `entry.ts act <json>`: policies act in worlds, for somebody who watches. See actor-protocol.ts. It opens no database and writes no file.
import { createInterface } from 'node:readline'
import type { EngineName } from '../../../shared/domain.ts'
import { toWire } from '../../../shared/errors.ts'
import {
  actorCommand,
  actorStart,
  type ActorCommand,
  type ActorMessage,
  type ActorStart,
} from '../../base/processes/actor-protocol.ts'
import { scriptOf } from '../../core/worlds/behaviours.ts'
import { findWorld } from '../../core/worlds/registry.ts'
import { eachOf, type BatchPolicy } from '../../core/worlds/roll-out.ts'
import { nameMemoryFailure } from '../memory-failure.ts'
import { openEpisode, type Episode } from './episode.ts'

/** Of two players and a few starts to look back at. */
const EPISODES_KEPT = 8

export async function act(text: string): Promise<number> {
  const start = actorStart.parse(JSON.parse(text))
  const episodes = new Map<string, Promise<Episode>>()
  let engine: Promise<EngineName> | null = null
  const policies = new Map<string, Promise<BatchPolicy>>()

  /** Trained policies compute with tensors, and an engine is opened for the first of them. */
  function learned(path: string, world: string): Promise<BatchPolicy> {
    engine ??= openFor(start)
    const key = JSON.stringify([path, world])
    const known = policies.get(key)
    if (known !== undefined) return known
    const opened = engine.then(async () => (await import('./network-policy.ts')).openNetworkPolicy(path, world))
    policies.set(key, opened)
    opened.catch(() => policies.delete(key)) // it may be there the next time
    return opened
  }

  async function begin({ world, policy, start: from }: ActorCommand): Promise<Episode> {
    const kind = findWorld(world)
    const acts =
      policy.kind === 'script'
        ? eachOf(scriptOf(kind, policy.script, policy.noise), kind.info)
        : await learned(policy.path, world)
    return openEpisode(kind, acts, from)
  }

  function episodeOf(command: ActorCommand): Promise<Episode> {
    const key = JSON.stringify([command.world, command.policy, command.start])
    const known = episodes.get(key) ?? begin(command)
    episodes.delete(key)
    episodes.set(key, known)
    known.catch(() => episodes.delete(key))
    for (const [old, episode] of [...episodes].slice(0, -EPISODES_KEPT)) {
      episodes.delete(old)
      episode.then((one) => one.dispose()).catch(() => undefined) // one that never began has nothing to give back
    }
    return known
  }

  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const command = actorCommand.parse(JSON.parse(line))
    try {
      const steps = await (await episodeOf(command)).steps(command.from, command.steps)
      say({ type: 'acted', id: command.id, steps, engine: command.policy.kind === 'script' ? null : await engine })
    } catch (error) {
      console.error(error)
      say({ type: 'error', id: command.id, error: toWire(nameMemoryFailure(error, 'Close what else computes.')) })
    }
  }
  return 0
}

/** The engine that is asked for; the one that is always there where it cannot be opened. */
async function openFor({ engine, threads, enginesFolder }: ActorStart): Promise<EngineName> {
  const { openEngine } = await import('../engine/choose.ts')
  try {
    await openEngine(engine, { threads, enginesFolder })
    return engine
  } catch (error) {
    if (engine === 'wasm') throw error
    console.error(`the ${engine} engine could not be used`, error)
    await openEngine('wasm', { threads, enginesFolder })
    return 'wasm'
  }
}

function say(message: ActorMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
