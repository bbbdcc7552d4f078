import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { toText } from '../../shared/data-kinds.ts'
import type { ColumnRole, LabelAnswer } from '../../shared/contract/datasets.ts'
import { inspectFile } from '../../main/core/formats/inspect.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-public-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Row = Readonly<Record<string, unknown>>
const user = (content: string): Row => ({ role: 'user', content })
const said = (content: string): Row => ({ role: 'assistant', content })
const human = (value: string): Row => ({ from: 'human', value })
const gpt = (value: string): Row => ({ from: 'gpt', value })

let written = 0
async function inspect(
  rows: readonly Row[] | string,
  roles: Record<string, ColumnRole> = {},
  labels: LabelAnswer | null = null,
) {
  written += 1
  const file = path.join(folder, `${written}.${typeof rows === 'string' ? 'csv' : 'jsonl'}`)
  writeFileSync(file, typeof rows === 'string' ? rows : rows.map((row) => JSON.stringify(row)).join('\n'))
  return inspectFile(file, { mapping: null, roles, labels, limit: 50 })
}

/** Prompt, winner's text (or tie), as a person would check them. */
function winners(read: Awaited<ReturnType<typeof inspect>>): string[] {
  return read.rows.map(({ prompt, a, b, labels }) => {
    const outcome = labels[0]?.outcome
    const text = (value: typeof a): string =>
      (typeof value === 'string' ? value : value.map((turn) => turn.content).join(' / ')).trim()
    return `${typeof prompt === 'string' ? prompt : prompt.map((turn) => `${turn.role}: ${turn.content}`).join(' | ')} → ${outcome === 'a' ? text(a) : outcome === 'b' ? text(b) : (outcome ?? 'no label')}`
  })
}

/** Layouts that are understood without a word: rows as their makers write them, and who must win. */
const UNDERSTOOD: readonly (readonly [string, readonly Row[] | string, readonly string[]])[] = [
  [
    'UltraFeedback binarized',
    [
      {
        prompt: 'p',
        prompt_id: 'x',
        chosen: [user('p'), said('good')],
        rejected: [user('p'), said('bad')],
        messages: [user('p'), said('good')],
        score_chosen: 8,
        score_rejected: 3,
      },
    ],
    ['user: p → good'],
  ],
  [
    'UltraFeedback with a rendered prompt',
    [{ prompt: '<|user|>\np\n<|assistant|>', chosen: [user('p'), said('good')], rejected: [user('p'), said('bad')] }],
    ['user: p → good'],
  ],
  [
    'HelpSteer 3',
    [-3, 0, 1].map((overall_preference) => ({
      domain: 'code',
      language: 'python',
      context: [user('p')],
      response1: 'one',
      response2: 'two',
      overall_preference,
      individual_preference: [],
    })),
    ['user: p → one', 'user: p → tie', 'user: p → two'],
  ],
  [
    'HelpSteer 2 preferences',
    [-2, 1].map((preference_strength) => ({
      split: 'train',
      prompt: 'p',
      response_1: 'one',
      response_2: 'two',
      preference_strength,
      preference_statement: 's',
      preference_elaboration: 'e',
    })),
    ['p → one', 'p → two'],
  ],
  [
    'SHP, where 1 means the first',
    [1, 0].map((labels) => ({
      post_id: 'x',
      domain: 'd',
      history: 'p',
      human_ref_A: 'one',
      human_ref_B: 'two',
      labels,
      score_A: labels === 1 ? 9 : 2,
      score_B: 5,
      score_ratio: 2,
    })),
    ['p → one', 'p → two'],
  ],
  [
    'arena battles',
    ['model_a', 'model_b', 'tie', 'tie (bothbad)'].map((winner) => ({
      model_a: 'x',
      model_b: 'y',
      winner,
      conversation_a: [user('p'), said('one')],
      conversation_b: [user('p'), said('two')],
    })),
    ['user: p → one', 'user: p → two', 'user: p → tie', 'user: p → both-bad'],
  ],
  [
    'the arena as a table of flags and JSON lists',
    `id,model_a,model_b,prompt,response_a,response_b,winner_model_a,winner_model_b,winner_tie\n1,x,y,"[""p"",""q""]","[""one"",""uno""]","[""two"",""duo""]",0,1,0\n2,x,y,"[""p""]","[""one""]","[""two""]",0,0,1\n`,
    ['user: p → two / q / duo', 'user: p → tie'],
  ],
  [
    'comparisons of summaries',
    [0, 1].map((choice) => ({
      info: { id: 'i', post: 'p', title: 't' },
      summaries: [
        { text: ' one', policy: 'x' },
        { text: ' two', policy: 'y' },
      ],
      choice,
      worker: 'w',
      split: choice === 0 ? 'train' : 'valid1',
    })),
    ['p → one', 'p → two'],
  ],
  [
    'PKU-SafeRLHF',
    [0, 1].map((better_response_id) => ({
      prompt: 'p',
      response_0: 'zero',
      response_1: 'one',
      is_response_0_safe: true,
      better_response_id,
      safer_response_id: 1 - better_response_id,
    })),
    ['p → zero', 'p → one'],
  ],
  [
    'PKU-SafeRLHF, sorted',
    [{ prompt: 'p', response_0: 'zero', response_1: 'one', better_response_id: 1 }],
    ['p → one'],
  ],
  ['Orca pairs', [{ system: 's', question: 'p', chosen: 'good', rejected: 'bad' }], ['system: s | user: p → good']],
  [
    'Orca pairs of Argilla',
    [
      {
        system: 's',
        input: 'p',
        chosen: 'good',
        rejected: 'bad',
        generations: ['x', 'y'],
        order: ['x'],
        rating: [1, 2],
        status: 'ok',
        chosen_score: 8,
      },
    ],
    ['system: s | user: p → good'],
  ],
  [
    'Capybara',
    [
      {
        source: 'x',
        conversation: [{ input: 'p', output: 'old' }],
        chosen: [user('p'), said('old'), user('q'), said('good')],
        rejected: [user('p'), said('old'), user('q'), said('bad')],
        rating_chosen: 5,
        rating_rejected: 3,
        chosen_model: 'x',
        rejected_model: 'y',
      },
    ],
    ['user: p | assistant: old | user: q → good'],
  ],
  ['py-dpo', [{ prompt: 'p', chosen: 'good', rejected: 'bad', id: 'x' }], ['p → good']],
  [
    'Argilla’s mix, with models beside the texts',
    [
      {
        dataset: 'x',
        chosen: [user('p'), said('good')],
        rejected: [user('p'), said('bad')],
        'chosen-rating': 5,
        'rejected-rating': 2,
        'chosen-model': 'x',
        'rejected-model': 'y',
      },
    ],
    ['user: p → good'],
  ],
  [
    'LLaMA-Factory, conversations',
    [{ conversations: [human('p')], chosen: gpt('good'), rejected: gpt('bad'), system: 's', tools: '[{"name":"f"}]' }],
    ['system: s\n\n[{"name":"f"}] | user: p → good'],
  ],
  [
    'LLaMA-Factory, instruction and history',
    [{ instruction: 'p', input: 'q', system: '', history: [['a', 'b']], chosen: 'good', rejected: 'bad' }],
    ['user: a | assistant: b | user: p\n\nq → good'],
  ],
  [
    'ms-swift, a rejected response',
    [{ messages: [{ role: 'system', content: 's' }, user('p'), said('good')], rejected_response: 'bad' }],
    ['system: s | user: p → good'],
  ],
  [
    'ms-swift, rejected messages',
    [{ messages: [user('p'), said('good')], rejected_messages: [said('bad')] }],
    ['user: p → good'],
  ],
  [
    'ms-swift, query and response',
    [{ query: 'p', response: 'good', rejected_response: 'bad', history: [['a', 'b']] }],
    ['user: a | assistant: b | user: p → good'],
  ],
  [
    'axolotl, Intel’s chat form',
    [{ system: 's', question: 'p', chosen: 'good', rejected: 'bad' }],
    ['system: s | user: p → good'],
  ],
  [
    'axolotl, Argilla’s chat form',
    [{ instruction: 'p', chosen_response: 'good', rejected_response: 'bad' }],
    ['p → good'],
  ],
  [
    'tulu',
    [
      {
        id: 'x',
        source: 'y',
        prompt: 'q',
        chosen: [user('p'), said('a'), user('q'), said('good')],
        rejected: [user('p'), said('a'), user('q'), said('bad')],
      },
    ],
    ['user: p | assistant: a | user: q → good'],
  ],
  [
    'Stack Exchange pairs',
    [{ qid: 1, question: 'p', date: 'd', metadata: [], response_j: 'good', response_k: 'bad' }],
    ['p → good'],
  ],
  ['winner and loser texts', [{ prompt: 'p', winner_text: 'good', loser_text: 'bad' }], ['p → good']],
  ['y_w and y_l', [{ prompt: 'p', y_w: 'good', y_l: 'bad' }], ['p → good']],
  ['answers as lists of one', [{ prompt: ['p'], chosen: ['good'], rejected: ['bad'] }], ['user: p → good']],
  [
    'WebGPT, whose scores stay beside unlabeled pairs',
    [
      {
        question: { id: 'x', full_text: 'p' },
        quotes_0: {},
        answer_0: 'zero',
        score_0: 1,
        quotes_1: {},
        answer_1: 'one',
        score_1: -1,
      },
    ],
    ['p → no label'],
  ],
  [
    'a winner’s index of another name',
    [1, 0].map((winner_index) => ({ prompt: 'p', response_a: 'one', response_b: 'two', winner_index })),
    ['p → two', 'p → one'],
  ],
  [
    'a model’s suggestion, which is no label',
    [{ prompt: 'p', response1: 'one', response2: 'two', 'preference.suggestion': 'response1' }],
    ['p → no label'],
  ],
  [
    'turns of other names',
    [{ chosen_messages: [user('p'), said('good')], rejected_messages: [user('p'), said('bad')] }],
    ['user: p → good'],
  ],
  [
    'Label Studio’s left and right under any name',
    ['left', 'right'].map((pw) => ({ text1: 'one', text2: 'two', prompt: 'p', pw, annotator: 3, lead_time: 4.2 })),
    ['p → one', 'p → two'],
  ],
  [
    'verdicts of arena-hard',
    ['A>>B', 'B>A', 'A=B', '[[B]]'].map((verdict) => ({ question: 'p', answer_a: 'one', answer_b: 'two', verdict })),
    ['p → one', 'p → two', 'p → tie', 'p → two'],
  ],
  [
    'names of models as labels',
    ['y', 'x'].map((winner) => ({
      prompt: 'p',
      model_a: 'x',
      model_b: 'y',
      response_a: 'one',
      response_b: 'two',
      winner,
    })),
    ['p → two', 'p → one'],
  ],
  [
    'the better text as label',
    ['two', 'one'].map((preferred) => ({ prompt: 'p', response_a: 'one', response_b: 'two', preferred })),
    ['p → two', 'p → one'],
  ],
  [
    'chosen that names a column',
    ['response_b', 'response_a'].map((chosen) => ({
      prompt: 'p',
      response_a: 'one',
      response_b: 'two',
      chosen,
      rejected: chosen === 'response_a' ? 'response_b' : 'response_a',
    })),
    ['p → two', 'p → one'],
  ],
  [
    'sentences',
    ['Response A is slightly better than Response B', 'strongly prefer B', 'no preference'].map((preference) => ({
      prompt: 'p',
      response_a: 'one',
      response_b: 'two',
      preference,
    })),
    ['p → one', 'p → two', 'p → tie'],
  ],
  [
    'flags that name a side',
    [true, false].map((b_is_better) => ({ prompt: 'p', response_a: 'one', response_b: 'two', b_is_better })),
    ['p → two', 'p → one'],
  ],
  [
    'flags of 0 and 1 that name a side',
    [1, 0].map((response_1_wins) => ({ prompt: 'p', response_1: 'one', response_2: 'two', response_1_wins })),
    ['p → one', 'p → two'],
  ],
  [
    'a list of two answers',
    [
      { prompt: 'p', responses: ['one', 'two'], choice: 1 },
      { prompt: 'p', responses: ['one', 'two'], choice: 0 },
    ],
    ['p → two', 'p → one'],
  ],
  [
    'numbers as a spreadsheet writes them',
    'prompt,answer1,answer2,winner\np,one,two,1.0\np,one,two, 2\np,one,two,"""1"""\n',
    ['p → one', 'p → two', 'p → one'],
  ],
  [
    'turns as JSON text in a table',
    'chosen,rejected\n"[{""role"": ""user"", ""content"": ""p""}, {""role"": ""assistant"", ""content"": ""good""}]","[{""role"": ""user"", ""content"": ""p""}, {""role"": ""assistant"", ""content"": ""bad""}]"\n',
    ['user: p → good'],
  ],
  [
    'tie last, where the sides count from 0',
    [0, 1, 2].map((winner) => ({ prompt: 'p', response_0: 'zero', response_1: 'one', winner })),
    ['p → zero', 'p → one', 'p → tie'],
  ],
  [
    'tie first, where the sides count from 1',
    [0, 1, 2].map((winner) => ({ prompt: 'p', response_1: 'one', response_2: 'two', winner })),
    ['p → tie', 'p → one', 'p → two'],
  ],
]

describe('public layouts', () => {
  it.each(UNDERSTOOD)('%s', async (_name, rows, expected) => {
    const read = await inspect(rows)
    expect({ questions: read.questions, missing: read.missingRoles }).toEqual({ questions: [], missing: [] })
    expect(winners(read)).toEqual(expected)
    expect(read.problems.filter((problem) => problem.severity === 'error')).toEqual([])
  })
})

const pair = (label: unknown, name = 'preference', more: Row = {}): Row => ({
  prompt: 'p',
  response_a: 'one',
  response_b: 'two',
  [name]: label,
  ...more,
})

/** Labels that can be meant in several ways: the readings that must be offered, each by its option. */
const ASKED: readonly (readonly [string, readonly Row[], readonly string[]])[] = [
  [
    'a signed preference of an unknown source',
    [-1, 0, 1, 3].map((value) => pair(value, 'overall_preference')),
    ['--direction negative-is-first', '--direction negative-is-second'],
  ],
  [
    '−1, 0 and 1',
    [-1, 0, 1].map((value) => pair(value)),
    ['--direction negative-is-first', '--direction negative-is-second', '--values "0=a,1=b,-1=tie"'],
  ],
  [
    'a scale of seven',
    [1, 2, 4, 7].map((value) => pair(value)),
    ['--scale 1..7 --direction low-is-first', '--scale 1..7 --direction low-is-second'],
  ],
  [
    'a scale of five, as text',
    ['1', '5', '3'].map((value) => pair(value)),
    ['--scale 1..5 --direction low-is-first', '--scale 1..5 --direction low-is-second'],
  ],
  [
    'a scale from 0',
    [0, 4, 2, 1].map((value) => pair(value)),
    ['--scale 0..4 --direction low-is-first', '--scale 0..4 --direction low-is-second'],
  ],
  [
    'a probability',
    [0.2, 0.9].map((value) => pair(value)),
    ['--scale 0..1 --direction low-is-first', '--scale 0..1 --direction low-is-second'],
  ],
  [
    'points of a game',
    [0, 0.5, 1].map((value) => pair(value)),
    ['--scale 0..1 --direction low-is-first', '--scale 0..1 --direction low-is-second'],
  ],
  [
    'one value alone, where the sides have no numbers',
    [1, 1].map((value) => pair(value)),
    ['--values "1=a,2=b"', '--values "0=a,1=b"'],
  ],
  [
    '0, 1 and 2, where the sides have no numbers',
    [0, 1, 2].map((value) => pair(value)),
    [
      '--values "1=a,2=b,0=tie"',
      '--values "0=a,1=b,2=tie"',
      '--scale 0..2 --direction low-is-first',
      '--scale 0..2 --direction low-is-second',
    ],
  ],
  [
    '1 and 2, where the sides count from 0',
    [1, 2].map((winner) => ({ prompt: 'p', response_0: 'zero', response_1: 'one', winner })),
    ['--values "0=a,1=b,2=tie"', '--values "1=a,2=b"'],
  ],
  [
    'true and false of nobody',
    [true, false].map((value) => pair(value)),
    ['--values "true=a,false=b"', '--values "false=a,true=b"'],
  ],
  [
    'two words that nobody knows',
    ['gpt', 'claude'].map((value) => pair(value)),
    ['--values "gpt=a,claude=b"', '--values "claude=a,gpt=b"'],
  ],
  [
    'four numbers',
    [0, 1, 2, 3].map((value) => pair(value)),
    [
      '--values "1=a,2=b,0=tie,3=both-bad"',
      '--values "0=a,1=b,2=tie,3=both-bad"',
      '--scale 0..3 --direction low-is-first',
      '--scale 0..3 --direction low-is-second',
    ],
  ],
  ['words of another language', ['erste', 'zweite', 'gleich'].map((value) => pair(value)), []],
  ['whether there is a tie', [0, 1].map((value) => pair(value, 'is_tie')), []],
  [
    'an index that contradicts the scores',
    [0, 1, 0].map((value) => pair(value, 'label', { score_a: value, score_b: 0.5 })),
    ['--values "0=a,1=b"', '--values "1=a,0=b"'],
  ],
]

describe('labels that can be meant in several ways', () => {
  it.each(ASKED)('%s', async (_name, rows, options) => {
    const named = Object.keys(rows[0] ?? {}).includes('is_tie')
    const read = await inspect(rows, named ? { is_tie: 'label' } : {})
    const [question] = read.questions
    expect(question?.readings.map((reading) => reading.option)).toEqual(options)
    expect(read.mapping).toMatchObject({ labelValues: null, labelScale: null })
    expect(read.rows.every((row) => row.labels.length === 0 && row.sentence.startsWith('Not read yet'))).toBe(true)
    for (const reading of question?.readings ?? []) expect(reading.examples.length).toBeGreaterThan(0)
  })

  it('are settled by what somebody says, with the strength that a scale carries', async () => {
    const rows = [1, 3, 4, 7].map((value) => pair(value))
    const scale = await inspect(rows, {}, { values: {}, scale: { low: 1, high: 7 }, lowIs: 'first' })
    expect(scale.questions).toEqual([])
    expect(scale.rows.map((row) => [row.labels[0]?.outcome, row.labels[0]?.strength])).toEqual([
      ['a', 'far'],
      ['a', 'slightly'],
      ['tie', null],
      ['b', 'far'],
    ])
    const signed = await inspect(
      [-3, -1, 0, 2].map((value) => pair(value)),
      {},
      { values: {}, scale: null, lowIs: 'second' },
    )
    expect(signed.rows.map((row) => [row.labels[0]?.outcome, row.labels[0]?.strength])).toEqual([
      ['b', 'far'],
      ['b', 'slightly'],
      ['tie', null],
      ['a', 'clearly'],
    ])
    const words = await inspect(
      ['erste', 'zweite', 'gleich'].map((value) => pair(value)),
      {},
      { values: { erste: 'a', Zweite: 'b', gleich: 'tie' }, scale: null, lowIs: null },
    )
    expect(words.rows.map((row) => row.labels[0]?.outcome)).toEqual(['a', 'b', 'tie'])
    const one = await inspect(
      [1, 1].map((value) => pair(value)),
      {},
      { values: { 1: 'b' }, scale: null, lowIs: null },
    )
    expect(one.rows.map((row) => row.labels[0]?.outcome)).toEqual(['b', 'b'])
  })

  it('stay a question where much is left unsaid', async () => {
    const rows = ['erste', 'zweite', 'gleich'].map((value) => pair(value))
    const read = await inspect(rows, {}, { values: { erste: 'a' }, scale: null, lowIs: null })
    expect(read.questions).toMatchObject([
      { reason: 'What "zweite", "gleich" mean is still to be said: 2 of 3 labels.', readings: [] },
    ])
    expect(read.mapping).toMatchObject({ labelsSaidBy: 'person', labelValues: { a: ['erste'] } })
  })

  it('stay a question where only the ends of the scale were said', async () => {
    const read = await inspect(
      [1, 2, 5].map((value) => pair(value)),
      {},
      { values: {}, scale: { low: 1, high: 7 }, lowIs: null },
    )
    expect(read.questions[0]?.readings.map((reading) => reading.option)).toEqual([
      '--scale 1..7 --direction low-is-first',
      '--scale 1..7 --direction low-is-second',
    ])
  })
})

describe('columns of any name', () => {
  it('are read alike whether the label is found or mapped', async () => {
    for (const name of ['label', 'judge', 'x']) {
      const read = await inspect(
        [0, 1].map((value) => ({ question: 'p', answer1: 'one', answer2: 'two', [name]: value })),
        { question: 'prompt', answer1: 'a', answer2: 'b', [name]: 'label' },
      )
      expect(winners(read)).toEqual(['p → one', 'p → two'])
    }
  })

  it('keep the direction when the second answer is mapped first', async () => {
    const rows = ['A', 'B'].map((winner) => ({ prompt: 'p', answer_a: 'one', answer_b: 'two', winner }))
    const read = await inspect(rows, { answer_b: 'a', answer_a: 'b' })
    expect(winners(read)).toEqual(['p → one', 'p → two'])
    const index = await inspect(
      [0, 1].map((winner) => ({ prompt: 'p', response_0: 'one', response_1: 'two', winner })),
      { response_1: 'a', response_0: 'b' },
    )
    expect(winners(index)).toEqual(['p → one', 'p → two'])
  })

  it('that are named wrongly are refused by name', async () => {
    await expect(inspect([pair('A')], { prefrence: 'label' })).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('no column "prefrence"'),
      hint: expect.stringContaining('preference'),
    })
  })

  it('leave an implicit prompt implicit, whatever else is mapped', async () => {
    const dialogue = { chosen: '\n\nHuman: t\n\nAssistant: good', rejected: '\n\nHuman: t\n\nAssistant: gold', w: 2 }
    const read = await inspect([dialogue], { w: 'weight' })
    expect(winners(read)).toEqual(['\n\nHuman: t\n\nAssistant: → good'])
    expect(
      winners(
        await inspect([{ winner_text: 'The sky is blue', loser_text: 'The sky was red' }], {
          winner_text: 'chosen',
          loser_text: 'rejected',
        }),
      ),
    ).toEqual(['The sky → is blue'])
  })
})

describe('what stood before the prompt', () => {
  const before: readonly (readonly [string, Row, string])[] = [
    [
      'pairs of asked and answered',
      {
        history: [
          ['a', 'b'],
          ['c', 'd'],
        ],
      },
      '<user>\na\n<assistant>\nb\n<user>\nc\n<assistant>\nd\n<user>\np\n',
    ],
    ['turns', { history: [user('a'), said('b')] }, '<user>\na\n<assistant>\nb\n<user>\np\n'],
    ['ShareGPT’s turns', { history: [human('a'), gpt('b')] }, '<user>\na\n<assistant>\nb\n<user>\np\n'],
    ['inputs and outputs', { chat_history: [{ input: 'a', output: 'b' }] }, '<user>\na\n<assistant>\nb\n<user>\np\n'],
    ['bare texts', { history: ['a', 'b'] }, '<user>\na\n<assistant>\nb\n<user>\np\n'],
    ['JSON in a cell', { history: '[["a","b"]]' }, '<user>\na\n<assistant>\nb\n<user>\np\n'],
    ['a list of turns as context', { context: [user('a'), said('b')] }, '<user>\na\n<assistant>\nb\n<user>\np\n'],
    ['a system prompt', { system_prompt: 's' }, '<system>\ns\n<user>\np\n'],
    ['nothing in this row', { system: '', history: [] }, '<user>\np\n'],
    ['null in this row', { system: null, history: null, tools: null }, '<user>\np\n'],
  ]
  it.each(before)('%s', async (_name, columns, expected) => {
    const read = await inspect([{ question: 'p', chosen: 'good', rejected: 'bad', ...columns }])
    expect(toText(read.rows[0]?.prompt ?? '')).toBe(expected)
  })

  it('keeps turns that call tools and answers that are tools’', async () => {
    const call = { role: 'assistant', content: null, tool_calls: [{ function: { name: 'f' } }] }
    const head = [user('p'), call, { role: 'tool', content: '4' }]
    const read = await inspect([{ chosen: [...head, said('good')], rejected: [...head, said('bad')] }])
    expect(toText(read.rows[0]?.prompt ?? '')).toBe('<user>\np\n<assistant>\n[{"function":{"name":"f"}}]\n<tool>\n4\n')
  })
})
