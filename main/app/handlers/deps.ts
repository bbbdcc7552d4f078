import type { Trouble } from '../../../shared/contract/system.ts'
import type { CollectionService } from '../collections/collection-service.ts'
import type { ImportService } from '../data/import-service.ts'
import type { ActingService } from '../acting/acting-service.ts'
import type { CollectService } from '../data/segments/collect-service.ts'
import type { EngineService } from '../engine-setup/engine-service.ts'
import type { EventBus } from '../events.ts'
import type { MatchService } from '../matches/match-service.ts'
import type { ReproductionService } from '../papers/reproduction-service.ts'
import type { PlaygroundService } from '../playground/playground-service.ts'
import type { Reader } from '../reading/reader.ts'
import type { ModelService } from '../registry/model-service.ts'
import type { RunService } from '../runs/run-service.ts'
import type { WritableDb } from '../store/open.ts'

/** Where handlers write what a person may want to read later. */
export interface HandlerLog {
  readonly path: string
  info(text: string, details?: unknown): void
  warn(text: string, details?: unknown): void
  error(text: string, details?: unknown): void
  tail(lines: number): string[]
}

/** Everything a handler may use. One object, made in app.ts. */
export interface HandlerDeps {
  readonly db: WritableDb
  readonly dataFolder: string
  /** The bundled `resources/`: sample data and help. */
  readonly resourcesFolder: string
  readonly events: EventBus
  readonly appVersion: string
  /** Null outside Electron. */
  readonly electronVersion: string | null
  readonly log: HandlerLog
  /** What the start found in the data folder and left as it is. */
  readonly troubles: readonly Trouble[]
  readonly runs: RunService
  readonly imports: ImportService
  readonly collecting: CollectService
  /** Reads the files that a person gives. */
  readonly reader: Reader
  /** Reads the collections of judged lists. */
  readonly collections: CollectionService
  readonly models: ModelService
  readonly papers: ReproductionService
  readonly matches: MatchService
  readonly playground: PlaygroundService
  readonly acting: ActingService
  readonly engines: EngineService
}
