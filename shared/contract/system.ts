import { z } from 'zod'
import { PRESET_USES } from '../presets.ts'
import { algorithmRole, metricInfo } from '../domain.ts'
import { dataKind } from '../data-kinds.ts'
import { call } from './define.ts'

/** Without defaults, so that a change of one setting leaves the others as they are. */
const settingValues = {
  theme: z.enum(['system', 'light', 'dark']),
  /** What happens to runs in progress when the app is closed. */
  onQuit: z.enum(['continue', 'checkpoint']),
  /** How many runs train at the same time on this machine. */
  slots: z.int().min(1).max(64),
  queuePaused: z.boolean(),
  keymap: z.enum(['pairlab', 'argilla', 'label-studio', 'prodigy', 'one-hand']),
  /** Single keys the person changed, by action: { 'label.tie': 't' }. */
  keys: z.record(z.string(), z.string()),
  annotatorId: z.string().nullable(),
  /** Tell the system, too, when a run ends or fails while nobody looks at the window. */
  notifyOfRuns: z.boolean(),
  /** Ask the system not to sleep while a run trains. */
  keepAwake: z.boolean(),
  /** Free-form state of the window: panel sizes, chosen columns, smoothing. */
  view: z.record(z.string(), z.json()),
}

export const settings = z.strictObject({
  theme: settingValues.theme.default('system'),
  onQuit: settingValues.onQuit.default('continue'),
  slots: settingValues.slots.default(1),
  queuePaused: settingValues.queuePaused.default(false),
  keymap: settingValues.keymap.default('pairlab'),
  keys: settingValues.keys.default({}),
  annotatorId: settingValues.annotatorId.default(null),
  notifyOfRuns: settingValues.notifyOfRuns.default(false),
  keepAwake: settingValues.keepAwake.default(true),
  view: settingValues.view.default({}),
})
export type Settings = z.infer<typeof settings>

export const systemInfo = z.strictObject({
  appVersion: z.string(),
  nodeVersion: z.string(),
  sqliteVersion: z.string(),
  electronVersion: z.string().nullable(),
  platform: z.string(),
  cpuCount: z.int(),
  cpuModel: z.string(),
  memoryBytes: z.number(),
  dataFolder: z.string(),
  dataBytes: z.number(),
  diskFreeBytes: z.number(),
  /** What keeps the machine awake while a run trains, in words; null where nothing here can. */
  awakeBy: z.string().nullable(),
  /** Every connection the app can make: see shared/connections.ts. */
  connections: z.array(z.string()),
})
export type SystemInfo = z.infer<typeof systemInfo>

/** Something of the data folder that is not as it was written. */
export const trouble = z.strictObject({
  path: z.string(),
  /** What is wrong, in a sentence. */ trouble: z.string(),
  hint: z.string(),
})
export type Trouble = z.infer<typeof trouble>

export const preset = z.strictObject({
  id: z.string(),
  title: z.string(),
  /** Why these values, in a sentence. */
  note: z.string(),
  suits: z.array(z.enum(PRESET_USES)).optional(),
  config: z.record(z.string(), z.json()),
  training: z.record(z.string(), z.json()),
})

export const algorithmInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** A handful of words for the tile: "chosen against rejected". */
  summary: z.string(),
  paper: z.strictObject({ cite: z.string(), url: z.string() }),
  /** The loss as text, as in the paper. */
  equation: z.string(),
  deviations: z.array(z.string()),
  data: dataKind,
  /** Every kind of data that it can be trained on, `data` first. */
  kinds: z.array(dataKind),
  role: algorithmRole,
  models: z.array(z.enum(['decoder', 'text-encoder', 'networks'])).min(1),
  needsReference: z.boolean(),
  /** False: its runs are measured and make no step. */
  learns: z.boolean(),
  metrics: z.array(metricInfo),
  presets: z.array(preset).min(1),
  /** JSON Schema of the method's own config. shared/form.ts turns it into fields and flags. */
  configSchema: z.json(),
  trainingSchema: z.json(),
})
export type AlgorithmInfo = z.infer<typeof algorithmInfo>

export const systemCalls = {
  'system.info': call(z.strictObject({}), systemInfo),
  'system.log': call(
    z.strictObject({ lines: z.int().min(1).max(10_000).default(200) }),
    z.strictObject({ path: z.string(), lines: z.array(z.string()) }),
  ),
  /** Reads every file of the data folder and compares it with its fingerprint, with the database and with its neighbours. Changes nothing. */
  'system.verify': call(
    z.strictObject({}),
    z.strictObject({ troubles: z.array(trouble), datasets: z.int(), runs: z.int() }),
  ),
  /** What the start found in the data folder and left as it is. */
  'system.troubles': call(z.strictObject({}), z.array(trouble)),
  'settings.get': call(z.strictObject({}), settings),
  'settings.set': call(z.strictObject(settingValues).partial(), settings),
  'algorithms.list': call(z.strictObject({}), z.array(algorithmInfo)),
} as const
