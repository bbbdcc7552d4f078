import path from 'node:path'

/** The files through which the app and a training process talk. Both sides build every path here. */
export interface RunPaths {
  readonly folder: string
  readonly spec: string
  readonly events: string
  readonly control: string
  readonly checkpoints: string
  readonly log: string
  readonly lock: string
}

export function runPaths(folder: string): RunPaths {
  return {
    folder,
    spec: path.join(folder, 'spec.json'),
    events: path.join(folder, 'events.jsonl'),
    control: path.join(folder, 'control.json'),
    checkpoints: path.join(folder, 'checkpoints'),
    log: path.join(folder, 'log.txt'),
    lock: path.join(folder, 'trainer.lock'),
  }
}

/** A checkpoint's folder name sorts as its step does. */
export function checkpointFolder(folder: string, step: number): string {
  return path.join(runPaths(folder).checkpoints, String(step).padStart(8, '0'))
}
