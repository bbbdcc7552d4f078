"""lora_step_peer.py <rows> <tokens> <threads>: the step of lora-step.ts, in PyTorch with PEFT, eager."""
import json
import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

rows, tokens, threads = map(int, sys.argv[1:4])
torch.set_num_threads(threads)
config = LlamaConfig(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                     num_attention_heads=9, num_key_value_heads=3, head_dim=64, tie_word_embeddings=True,
                     max_position_embeddings=8192, rms_norm_eps=1e-5)
model = get_peft_model(LlamaForCausalLM(config), LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0,
                                                             target_modules='all-linear', task_type='CAUSAL_LM'))
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4)
generator = torch.Generator().manual_seed(3)
times = []
for _ in range(4):
    ids = torch.randint(0, 49152, (rows, tokens), generator=generator)
    mask = torch.zeros(rows, tokens - 1)
    mask[:, 31:] = 1
    began = time.perf_counter()
    logits = model(ids).logits[:, :-1]
    sums = (torch.gather(logits.log_softmax(-1), 2, ids[:, 1:, None]).squeeze(-1) * mask).sum(1)
    loss = -torch.nn.functional.logsigmoid(0.1 * (sums[: rows // 2] - sums[rows // 2:])).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    times.append(1000 * (time.perf_counter() - began))
print(json.dumps({'stepMs': sorted(times[1:])[1], 'peakBytes': 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
