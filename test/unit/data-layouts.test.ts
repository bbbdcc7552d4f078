import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type ImportMapping, inspection } from '../../shared/contract/import-mapping.ts'
import type { Content } from '../../shared/data-kinds.ts'
import { inspectFile } from '../../main/core/formats/inspect.ts'
import { sharedLength } from '../../main/core/formats/layouts-content.ts'
import { readRow } from '../../main/core/formats/layouts.ts'
import { compileMapping } from '../../main/core/formats/mapping-compile.ts'
import { guessMapping } from '../../main/core/formats/mapping-guess.ts'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-layouts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function inspect(file: string, mapping: ImportMapping | null = null, limit = 20) {
  return inspection.parse(await inspectFile(file, { mapping, limit }))
}
const fixture = (name: string): Promise<Awaited<ReturnType<typeof inspect>>> => inspect(path.join(fixtures, name))

let written = 0
function jsonl(rows: readonly unknown[]): string {
  written += 1
  const file = path.join(folder, `${written}.txt`)
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))
  return file
}

function sides(read: Awaited<ReturnType<typeof inspect>>): { prompt: Content; a: Content; b: Content }[] {
  return read.rows.map(({ prompt, a, b }) => ({ prompt, a, b }))
}
const said = (role: string, content: string): { role: string; content: string } => ({ role, content })

describe('TRL', () => {
  it('reads explicit prompts and keeps the space before a completion', async () => {
    const read = await fixture('trl/standard_explicit.jsonl')
    expect(read.mapping).toMatchObject({
      format: 'jsonl',
      layout: 'trl-explicit',
      columns: { prompt: 'prompt', chosen: 'chosen', rejected: 'rejected' },
    })
    expect(sides(read)[0]).toEqual({ prompt: 'Name a citrus fruit:', a: ' a lime.', b: ' a potato.' })
    expect(read.rows[0]?.labels).toEqual([{ annotator: 'file', outcome: 'a', strength: null }])
    expect(read.missingRoles).toEqual([])
  })

  it('finds implicit prompts: parting, one the head of the other, parting at once', async () => {
    const read = await fixture('trl/standard_implicit.jsonl')
    expect(read.mapping.layout).toBe('trl-implicit')
    expect(sides(read)).toEqual([
      { prompt: 'The kettle is', a: ' hot.', b: ' purple.' },
      { prompt: 'The sky', a: '', b: ' is blue' },
      { prompt: '', a: 'Paris ', b: 'London' },
    ])
    expect(read.problems).toMatchObject([{ line: 2, severity: 'warning', code: 'answer-empty' }])
  })

  it('reads conversations, explicit and implicit', async () => {
    expect(sides(await fixture('trl/conversational_explicit.jsonl'))).toEqual([
      {
        prompt: [said('user', 'Best soil for basil?')],
        a: [said('assistant', 'Loose, well-drained soil.')],
        b: [said('assistant', 'Wet clay.')],
      },
    ])
    expect(sides(await fixture('trl/conversational_implicit.jsonl'))).toEqual([
      {
        prompt: [said('user', 'Hi')],
        a: [said('assistant', 'Hello, how can I help?')],
        b: [said('assistant', 'What.')],
      },
    ])
  })

  it('says which roles are missing in files that hold no pairs', async () => {
    expect((await fixture('trl/unpaired.jsonl')).missingRoles).toEqual(['a', 'b'])
    expect((await fixture('trl/language_modeling.jsonl')).missingRoles).toEqual(['a', 'b', 'prompt'])
    expect((await fixture('hh-rlhf/red_team_row.json')).missingRoles).toContain('a')
  })

  it('puts an implicit prompt back together, whatever the text, and never cuts a character', () => {
    const mapping = compileMapping(guessMapping('jsonl', ['chosen', 'rejected'], []))
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '😀', '😁', 'é', '\n'), maxLength: 12 })
    fc.assert(
      fc.property(text, text, text, (head, left, right) => {
        const chosen = head + left
        const rejected = head + right
        const pair = readRow({ chosen, rejected }, 1, mapping).row?.pair
        expect(`${String(pair?.prompt)}${String(pair?.a)}`).toBe(chosen)
        expect(`${String(pair?.prompt)}${String(pair?.b)}`).toBe(rejected)
        expect(
          String(pair?.prompt).isWellFormed() && String(pair?.a).isWellFormed() && String(pair?.b).isWellFormed(),
        ).toBe(true)
        expect(sharedLength(chosen, rejected)).toBeGreaterThanOrEqual(head.length)
      }),
    )
    expect(readRow({ chosen: '😀', rejected: '😁' }, 1, mapping).row?.pair).toMatchObject({
      prompt: '',
      a: '😀',
      b: '😁',
    })
    expect(readRow({ chosen: 'same', rejected: 'same' }, 1, mapping)).toMatchObject({
      row: { pair: { prompt: 'same', a: '', b: '' } },
      problems: [{ code: 'answer-empty' }, { code: 'answers-same' }],
    })
  })
})

describe('hh-rlhf', () => {
  it('ends the prompt at the last assistant mark that both sides share', async () => {
    const read = await fixture('hh-rlhf/train.jsonl')
    expect(read.mapping.layout).toBe('hh-rlhf')
    expect(sides(read)).toEqual([
      {
        prompt:
          '\n\nHuman: How do I keep bread fresh?\n\nAssistant: Wrap it and keep it cool.\n\nHuman: And in summer?\n\nAssistant:',
        a: ' Freeze slices.',
        b: ' Do nothing.',
      },
      {
        prompt: '\n\nHuman: Suggest a walk.\n\nAssistant:',
        a: ' Try the river path.\n\nHuman: How long?\n\nAssistant: An hour.',
        b: ' No.\n\nHuman: Why not?\n\nAssistant: Because.',
      },
      { prompt: '\n\nHuman: Say nothing.\n\nAssistant:', a: ' ', b: ' Nothing!' },
    ])
  })

  it('leaves out dialogues that share no assistant turn', () => {
    const mapping = compileMapping({ ...guessMapping('jsonl', ['chosen', 'rejected'], []), layout: 'hh-rlhf' })
    expect(
      readRow({ chosen: '\n\nHuman: a\n\nAssistant: b', rejected: '\n\nHuman: c\n\nAssistant: d' }, 4, mapping),
    ).toMatchObject({ row: null, problems: [{ line: 4, severity: 'error', code: 'dialogues-part-early' }] })
  })
})

describe('UltraFeedback', () => {
  it('drops the turn that the prompt repeats, and takes equal scores for a tie', async () => {
    const read = await fixture('ultrafeedback_binarized_h4/train_prefs.jsonl')
    expect(read.mapping.columns).toMatchObject({
      score_chosen: 'reward-a',
      score_rejected: 'reward-b',
      prompt_id: 'metadata',
      messages: 'metadata',
    })
    expect(sides(read)[0]).toEqual({
      prompt: [said('user', 'Explain tides.')],
      a: [said('assistant', 'The Moon pulls the sea.')],
      b: [said('assistant', 'Fish push it.')],
    })
    expect(read.rows.map((row) => row.labels[0]?.outcome)).toEqual(['a', 'tie'])
    expect(read.rows[1]?.sentence).toBe(
      'chosen and rejected are tied, because score_chosen and score_rejected are equal.',
    )
    expect(sides(await fixture('ultrafeedback_binarized_trl/train.jsonl'))[0]).toEqual({
      prompt: [said('user', 'Explain tides.')],
      a: [said('assistant', 'The Moon pulls the sea.')],
      b: [said('assistant', 'Fish push it.')],
    })
  })

  it('warns when the rejected side has the higher score', async () => {
    const read = await inspect(
      jsonl([{ prompt: 'p', chosen: 'c', rejected: 'r', score_chosen: 1, score_rejected: '2.5' }]),
    )
    expect(read.rows[0]?.labels[0]?.outcome).toBe('a')
    expect(read.problems).toMatchObject([{ code: 'score-against-choice', severity: 'warning' }])
  })
})

describe('flat files', () => {
  it('reads arena battles: sides with the turn they share, a word for each outcome', async () => {
    const read = await fixture('arena/battles.jsonl')
    expect(read.mapping).toMatchObject({
      layout: 'mapped',
      columns: {
        conversation_a: 'a',
        conversation_b: 'b',
        winner: 'label',
        judge: 'annotator',
        question_id: 'metadata',
      },
    })
    expect(read.missingRoles).toEqual([])
    expect(read.rows.map((row) => row.labels)).toEqual(
      (['a', 'b', 'tie', 'both-bad'] as const).map((outcome) => [{ annotator: 'j1', outcome, strength: null }]),
    )
    expect(read.rows[0]).toMatchObject({
      prompt: [said('user', 'Hi')],
      a: [said('assistant', 'Hello')],
      b: [said('assistant', 'Yo')],
      sentence: 'conversation_a is chosen, conversation_b is rejected, because winner says model_a.',
    })
  })

  it('says in plain words which side wins and why', async () => {
    const row = { instruction: 'i', input: '', response1: 'x', response2: 'y' }
    const read = await inspect(
      jsonl([
        { ...row, annotator1: 1, annotator2: 1, annotator3: 1 },
        { ...row, annotator1: 2, annotator2: 1, annotator3: 2 },
        { ...row, annotator1: 0, annotator2: 0, annotator3: null },
        { ...row, annotator1: null, annotator2: null, annotator3: null },
      ]),
    )
    expect(read.rows.map((item) => item.sentence)).toEqual([
      'response1 is chosen, response2 is rejected, because annotator1, annotator2 and annotator3 all say 1.',
      'response2 is chosen, response1 is rejected, because annotator1 and annotator3 say 2 and annotator2 says 1 (the majority counts here; training sees every label).',
      'response1 and response2 are tied, because annotator1 and annotator2 both say 0.',
      'No label: neither response1 nor response2 is chosen yet.',
    ])
    const flipped = await inspect(jsonl([{ ...row, annotator1: 1 }]), { ...read.mapping, flip: true })
    expect(flipped.rows[0]).toMatchObject({
      a: 'x',
      b: 'y',
      labels: [{ annotator: 'annotator1', outcome: 'b' }],
      sentence: 'response2 is chosen, response1 is rejected, because annotator1 says 1, with the sides flipped.',
    })
  })

  it('flips files of chosen and rejected answers without moving their text', async () => {
    const file = path.join(fixtures, 'trl/standard_explicit.jsonl')
    const { mapping } = await inspect(file)
    expect((await inspect(file, { ...mapping, flip: true })).rows[0]).toMatchObject({
      a: ' a lime.',
      b: ' a potato.',
      labels: [{ annotator: 'file', outcome: 'b' }],
      sentence: 'rejected is chosen, chosen is rejected, because the columns are named so, with the sides flipped.',
    })
  })

  it('takes 0 and 1 alone for the index of the winner, and knows the sides by their names', async () => {
    const index = await inspect(
      jsonl([
        { prompt: 'p', summary_0: 'x', summary_1: 'y', choice: 1 },
        { prompt: 'p', summary_0: 'x', summary_1: 'y', choice: 0 },
      ]),
    )
    expect(index.rows.map((row) => row.labels)).toEqual([
      [{ annotator: 'file', outcome: 'b', strength: null }],
      [{ annotator: 'file', outcome: 'a', strength: null }],
    ])
    const named = await inspect(
      jsonl([
        { question: 'p', answer_a: 'x', answer_b: 'y', preference: 'answer_b', strength: 'clearly', worker: 'w7' },
      ]),
    )
    expect(named.rows[0]?.labels).toEqual([{ annotator: 'w7', outcome: 'b', strength: 'clearly' }])
  })

  it('asks for what it cannot guess', async () => {
    const read = await inspect(jsonl([{ topic: 'p', one: 'x', two: 'y' }]))
    expect(read).toMatchObject({ missingRoles: ['a', 'b', 'prompt'], rows: [], problems: [] })
    const mapping: ImportMapping = { ...read.mapping, columns: { topic: 'prompt', one: 'a', two: 'b' } }
    expect(await inspect(read.path, mapping)).toMatchObject({
      missingRoles: [],
      rows: [{ prompt: 'p', a: 'x', b: 'y', labels: [], sentence: 'No label: neither one nor two is chosen yet.' }],
    })
  })

  it('leaves out rows whose answer is no text and says why', async () => {
    const good = { prompt: 'p', chosen: 'c' }
    const read = await inspect(
      jsonl([
        { ...good, rejected: true },
        { ...good, rejected: 3 },
        { ...good, rejected: null },
        good,
        { ...good, rejected: [], chosen: 'x' },
        { ...good, rejected: [{ role: 'user' }], chosen: [] },
        { ...good, rejected: 'r' },
      ]),
    )
    expect(read.problems.map(({ line, code, reason }) => [line, code, reason])).toEqual([
      [1, 'answer-not-text', 'rejected holds true instead of text.'],
      [2, 'answer-not-text', 'rejected holds the number 3 instead of text.'],
      [3, 'answer-missing', 'rejected is null.'],
      [4, 'answer-missing', 'rejected is missing.'],
      [5, 'answers-differ-in-form', 'One answer is text, the other a conversation.'],
      [6, 'answer-empty', 'chosen and rejected are empty.'],
    ])
    expect(read.rows.map((row) => row.line)).toEqual([6, 7])
  })

  it('keeps other columns untouched, ids as text and tool calls in the turns and beside them', () => {
    const mapping = compileMapping(
      guessMapping('jsonl', ['prompt', 'chosen', 'rejected', 'id', 'weight', 'source', 'n'], []),
    )
    const chosen = [{ role: 'assistant', content: null, tool_calls: [{ name: 'f' }] }]
    const { row } = readRow(
      {
        prompt: 'p',
        chosen,
        rejected: [{ from: 'gpt', value: 'r' }],
        id: 7,
        weight: '0.5',
        source: { a: [1] },
        n: null,
      },
      3,
      mapping,
    )
    expect(row).toEqual({
      id: '7',
      labels: [{ annotator: 'file', outcome: 'a', strength: null }],
      pair: {
        line: 3,
        prompt: [said('user', 'p')],
        a: [said('assistant', '[{"name":"f"}]')],
        b: [said('assistant', 'r')],
        rewardA: null,
        rewardB: null,
        weight: 0.5,
        metadata: { source: { a: [1] }, n: null, chosen },
      },
    })
  })

  it('reports a label that no value stands for', () => {
    const mapping = compileMapping({
      ...guessMapping('csv', ['prompt', 'a', 'b', 'label'], []),
      labelValues: { a: [], b: [], tie: [], bothBad: [], skip: [] },
    })
    expect(readRow({ prompt: 'p', a: 'x', b: 'y', label: 'purple' }, 2, mapping)).toMatchObject({
      row: null,
      problems: [{ code: 'label-unknown', reason: 'label holds "purple", which no label value stands for.' }],
    })
    expect(readRow({ prompt: 'p', a: 'x', b: 'y', label: 'A' }, 2, mapping).row?.labels).toEqual([
      { annotator: 'file', outcome: 'a', strength: null },
    ])
    expect(readRow({ prompt: 'p', a: 'x', b: 'y', label: '' }, 2, mapping).row?.labels).toEqual([])
  })

  it('joins Alpaca’s instruction and input by a blank line', () => {
    const mapping = compileMapping(guessMapping('json', ['instruction', 'input', 'chosen', 'rejected'], []))
    const prompts = [
      ['do', 'this'],
      ['do', ''],
      ['', 'this'],
    ].map(([instruction, input]) => readRow({ instruction, input, chosen: 'c', rejected: 'r' }, 1, mapping))
    expect(prompts.map(({ row, problems }) => [row?.pair.prompt, problems.map((problem) => problem.code)])).toEqual([
      ['do\n\nthis', []],
      ['do', []],
      ['this', ['prompt-part-empty']],
    ])
  })
})

describe('the PandaLM sample', () => {
  it('is understood without a word', async () => {
    const file = fileURLToPath(new URL('../../resources/samples/pandalm/testset-v1.json', import.meta.url))
    const read = await inspect(file)
    expect(read.mapping).toMatchObject({
      format: 'json',
      layout: 'mapped',
      flip: false,
      columns: {
        idx: 'id',
        instruction: 'prompt',
        input: 'prompt-2',
        response1: 'a',
        response2: 'b',
        annotator1: 'label',
        annotator2: 'label',
        annotator3: 'label',
        motivation_app: 'metadata',
        cmp_key: 'metadata',
      },
    })
    const rows = JSON.parse(readFileSync(file, 'utf8')) as { instruction: string; input: string }[] // the bundled file
    expect(read.rows[0]?.prompt).toBe(`${rows[0]?.instruction ?? ''}\n\n${rows[0]?.input ?? ''}`)
    expect(read.missingRoles).toEqual([])
  })
})
