"""Makes the conversations and token ids in this folder: what transformers' apply_chat_template gives for 200 conversations
and five templates, each with a small tokenizer of its family's kind. Templates are written here to the token layout that
the families publish. Needs: pip install transformers jinja2. Run: python make-chat.py
"""
import json
import random
import re
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent
COUNT = 200

CHATML = """{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '<|im_start|>system
You answer in short sentences.<|im_end|>
' }}{% endif %}{{ '<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""

# Qwen3's layout: a thought, empty where there is none, before the last answer alone; marks what the model writes.
QWEN3 = """{%- set ns = namespace(last=-1) -%}
{%- for message in messages -%}{%- if message.role == 'user' -%}{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}
        {%- if loop.index0 > ns.last %}
            {{- '<think>\\n\\n</think>\\n\\n' }}
        {%- endif %}
        {{- message.content + '<|im_end|>' }}
        {%- endgeneration %}
        {{- '\\n' }}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}"""

LLAMA3 = """{{- bos_token }}
{%- if not date_string is defined %}{%- set date_string = '26 Jul 2024' %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] | trim %}{%- set messages = messages[1:] %}
{%- else %}
    {%- set system = '' %}
{%- endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}
{{- 'Knowledge until December 2023\\nToday: ' + date_string + '\\n\\n' + system + '<|eot_id|>' }}
{%- for message in messages %}
    {%- set role = 'ipython' if message['role'] == 'tool' else message['role'] %}
    {{- '<|start_header_id|>' + role + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}"""

MISTRAL = """{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}{%- set loop_messages = messages[1:] %}{%- else %}{%- set loop_messages = messages %}{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate user and assistant') }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {%- if loop.first and system is defined %}
            {{- ' [INST] ' + system + '\\n\\n' + message['content'] + ' [/INST]' }}
        {%- else %}
            {{- ' [INST] ' + message['content'] + ' [/INST]' }}
        {%- endif %}
    {%- else %}
        {{- ' ' + message['content'] + eos_token }}
    {%- endif %}
{%- endfor %}"""

GEMMA = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}
{%- if message['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}
{{- '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"""

WORDS = {
    'en': 'the a good answer says what you asked for and stops; name three colours, please! how many days are in May?'.split(),
    'de': 'Die Straße ist naß, weil es geregnet hat; größer wäre schöner.'.split(),
    'ru': 'Скажи мне, пожалуйста, сколько будет два плюс два?'.split(),
    'zh': ['请', '告诉我', '三种', '颜色', '。', '水的沸点是', '多少', '？'],
    'ar': 'ما هي عاصمة البلاد وكم عدد الأيام'.split(),
    'code': ['def f(x):', '\n    return x ** 2', '\n\n', 'print(f(3))', '\tif a < b:', '</b>', '{"a": [1, 2]}', '`x`'],
    'odd': ['🦊', '👩‍👩‍👧', 'é', 'e\u0301', '  ', '\n', '...', "it's", '3.14', '10,000', 'ﬁ', '\u00a0', '<b>', '|'],
}


def text(rng: random.Random) -> str:
    kind = rng.choice(list(WORDS))
    words = [rng.choice(WORDS[kind]) for _ in range(rng.randint(1, 12))]
    joined = ('' if kind == 'zh' else ' ').join(words)
    return rng.choice([joined, joined, joined, f' {joined}', f'{joined}\n', joined.capitalize()])


def conversation(rng: random.Random, at: int) -> list[dict[str, str]]:
    turns = []
    if at % 3 == 0:
        turns.append({'role': 'system', 'content': text(rng)})
    for _ in range(rng.randint(1, 3)):
        turns.append({'role': 'user', 'content': text(rng)})
        turns.append({'role': 'assistant', 'content': '' if rng.random() < 0.05 else text(rng)})
    if at % 10 == 4:  # a tool answers before the last word
        turns.insert(-1, {'role': 'assistant', 'content': '{"call": "sum", "with": [2, 2]}'})
        turns.insert(-1, {'role': 'tool', 'content': '4'})
    return turns


def in_two_roles(turns):
    """What is said instead of turns that a template refuses: user and assistant alone, in turn."""
    said = []
    for turn in turns:
        role = 'assistant' if turn['role'] == 'assistant' else 'user'
        if said and said[-1]['role'] == role:
            said[-1] = {'role': role, 'content': said[-1]['content'] + '\n\n' + turn['content']}
        else:
            said.append({'role': role, 'content': turn['content']})
    return said


def byte_level(split: str | None, corpus, specials):
    tokenizer = Tokenizer(models.BPE())
    parts = [] if split is None else [pre_tokenizers.Split(Regex(split), behavior='isolated', invert=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*parts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=specials)
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def sentence_piece(prefix: bool, corpus, specials):
    """The kind of Llama 2 and Mistral (a space before the text), or of Gemma (none): blanks are ▁, unknown bytes fall back."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token='<unk>', fuse_unk=True))
    replace = normalizers.Replace(' ', '▁')
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend('▁'), replace]) if prefix else replace
    tokenizer.decoder = decoders.Sequence([decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse()] + ([decoders.Strip(' ', 1, 0)] if prefix else []))
    every_byte = [f'<0x{byte:02X}>' for byte in range(256)]
    latin = [word for one in corpus for word in re.findall(r'[ -~]+', one)]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=[*specials, *every_byte])
    tokenizer.train_from_iterator(latin, trainer)
    state = json.loads(tokenizer.to_str())
    state['added_tokens'] = [one for one in state['added_tokens'] if one['content'] not in every_byte]
    return Tokenizer.from_str(json.dumps(state))


def opened(tokenizer, token):
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f'{token} $A', pair=f'{token} $A {token} $B', special_tokens=[(token, tokenizer.token_to_id(token))])
    return tokenizer


QWEN_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def main() -> None:
    rng = random.Random(11)
    conversations = [conversation(rng, at) for at in range(COUNT)]
    corpus = [turn['content'] for one in conversations for turn in one]
    families = {
        'chatml': (byte_level(None, corpus, ['<|endoftext|>', '<|im_start|>', '<|im_end|>']), CHATML,
                   {'bos_token': '<|im_start|>', 'eos_token': '<|im_end|>', 'pad_token': '<|im_end|>'}),
        'qwen3': (byte_level(QWEN_SPLIT, corpus, ['<|endoftext|>', '<|im_start|>', '<|im_end|>']), QWEN3,
                  {'eos_token': '<|im_end|>', 'pad_token': '<|endoftext|>'}),
        'llama3': (opened(byte_level(LLAMA_SPLIT, corpus, ['<|begin_of_text|>', '<|end_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>']), '<|begin_of_text|>'), LLAMA3,
                   {'bos_token': '<|begin_of_text|>', 'eos_token': '<|eot_id|>'}),
        'mistral': (opened(sentence_piece(True, corpus, ['<unk>', '<s>', '</s>', '[INST]', '[/INST]']), '<s>'), MISTRAL,
                    {'bos_token': '<s>', 'eos_token': '</s>', 'unk_token': '<unk>'}),
        'gemma': (opened(sentence_piece(False, corpus, ['<pad>', '<eos>', '<bos>', '<unk>', '<start_of_turn>', '<end_of_turn>']), '<bos>'), GEMMA,
                  {'bos_token': '<bos>', 'eos_token': '<eos>', 'unk_token': '<unk>', 'pad_token': '<pad>'}),
    }
    (HERE / 'conversations.json').write_text(json.dumps(conversations, ensure_ascii=False, separators=(',', ':')) + '\n')
    for name, (tokenizer, template, specials) in families.items():
        if name == 'qwen3':
            tokenizer.add_tokens([AddedToken('<think>', special=False, normalized=False), AddedToken('</think>', special=False, normalized=False)])
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **specials)
        fast.chat_template = template
        rows = []
        for turns in conversations:
            marked = '{%- generation' in template
            refused = False
            try:
                fast.apply_chat_template(turns)
            except Exception:  # the template refuses these turns
                refused = True
                turns = in_two_roles(turns)
            whole = fast.apply_chat_template(turns, return_dict=True, return_assistant_tokens_mask=marked)
            prompt = fast.apply_chat_template(turns[:-1], add_generation_prompt=True, return_dict=True)['input_ids']
            row = {'ids': whole['input_ids'], 'prompt': prompt}
            if marked:
                row['mask'] = ''.join(map(str, whole['assistant_masks']))
            rows.append(row | ({'refused': True} if refused else {}))
        out = {'tokenizer': json.loads(fast.backend_tokenizer.to_str()), 'template': template, 'special': specials, 'rows': rows}
        (HERE / f'{name}.json').write_text(json.dumps(out, ensure_ascii=False, separators=(',', ':')) + '\n')
        print(name, sum('refused' in row for row in rows), 'refused')


main()
