"""Opens exported folders with transformers and peft, and compares their logits with ours.

    python3 test/support/check-export.py questions.json

A question is {"model": folder, "adapters": folder or null, "ids": [...], "logits": [[...]], "greedy": [...], "text": str,
"textIds": [...]}: the logits and the greedy continuation are Pairlab's. Where there are adapters, `model` is what they
stand beside. Prints one line of JSON a question. Needs torch, transformers and peft.
"""
import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def greedy(model, ids, count):
    """By hand, because generate() stops at the end token, and one of these models writes nothing else."""
    start = ids.shape[1]
    for _ in range(count):
        ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
    return ids[0, start:].tolist()


def answer(question):
    with torch.no_grad():
        model, loading = AutoModelForCausalLM.from_pretrained(question['model'], dtype=torch.float32, attn_implementation='eager', output_loading_info=True)
        found = {'missing': sorted(loading['missing_keys']), 'unexpected': sorted(loading['unexpected_keys'])}
        if question['adapters'] is not None:
            model = PeftModel.from_pretrained(model, question['adapters'])
        model.eval()
        ids = torch.tensor([question['ids']])
        logits = model(ids).logits[0]
        found['difference'] = (logits - torch.tensor(question['logits'])).abs().max().item()
        found['greedy'] = greedy(model, ids, len(question['greedy']))
        if question['adapters'] is not None:
            merged = model.merge_and_unload()
            found['mergedDifference'] = (merged(ids).logits[0] - logits).abs().max().item()
        else:
            tokenizer = AutoTokenizer.from_pretrained(question['model'])
            found['textIds'] = tokenizer(question['text'], add_special_tokens=False)['input_ids']
            found['eos'] = tokenizer.eos_token_id
        return found


with open(sys.argv[1], encoding='utf-8') as file:
    for question in json.load(file):
        print(json.dumps(answer(question)))
