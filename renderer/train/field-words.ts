import type { DataKind } from '../../shared/data-kinds.ts'
import type { FormField } from '../../shared/form.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { upperFirst } from '../../shared/metric-names.ts'

/** Settings that count what the data hold speak of pairs, queries or texts. */
export function inWordsOf(kind: DataKind, field: FormField): FormField {
  if (field.unit !== 'items') return field
  const { items } = KIND_WORDS[kind]
  const say = (text: string): string => text.replaceAll(/\bItems\b/g, upperFirst(items)).replaceAll(/\bitems\b/g, items)
  return { ...field, title: say(field.title), help: say(field.help), unit: items }
}
