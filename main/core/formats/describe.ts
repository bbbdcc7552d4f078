import { majorityOf } from './majority.ts'
import type { FileLabel } from './layouts-labels.ts'
import { isNoLabel } from './label-words.ts'
import { cellOf, type CompiledMapping } from './mapping-compile.ts'
import type { RowValues } from './readers.ts'

/** "x", "x and y", "x, y and z" */
export function listWords(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? ''
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}

/**
 * Says in plain words which side of a row wins and why: "response1 is chosen, response2 is rejected, because
 * annotator1, annotator2 and annotator3 all say 1."
 */
export function describeRow(values: RowValues, labels: readonly FileLabel[], mapping: CompiledMapping): string {
  const a = mapping.a ?? 'the first answer'
  const b = mapping.b ?? 'the second answer'
  if (mapping.labels.length > 0 && !mapping.labelsAreKnown)
    return `Not read yet: ${reasonOf(values, labels, mapping)}, and what that means is not settled.`
  const verdict = majorityOf(labels.map((label) => label.outcome))
  if (verdict === null)
    return labels.length === 0
      ? `No label: neither ${a} nor ${b} is chosen yet.`
      : `No side is chosen, because ${reasonOf(values, labels, mapping)}.`
  const reason = reasonOf(values, labels, mapping)
  if (verdict === 'tie') return `${a} and ${b} are tied, because ${reason}.`
  if (verdict === 'both-bad') return `Both ${a} and ${b} are bad, because ${reason}.`
  const [winner, loser] = verdict === 'a' ? [a, b] : [b, a]
  return `${winner} is chosen, ${loser} is rejected, because ${reason}.`
}

function reasonOf(values: RowValues, labels: readonly FileLabel[], mapping: CompiledMapping): string {
  const flipped = mapping.flip ? ', with the sides flipped' : ''
  if (mapping.flags !== null)
    return `${listWords([mapping.flags.a, mapping.flags.b, ...(mapping.flags.tie === null ? [] : [mapping.flags.tie])].map((column) => `${column} says ${String(cellOf(values, column))}`))}${flipped}`
  if (mapping.labels.length === 0) return `${rankedReason(labels, mapping)}${flipped}`
  const given = mapping.labels.filter(({ column }) => !isNoLabel(cellOf(values, column)))
  const byValue = Map.groupBy(given, ({ column }) => String(cellOf(values, column)).slice(0, 60))
  const parts = [...byValue].map(
    ([value, columns]) =>
      `${listWords(columns.map(({ column }) => column))} ${columns.length === 1 ? 'says' : columns.length === given.length && columns.length > 2 ? 'all say' : columns.length === given.length ? 'both say' : 'say'} ${value}`,
  )
  const split = byValue.size > 1 ? ' (the majority counts here; training sees every label)' : ''
  return `${listWords(parts)}${split}${flipped}`
}

function rankedReason(labels: readonly FileLabel[], mapping: CompiledMapping): string {
  if (labels[0]?.outcome === 'tie')
    return `${mapping.rewardA ?? 'score a'} and ${mapping.rewardB ?? 'score b'} are equal`
  return 'the columns are named so'
}
