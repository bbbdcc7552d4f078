"""Makes the tiny models of this folder and the numbers they must give. Needs torch, transformers and safetensors.

    python3 test/golden/models-extra/make.py

Weights are drawn wide, so that every part of a layer shows in the logits, and are rounded to what the files hold before
anything is computed.
"""
import json
import math
import pathlib

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, MistralConfig, Qwen2Config

HERE = pathlib.Path(__file__).parent
LLAMA = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=64, tie_word_embeddings=True, bos_token_id=0, eos_token_id=1, pad_token_id=None)
HALF = torch.bfloat16


def rope(kind, theta=10000.0, **more):
    return dict(rope_type=kind, rope_theta=theta, **more)


# name -> configuration, its older spelling's differences, type of the stored weights, prefix that the names lose
MODELS = {
    'llama_biases': (LlamaConfig(**LLAMA, attention_bias=True, mlp_bias=True, rope_parameters=rope('default')), dict(rope_theta=10000.0, rope_scaling=None), HALF, ''),
    'llama_dynamic': (LlamaConfig(**LLAMA, rope_parameters=rope('dynamic', factor=2.0)), dict(rope_theta=10000.0, rope_scaling=dict(type='dynamic', factor=2.0)), HALF, ''),
    'llama_linear_bare': (LlamaConfig(**LLAMA, rope_parameters=rope('linear', factor=4.0)), dict(rope_theta=10000.0, rope_scaling=dict(type='linear', factor=4.0)), HALF, 'model.'),
    'mistral_window': (MistralConfig(**LLAMA, sliding_window=4, head_dim=6, rope_parameters=rope('default', 1e6)), dict(rope_theta=1e6), HALF, ''),
    'qwen2_window': (Qwen2Config(**LLAMA, sliding_window=3, use_sliding_window=True, max_window_layers=0, rope_parameters=rope('default')), dict(rope_theta=10000.0), HALF, ''),
    'gpt2_gelu_f16_bare': (GPT2Config(vocab_size=32, n_embd=16, n_layer=2, n_head=4, n_inner=24, n_positions=24, activation_function='gelu', bos_token_id=0, eos_token_id=1), {}, torch.float16, 'transformer.'),
}
RIGHT = [[1] * 12, [1] * 9 + [0] * 3]
LEFT = [[1] * 12, [0] * 3 + [1] * 9]
COMPLETION = [[0] * 5 + [1] * 7, [0] * 4 + [1] * 5 + [0] * 3]


def numbers(tensor):
    return [float(f'{value:.8g}') for value in tensor.tolist()] if tensor.dim() == 1 else [numbers(part) for part in tensor]


def log_probs(logits, ids):
    return torch.log_softmax(logits[:, :-1], -1).gather(-1, ids[:, 1:, None])[..., 0]


def run(model, ids, mask):
    mask = torch.tensor(mask)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    return model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits, positions


def padded(model, ids, mask):
    logits, positions = run(model, ids, mask)
    known = torch.tensor(mask)
    logps = log_probs(logits, ids)
    rows = [[value if known[r, t] and known[r, t + 1] else None for t, value in enumerate(row)] for r, row in enumerate(numbers(logps))]
    last = max(t for t, value in enumerate(mask[1]) if value)
    return dict(attention_mask=mask, position_ids=positions.tolist(), per_token_logps=rows, logits_row0=numbers(logits[0]), logits_row1_last=numbers(logits[1, last]))


def sft(model, ids):
    kept = torch.tensor(COMPLETION)[:, 1:] * torch.tensor(RIGHT)[:, 1:]

    def loss():
        return -(log_probs(run(model, ids, RIGHT)[0], ids) * kept).sum() / kept.sum()

    before = loss()
    model.zero_grad()
    before.backward()
    grads = {name: weight.grad for name, weight in model.named_parameters()}
    result = dict(attention_mask=RIGHT, completion_mask=COMPLETION, loss_token_mean=before.item(),
                  grad_l2_norm={name: grad.norm().item() for name, grad in grads.items()},
                  grad_first4={name: numbers(grad.flatten()[:4]) for name, grad in grads.items()},
                  grad_total_norm=math.sqrt(sum(grad.norm().item() ** 2 for grad in grads.values())))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight -= 0.05 * grads[name]
        result['loss_after_sgd_0.05'] = loss().item()
    return result


def greedy(model, prompt, count):
    output, margins = list(prompt), []
    for _ in range(count):
        best = model(input_ids=torch.tensor([output]), use_cache=False).logits[0, -1].topk(2)
        margins.append((best.values[0] - best.values[1]).item())
        output.append(best.indices[0].item())
    return dict(prompt=list(prompt), output=output, top1_top2_margin=margins)


def make(name, config, older, dtype, lost):
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config, attn_implementation='eager').eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            spread = torch.randn(weight.shape) * (0.3 if weight.dim() == 2 else 0.2)
            one = 1.0 if weight.dim() == 1 and not key.endswith('bias') else 0.0
            weight.copy_((one + spread).to(dtype).float())
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    words = {**config.to_dict(), 'architectures': [type(model).__name__], 'dtype': str(dtype).removeprefix('torch.')}
    old = {**{key: value for key, value in words.items() if key not in ('rope_parameters', 'dtype', 'layer_types')}, **older, 'torch_dtype': words['dtype'], 'transformers_version': '4.46.0'}
    for file, content in (('config.json', words), ('config.v4.json', old)):
        (folder / file).write_text(json.dumps(content, indent=1, sort_keys=True) + '\n')
    save_file({key.removeprefix(lost): weight.detach().to(dtype).contiguous() for key, weight in model.named_parameters()}, folder / 'model.safetensors', {'format': 'pt'})
    ids = torch.randint(2, 32, (2, 12))
    with torch.no_grad():
        result = dict(input_ids=ids.tolist(), right_padded=padded(model, ids, RIGHT), left_padded=padded(model, ids, LEFT), greedy=greedy(model, ids[0, :3].tolist(), 9))
    result['parameters'] = {key: list(weight.shape) for key, weight in model.named_parameters()}
    result['sft'] = sft(model, ids)
    (folder / 'vectors.json').write_text(json.dumps(result, separators=(',', ':')) + '\n')


for name, parts in MODELS.items():
    make(name, *parts)
