import { describe, expect, it } from 'vitest'
import { gpt, human, inspect, type Row, said, user, winners } from '../support/public-rows.ts'

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
