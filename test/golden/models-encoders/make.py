"""Makes the tiny encoders of this folder and the numbers they must give. Needs torch, transformers, tokenizers,
safetensors and sentence-transformers.

    python3 test/golden/models-encoders/make.py

Weights are drawn wide, so that every part of a layer shows in the vectors, and are rounded to what the files hold
before anything is computed. Everything is computed in float64, the embeddings by sentence-transformers itself.
"""
import json
import math
import pathlib
import shutil

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForMaskedLM, BertModel, DistilBertConfig, DistilBertForMaskedLM, LlamaConfig, LlamaModel

HERE = pathlib.Path(__file__).parent
SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
LETTERS = 'abcdefghijklmnopqrstuvwxyz'
WORDS = ('the a of and to in is that cat dog sat on mat river bank query document where how rank ranking train model text vector embed '
         'token cafe naive uber resume time long short pad ##ing ##ed ##s ##er ##ly ##tion ##al hello world').split()
OTHERS = list('0123456789.,!?-\'"()[]{}:;/\\@#$%&*+=<>_|~') + ['北', '京', '東', 'あ', 'い', 'é', 'ü', 'ß', 'σ', 'α', '##σ', '##α', 'ς', '𠮷', '🙂', 'ı', 'İ']


def wordpiece(lowercase):
    vocab = SPECIAL + list(LETTERS) + ['##' + one for one in LETTERS] + WORDS + OTHERS
    if not lowercase:
        vocab += list(LETTERS.upper()) + ['##' + one for one in LETTERS.upper()] + ['The', 'Hello', 'café', 'É']
    ids = {word: at for at, word in enumerate(dict.fromkeys(vocab))}
    made = Tokenizer(models.WordPiece(ids, unk_token='[UNK]', max_input_chars_per_word=100))
    made.add_special_tokens(SPECIAL)
    made.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(single='[CLS] $A [SEP]', pair='[CLS] $A [SEP] $B:1 [SEP]:1', special_tokens=[('[CLS]', 2), ('[SEP]', 3)])
    made.decoder = decoders.WordPiece(prefix='##')
    return made


TOKENIZER_TEXTS = [
    '', ' ', 'hello world', 'Hello, World!', 'The cat sat on the mats.', 'ranking rankings embedded', 'Café naïve ÜBER résumé', 'Straße', 'ΑΣ σας', 'İstanbul ıI',
    '北京 and 東京', 'text北京text', '𠮷野家 𠮷', 'あいう', 'a' * 100, 'a' * 101, 'x' + 'é' * 99 + ' ok', '[CLS] hello [SEP] world [PAD] [MASK] [UNK]', '[SEP]', '[cls][sep]',
    'tab\tnewline\nreturn\rzero\u0000width\u200bjoin\u200dbom\ufeff', 'no\u00a0break\u3000wide\u2028line', 'soft\u00adhyphen \ufffd lost', 'e\u0301 A\u030a o\u0308u\u0308', "don't-stop_it (now)!?", '🙂🙂 hello🙂',
    '$5.00 = 4,50€', 'ﬁne ﬂow Ⅳ ½', 'пример текста', 'عربي', '  spaces   everywhere  ', 'query: where is the river bank?', '##ing ing', 'unaffable xyz q', '¡Hola! ¿qué?', '“quotes” — dash…',
]
TEXTS = ['hello world', 'The cat sat on the mat, and the dog sat on the river bank.', 'a', 'Where is the café? 北京!', 'rank the long document and train the model to embed text: ' * 4, 'Naïve ranking of a query 🙂 unseenword', '', 'is [SEP] text'.replace('[SEP]', 'sep')]
LIMIT = 24


def numbers(tensor):
    return [float(f'{value:.9g}') for value in tensor.tolist()] if tensor.dim() == 1 else [numbers(part) for part in tensor]


def dump(file, value, compact=False):
    file.parent.mkdir(exist_ok=True)
    file.write_text((json.dumps(value, separators=(',', ':'), ensure_ascii=False) if compact else json.dumps(value, indent=1, sort_keys=not isinstance(value, list))) + '\n', encoding='utf8')


def make_tokenizer(name, lowercase):
    made = wordpiece(lowercase)
    made.save(str(HERE / f'{name}.tokenizer.json'), pretty=False)
    text = Tokenizer.from_file(str(HERE / f'{name}.tokenizer.json'))
    text.encode_special_tokens = True  # special tokens in a text are text
    cases = []
    for one in TOKENIZER_TEXTS:
        text.no_truncation()
        inner, framed = text.encode(one, add_special_tokens=False).ids, text.encode(one).ids
        text.enable_truncation(7)
        cases.append(dict(text=one, ids=inner, framed=framed, framed_at_most_7=text.encode(one).ids))
    dump(HERE / f'{name}.vectors.json', dict(vocab_size=made.get_vocab_size(), pad_id=0, cases=cases), compact=True)
    return made


BERT = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, max_position_embeddings=32, type_vocab_size=2)
OLD_POOLING = ['pooling_mode_cls_token', 'pooling_mode_max_tokens', 'pooling_mode_mean_tokens', 'pooling_mode_mean_sqrt_len_tokens', 'pooling_mode_weightedmean_tokens', 'pooling_mode_lasttoken']


def old_pooling(width, *chosen):
    return dict(word_embedding_dimension=width, **{name: name in [f'pooling_mode_{one}' for one in chosen] for name in OLD_POOLING})


def dense(inputs, outputs, bias, activation):
    return dict(in_features=inputs, out_features=outputs, bias=bias, activation_function=activation)


TANH, IDENTITY = 'torch.nn.modules.activation.Tanh', 'torch.nn.modules.linear.Identity'
# name -> class, configuration, spelling, tokenizer, type of the stored weights, shards, pooling, dense layers, normalize
MODELS = {
    'bert': (BertModel, BertConfig(**BERT, hidden_act='gelu'), 'new', 'uncased', torch.float32, 1, dict(embedding_dimension=24, pooling_mode='mean', include_prompt=True), [], True),
    'bert_f16_sharded_old': (BertForMaskedLM, BertConfig(**BERT, hidden_act='gelu_new', layer_norm_eps=1e-5), 'old', 'cased', torch.float16, 2,
                             old_pooling(24, 'cls_token', 'max_tokens', 'mean_sqrt_len_tokens', 'weightedmean_tokens', 'lasttoken'), [dense(120, 10, True, TANH)], False),
    'distilbert_bf16': (DistilBertForMaskedLM, DistilBertConfig(dim=24, n_layers=2, n_heads=4, hidden_dim=36, max_position_embeddings=30), 'old', 'uncased', torch.bfloat16, 1,
                        old_pooling(24, 'cls_token'), [dense(24, 12, False, IDENTITY)], True),
    'llama_lasttoken': (LlamaModel, LlamaConfig(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
                                                bos_token_id=2, eos_token_id=3, pad_token_id=0), 'new', 'uncased', torch.float32, 1, dict(embedding_dimension=24, pooling_mode='lasttoken'), [], True),
}
OLD_NAMES = {'LayerNorm.weight': 'LayerNorm.gamma', 'LayerNorm.bias': 'LayerNorm.beta'}


def rounded(weight, dtype, key):
    spread = torch.randn(weight.shape) * (0.35 if weight.dim() == 2 else 0.2)
    one = 1.0 if weight.dim() == 1 and not key.endswith('bias') else 0.0
    weight.copy_((one + spread).to(dtype).float())


def write_folder(folder, kind, config, spelling, tokenizer, dtype, shards, pooling, layers, normalize):
    config.vocab_size = tokenizer.get_vocab_size()
    torch.manual_seed(11)
    model = kind(config).eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            rounded(weight, dtype, key)
    folder.mkdir(exist_ok=True)
    kinds = [('1_Pooling', 'Pooling', pooling)] + [(f'{at + 2}_Dense', 'Dense', layer) for at, layer in enumerate(layers)]
    new = {'Transformer': 'base.modules.transformer', 'Pooling': 'sentence_transformer.modules.pooling', 'Dense': 'base.modules.dense', 'Normalize': 'base.modules.normalize'}
    path = lambda name: f'sentence_transformers.{new[name]}.{name}' if spelling == 'new' else f'sentence_transformers.models.{name}'
    modules = [dict(idx=0, name='0', path='', type=path('Transformer'))] + [dict(idx=at + 1, name=str(at + 1), path=where, type=path(name)) for at, (where, name, _) in enumerate(kinds)]
    if normalize:
        modules.append(dict(idx=len(modules), name=str(len(modules)), path=f'{len(modules)}_Normalize', type=path('Normalize')))
    dump(folder / 'modules.json', modules)
    for where, name, values in kinds:
        dump(folder / where / 'config.json', values)
        if name == 'Dense':
            tensors = {'linear.weight': torch.randn(values['out_features'], values['in_features']) * 0.3}
            if values['bias']:
                tensors['linear.bias'] = torch.randn(values['out_features']) * 0.2
            save_file(tensors, folder / where / 'model.safetensors')
    words = {**config.to_dict(), 'architectures': [kind.__name__], 'dtype': str(dtype).removeprefix('torch.')}
    if spelling == 'old':
        words['torch_dtype'] = words.pop('dtype')
        words['transformers_version'] = '4.6.1'
        if config.model_type == 'bert':
            words['position_embedding_type'] = 'absolute'
    dump(folder / 'config.json', words)
    if spelling == 'old':
        dump(folder / 'sentence_bert_config.json', dict(max_seq_length=LIMIT, do_lower_case=False))
    lowercase = 'true' in str(tokenizer.normalizer.__getstate__()).lower().split('lowercase')[1][:8]
    special = dict(unk_token='[UNK]', sep_token='[SEP]', pad_token='[PAD]', cls_token='[CLS]', mask_token='[MASK]')
    dump(folder / 'tokenizer_config.json', dict(tokenizer_class='PreTrainedTokenizerFast' if config.model_type == 'llama' else 'BertTokenizer', do_lower_case=lowercase, model_max_length=LIMIT if spelling == 'new' else 512, **special))
    tokenizer.save(str(folder / 'tokenizer.json'), pretty=False)
    renamed = lambda key: next((key.removesuffix(now) + old for now, old in OLD_NAMES.items() if spelling == 'old' and config.model_type == 'bert' and key.endswith(now)), key)
    tensors = {renamed(key): weight.detach().to(dtype).contiguous() for key, weight in model.named_parameters()}
    if shards == 1:
        save_file(tensors, folder / 'model.safetensors', {'format': 'pt'})
    else:
        places = {}
        for shard in range(shards):
            file = f'model-{shard + 1:05}-of-{shards:05}.safetensors'
            own = {key: weight for at, (key, weight) in enumerate(tensors.items()) if at % shards == shard}
            save_file(own, folder / file, {'format': 'pt'})
            places.update({key: file for key in own})
        dump(folder / 'model.safetensors.index.json', dict(metadata=dict(total_size=sum(one.numel() * one.element_size() for one in tensors.values())), weight_map=places))
    return model


def loss_of(vectors, targets):
    """Σ t·e + ½ Σ_r (e_0 · e_r)²: every row and every number counts, and rows meet."""
    return (targets * vectors).sum() + 0.5 * ((vectors @ vectors[0]) ** 2).sum()


def make(name, kind, config, spelling, tokenizer_name, dtype, shards, pooling, layers, normalize):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model = write_folder(folder, kind, config, spelling, tokenizers[tokenizer_name], dtype, shards, pooling, layers, normalize)
    # The weights are put into what sentence-transformers opened, so that no version's renaming of old names matters.
    embedder = SentenceTransformer(str(folder), device='cpu').double().eval()
    network = embedder[0].auto_model
    inner = getattr(model, config.model_type, model)
    network.load_state_dict({key: weight.double() for key, weight in inner.state_dict().items()}, strict=False)
    for at in range(len(layers)):
        embedder[2 + at].linear.load_state_dict({key.removeprefix('linear.'): weight.double() for key, weight in load_file(folder / f'{2 + at}_Dense' / 'model.safetensors').items()})
    if config.model_type == 'llama':
        embedder.tokenizer.padding_side = 'right'
    assert embedder.max_seq_length == LIMIT, embedder.max_seq_length
    features = embedder.preprocess(TEXTS)
    features = {key: value for key, value in features.items() if isinstance(value, torch.Tensor)}
    targets = torch.sin(torch.arange(len(TEXTS) * embedder.get_embedding_dimension(), dtype=torch.float64) + 1).reshape(len(TEXTS), -1)
    states = network(input_ids=features['input_ids'], attention_mask=features['attention_mask']).last_hidden_state
    mask = features['attention_mask']
    result = dict(texts=TEXTS, input_ids=[ids[kept == 1].tolist() for ids, kept in zip(features['input_ids'], mask)], last_hidden_states=[numbers(states[row][mask[row] == 1]) for row in (0, 2, 3)], hidden_rows=[0, 2, 3])
    if config.model_type == 'bert':
        types = [0, 0, 1, 1]
        with_types = network(input_ids=features['input_ids'][:1, :4], attention_mask=mask[:1, :4], token_type_ids=torch.tensor([types])).last_hidden_state
        result['token_types'] = dict(input_ids=features['input_ids'][0, :4].tolist(), types=types, last_hidden_states=numbers(with_types[0]))
    forward = lambda: embedder({key: value.clone() for key, value in features.items()})['sentence_embedding']
    vectors = forward()
    result['embeddings'] = numbers(vectors)
    result['targets'] = numbers(targets)
    loss = loss_of(vectors, targets)
    loss.backward()
    outer = 'model.' if config.model_type == 'llama' else ''
    grads = {outer + key: weight.grad for key, weight in network.named_parameters() if weight.grad is not None}
    for at in range(len(layers)):
        grads.update({f'dense.{at}.{key}': weight.grad for key, weight in embedder[2 + at].linear.named_parameters()})
    result['loss'] = loss.item()
    result['grad_l2_norm'] = {key: grad.norm().item() for key, grad in grads.items()}
    result['grad_first4'] = {key: numbers(grad.flatten()[:4]) for key, grad in grads.items()}
    result['parameters'] = {key: list(grad.shape) for key, grad in grads.items()}
    norm = math.sqrt(sum(value ** 2 for value in result['grad_l2_norm'].values()))
    result['learning_rate'] = 0.02 / norm  # a step of this length, however steep it is
    with torch.no_grad():
        for weight in embedder.parameters():
            if weight.grad is not None:
                weight -= result['learning_rate'] * weight.grad
        result['loss_after_sgd'] = loss_of(forward(), targets).item()
    dump(folder / 'vectors.json', result, compact=True)
    print(name, 'loss', result['loss'], 'then', result['loss_after_sgd'], 'gradient', norm)


tokenizers = {'uncased': make_tokenizer('uncased', True), 'cased': make_tokenizer('cased', False)}
for name, parts in MODELS.items():
    make(name, *parts)
