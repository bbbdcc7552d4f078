import type { ColumnRole } from '../../../shared/contract/import-mapping.ts'

/** Column names as files have them, lower case with `_`, best first. */
export const NAMES = {
  prompt: [
    'prompt',
    'instruction',
    'question',
    'query',
    'input',
    'user_prompt',
    'user_input',
    'context',
    'post',
    'user',
    'conversations',
    'conversation',
    'messages',
    'dialogue',
    'dialog',
    'turns',
    'history',
    'problem',
    'task',
    'request',
  ],
  'prompt-2': ['input', 'context', 'question', 'query'],
  system: ['system', 'system_prompt', 'system_message', 'system_instruction', 'sys'],
  history: [
    'history',
    'conversation_history',
    'chat_history',
    'dialogue_history',
    'previous_turns',
    'past_turns',
    'context',
  ],
  tools: ['tools', 'functions', 'available_tools'],
  label: [
    'label',
    'labels',
    'preference',
    'winner',
    'choice',
    'choice_index',
    'preferred',
    'preferred_response',
    'better',
    'better_response',
    'better_response_id',
    'winner_index',
    'winner_id',
    'preferred_index',
    'preferred_idx',
    'chosen_index',
    'better_index',
    'preference_label',
    'safer_response_id',
    'vote',
    'judgment',
    'judgement',
    'answer_key',
    'overall_preference',
    'result',
    'verdict',
    'human_preference',
    'selected',
    'chosen',
  ],
  strength: ['strength', 'preference_strength'],
  annotator: [
    'annotator',
    'annotator_id',
    'annotator_name',
    'worker',
    'worker_id',
    'labeler',
    'labeler_id',
    'rater',
    'rater_id',
    'judge',
    'user_id',
    'judged_by',
  ],
  weight: ['weight', 'sample_weight', 'importance'],
  id: ['pair_id', 'id', '_id', 'uid', 'uuid', 'idx', 'row_id', 'example_id', 'comparison_id', 'index'],
  split: ['split', 'subset', 'fold', 'set', 'partition', 'data_split', 'dataset_split', '_split'],
} as const satisfies Partial<Record<ColumnRole, readonly string[]>>

/** Names of prompts that can be a whole conversation; where the sides hold the conversation themselves, they repeat it. */
export const CONVERSATIONS: readonly string[] = [
  'conversations',
  'conversation',
  'messages',
  'dialogue',
  'dialog',
  'turns',
  'history',
  'context',
  'input',
]

/** Words for the better and the worse side, in one name each: `chosen_messages` and `rejected_messages`. */
export const RANKED_WORDS: readonly (readonly [string, string])[] = [
  ['chosen', 'rejected'],
  ['preferred', 'dispreferred'],
  ['preferred', 'rejected'],
  ['accepted', 'rejected'],
  ['selected', 'rejected'],
  ['winner', 'loser'],
  ['winning', 'losing'],
  ['win', 'lose'],
  ['better', 'worse'],
  ['good', 'bad'],
  ['w', 'l'],
]

/** What stands beside the better word and is not its text. */
export const NO_TEXT =
  /(^|_)(score|scores|rating|ratings|reward|rewards|model|models|source|name|id|avg|average|logp|logps|logprob|logprobs|length|len|tokens|rank|policy|feedback|rationale|critique)(_|$)/

/** Better sides whose partner alone is named (ms-swift: `response` and `rejected_response`, `messages` and `rejected_messages`). */
export const UNNAMED_CHOSEN: readonly string[] = [
  'response',
  'answer',
  'output',
  'completion',
  'messages',
  'conversations',
  'conversation',
]

/** The two answers of a flat file: any stem with the endings of one pair. */
export const STEMS = [
  'response',
  'completion',
  'answer',
  'output',
  'option',
  'text',
  'summary',
  'candidate',
  'generation',
  'reply',
  'assistant',
  'conversation',
  'model_output',
  'sentence',
  'message',
  'side',
  'human_ref',
  'choice',
  'sample',
  'model_answer',
  'model_response',
  'continuation',
  'responses',
  'messages',
]
export const ENDINGS: readonly (readonly [string, string])[] = [
  ['1', '2'],
  ['_1', '_2'],
  ['_a', '_b'],
  ['a', 'b'],
  ['_0', '_1'],
  ['0', '1'],
  ['_left', '_right'],
  ['_first', '_second'],
  ['_one', '_two'],
]
export const BARE_SIDES: readonly (readonly [string, string])[] = [
  ['a', 'b'],
  ['left', 'right'],
  ['first', 'second'],
]
/** Endings turned round: `a_response`, `first_answer`, `left_text`. */
export const BEGINNINGS: readonly (readonly [string, string])[] = [
  ['a_', 'b_'],
  ['first_', 'second_'],
  ['left_', 'right_'],
]

/** Lists that hold both answers. */
export const SIDE_LISTS: readonly string[] = [
  'responses',
  'answers',
  'completions',
  'candidates',
  'outputs',
  'summaries',
  'options',
  'generations',
  'replies',
  'choices',
  'output',
]
export const TEXT_KEYS: readonly string[] = [
  'text',
  'content',
  'response',
  'answer',
  'completion',
  'output',
  'generated_text',
  'value',
  'message',
]
