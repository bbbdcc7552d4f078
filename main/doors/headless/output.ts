import { leftOut } from '../../../shared/contract/import-mapping.ts'
import { ERROR_EXIT_STATUS, toWire, type WireError } from '../../../shared/errors.ts'
import { systemError } from '../../base/files/system-error.ts'
import { printable, printableJson, printableLine } from '../../../shared/printable.ts'
import { describeLeftOut } from './import-outcome.ts'

export interface Output {
  readonly json: boolean
  /** For people; silent with --json. */
  say(text?: string): void
  /** Progress and warnings: on stderr, so that stdout can be piped. */
  note(text: string): void
  /** The verb's answer: the only thing on stdout with --json. */
  result(value: unknown, text?: string): void
}

/** What the command line writes goes through these three: names, prompts and messages come from files of strangers. */
export function writeOut(text: string): void {
  process.stdout.write(printable(text))
}

export function writeError(text: string): void {
  process.stderr.write(printable(text))
}

/** @param json one document, or one a line */
export function writeJson(json: string): void {
  process.stdout.write(printableJson(json))
}

export function createOutput(json: boolean): Output {
  return {
    json,
    say: (text = '') => {
      if (!json) writeOut(`${text}\n`)
    },
    note: (text) => writeError(`${text}\n`),
    result(value, text) {
      if (json) writeJson(`${JSON.stringify(value, null, 2)}\n`)
      else if (text !== undefined) writeOut(`${text}\n`)
    },
  }
}

/** What happened and what to do, for a person, or one document for a program; returns the exit status of the error's class. */
export function reportError(error: unknown, json: boolean): number {
  const wire = toWire(systemError(error))
  if (json) writeJson(`${JSON.stringify({ error: wire }, null, 2)}\n`)
  else writeError(`${[wire.message, wire.hint, ...leftOutOf(wire)].join('\n')}\n`)
  if (wire.code === 'internal' && process.env['PAIRLAB_DEBUG'] === '1' && error instanceof Error)
    writeError(`${error.stack ?? ''}\n`)
  return ERROR_EXIT_STATUS[wire.code]
}

/** Where rows of a file were the reason, which ones. */
function leftOutOf({ details }: WireError): string[] {
  const found = leftOut.safeParse(details?.['leftOut'])
  return found.success ? describeLeftOut(found.data) : []
}

export interface TextColumn<Row> {
  readonly title: string
  readonly right?: boolean
  text(row: Row): string
}

/** Columns as wide as their widest cell. */
export function formatTable<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => printableLine(column.text(row))))
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((line) => (line[at] ?? '').length)),
  )
  const line = (parts: readonly string[]): string =>
    parts
      .map((part, at) => (columns[at]?.right === true ? part.padStart(widths[at] ?? 0) : part.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  return [
    line(columns.map((column) => column.title)),
    line(widths.map((width) => '─'.repeat(width))),
    ...cells.map(line),
  ].join('\n')
}
