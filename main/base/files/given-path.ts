import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * A path as people have it at hand: in the quotes that a file manager copies it with, as a file's address, or from `~`, which only
 * a shell would widen. What exists just as it is written is meant so.
 */
export function givenPath(given: string): string {
  if (existsSync(given)) return given
  const text = given.trim().replace(/^(["'])(.*)\1$/s, '$2')
  if (/^file:\/\//i.test(text)) {
    try {
      return fileURLToPath(text)
    } catch {
      return text // of another machine, or no address after all: opening it says so
    }
  }
  return /^~(?=$|[/\\])/.test(text) ? path.join(homedir(), text.slice(1)) : text
}

/** The same, from the folder that the process was started in. */
export function resolveGiven(given: string): string {
  return path.resolve(givenPath(given))
}
