import { describe, expect, it } from 'vitest'
import { toText } from '../../shared/data-kinds.ts'
import { gpt, human, inspect, pair, type Row, said, user, winners } from '../support/public-rows.ts'

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
