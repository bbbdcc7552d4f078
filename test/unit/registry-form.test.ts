import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { QueryClientProvider } from '@tanstack/react-query'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import { algorithmHandlers } from '../../main/app/handlers/algorithms.ts'
import { algorithms } from '../../main/core/learn/registry.ts'
import {
  draftFields,
  emptyDraft,
  isChanged,
  readDraft,
  relevantFields,
  setTyped,
  textOf,
  type Draft,
} from '../../renderer/train/draft.ts'
import { judgeField } from '../../renderer/train/judge-field.ts'
import type { TrainForm } from '../../renderer/train/use-train.ts'

// Every method's settings as the Train page draws them. The rest of what a method has to have is in integration/registry.test.ts.

// A window whose host never answers: to draw a form nothing is asked of it.
vi.stubGlobal('window', { bridge: { call: () => new Promise(() => undefined), subscribe: () => () => undefined } })

const infos = await algorithmHandlers()['algorithms.list']({})

let draw: (form: TrainForm) => string
beforeAll(async () => {
  const { SettingsForm } = await import('../../renderer/train/SettingsForm.tsx')
  const { queryClient } = await import('../../renderer/api/queries.ts')
  queryClient.setQueryData(['settings.get', {}], { view: { 'train.fold': 'all' } })
  draw = (form) =>
    renderToStaticMarkup(
      createElement(QueryClientProvider, { client: queryClient }, createElement(SettingsForm, { form })),
    )
})

function formOf(draft: Draft, algorithm: AlgorithmInfo): TrainForm {
  const { request, problems } = readDraft(draft, algorithm, judgeField)
  return {
    draft,
    algorithm,
    algorithms: infos,
    datasets: [],
    dataset: undefined,
    fields: draftFields(algorithm, draft.preset),
    request,
    problems,
    otherProblems: [],
    check: undefined,
    checkError: null,
    valid: true,
    change: () => undefined,
  }
}

const escaped = (text: string): string => renderToStaticMarkup(createElement('i', null, text)).slice(3, -4)

/** The setting whose label begins with the title, as markup. */
function settingsTitled(html: string, title: string): string[] {
  return html
    .split('<div class="setting"')
    .filter((part) =>
      new RegExp(
        `^[^>]*><div class="setting-name"><label for="[^"]+">${escaped(title).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}( [^<]*)?</label>`,
      ).test(part),
    )
}

test('there is a form for every method of the registry', () => {
  expect(infos.map(({ id }) => id)).toEqual(algorithms.map(({ id }) => id))
})

describe.each(infos.map((info) => [info.id, info] as const))('the form of %s', (_id, info) => {
  test.each(info.presets.map((preset) => preset.id))(
    'from the preset %s shows every setting with its symbol, help, unit and value',
    (preset) => {
      const draft = { ...emptyDraft('data', info), preset }
      const html = draw(formOf(draft, info))
      const fields = relevantFields(draft, info)
      expect(fields.length).toBeGreaterThan(info.learns ? 5 : 2)
      for (const field of fields) {
        const rows = settingsTitled(html, field.title)
        expect(rows.length, field.path).toBeGreaterThan(0)
        const text = textOf(draft, field)
        const label = `>${escaped(field.title)}${field.symbol === null ? '' : ` ${escaped(field.symbol)}`}</label>`
        const control =
          field.kind === 'boolean' || field.kind === 'enum' || field.kind === 'union'
            ? `<option value="${escaped(text)}" selected="">`
            : `value="${escaped(text)}"`
        const whole = (row: string): boolean =>
          row.includes(label) &&
          row.includes(control) &&
          row.includes(escaped(field.help)) &&
          (field.unit === null || row.includes(`<span class="setting-unit">${escaped(field.unit)}</span>`))
        expect(rows.some(whole), `${field.path}: ${rows.join('\n')}`).toBe(true)
      }
      expect(html).not.toContain('data-invalid="true"')
    },
  )

  test('has no setting of training where nothing is trained', () => {
    const training = relevantFields(emptyDraft('data', info), info).filter(({ path }) => path.startsWith('training.'))
    if (info.learns) expect(training.length).toBeGreaterThan(10)
    else expect(training.map(({ path }) => path)).toEqual(['training.samplePrompts'])
  })

  test.skipIf(!info.learns)('marks a changed setting and says what is wrong with one that cannot be read', () => {
    const draft = emptyDraft('data', info)
    const field = draftFields(info, draft.preset).find((one) => one.path === 'training.learningRate')!
    const changed = setTyped(draft, field.path, '0.0123')
    expect(isChanged(changed, field)).toBe(true)
    expect(settingsTitled(draw(formOf(changed, info)), field.title)[0]).toMatch(
      /^ data-changed="true" data-invalid="false".*value="0\.0123"/,
    )
    const wrong = settingsTitled(draw(formOf(setTyped(draft, field.path, 'fast'), info)), field.title)[0]!
    expect(wrong).toMatch(
      /^ data-changed="true" data-invalid="true".*aria-invalid="true".*role="alert">Learning rate must be a number/,
    )
  })
})
