"""The benchmark's peer: the same steps in PyTorch, eager, or with what can be given to torch.compile.

python3 peer.py <threads> <weights folder> <device> <eager|compile> [f32|bf16]

Speaks the protocol of engine-jobs.ts: a greeting, then a line back for each JSON line in. The decoder is the one of
main/core/learn/models/decoder.ts, written the way PyTorch likes it: fused attention, one product for each linear layer,
AdamW in its fused form. Steps with adapters are those of transformers and PEFT, as people run them.
"""
import json
import math
import os
import resource
import struct
import sys
import time

import torch
import torch.nn.functional as F

try:
    from safetensors.torch import load_file
except ImportError:
    load_file = None

threads, folder, device = int(sys.argv[1]), sys.argv[2], torch.device(sys.argv[3])
compiled = sys.argv[4] == "compile"
half = len(sys.argv) > 5 and sys.argv[5] == "bf16"
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.set_num_threads(threads)
plan = json.load(open(os.path.join(folder, "plan.json")))


def read_weights(shape):
    path = os.path.join(folder, shape, "model.safetensors")
    if load_file is not None:
        # Copied: what it gives is the file itself, mapped into memory, whose pages are read when they are first used.
        return {name: value.clone().to(device) for name, value in load_file(path).items()}
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    start = 8 + size
    weights = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        numbers = torch.frombuffer(bytearray(data[start + begin : start + end]), dtype=torch.float32)
        weights[name] = numbers.reshape(entry["shape"]).clone().to(device)
    return weights


class Decoder:
    def __init__(self, shape):
        self.config = plan["shapes"][shape]["config"]
        self.weights = {name: value.requires_grad_(True) for name, value in read_weights(shape).items()}
        half = self.config["headDim"] // 2
        frequency = self.config["ropeTheta"] ** (-torch.arange(half, device=device) / half)
        angles = torch.arange(1024, device=device)[:, None] * frequency
        self.cos, self.sin = angles.cos(), angles.sin()

    def rotate(self, x, start):
        """x [row, head, time, dim]"""
        length, half = x.shape[2], x.shape[3] // 2
        cos, sin = self.cos[start : start + length], self.sin[start : start + length]
        first, second = x[..., :half], x[..., half:]
        return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)

    def hidden(self, ids, cache=None):
        """ids [row, time] -> [row, time, hidden]; a cache is a list of (keys, values) that grows."""
        w, c = self.weights, self.config
        rows, length = ids.shape
        start = 0 if cache is None or cache[0] is None else cache[0][0].shape[2]
        x = F.embedding(ids, w["model.embed_tokens.weight"])
        for layer in range(c["layers"]):
            p = f"model.layers.{layer}."
            h = F.rms_norm(x, (c["hidden"],), w[p + "input_layernorm.weight"], c["normEpsilon"])
            split = lambda name: F.linear(h, w[p + f"self_attn.{name}.weight"]).view(rows, length, -1, c["headDim"]).transpose(1, 2)
            q, k, v = self.rotate(split("q_proj"), start), self.rotate(split("k_proj"), start), split("v_proj")
            if cache is not None:
                if cache[layer] is not None:
                    k, v = torch.cat((cache[layer][0], k), 2), torch.cat((cache[layer][1], v), 2)
                cache[layer] = (k, v)
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=length > 1, enable_gqa=c["heads"] != c["kvHeads"])
            x = x + F.linear(mixed.transpose(1, 2).reshape(rows, length, -1), w[p + "self_attn.o_proj.weight"])
            h = F.rms_norm(x, (c["hidden"],), w[p + "post_attention_layernorm.weight"], c["normEpsilon"])
            gated = F.silu(F.linear(h, w[p + "mlp.gate_proj.weight"])) * F.linear(h, w[p + "mlp.up_proj.weight"])
            x = x + F.linear(gated, w[p + "mlp.down_proj.weight"])
        return F.rms_norm(x, (c["hidden"],), w["model.norm.weight"], c["normEpsilon"])

    def next(self, ids, cache, place):
        """Logits after one more token at `place` [] of caches that have all their places. ids [row, 1] -> [row, vocab]"""
        w, c = self.weights, self.config
        rows = ids.shape[0]
        x = F.embedding(ids, w["model.embed_tokens.weight"])
        cos, sin = self.cos[place], self.sin[place]
        past = (torch.arange(cache[0][0].shape[2], device=device) <= place)[None, None, None]

        def turned(z):
            first, second = z.chunk(2, dim=-1)
            return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)

        for layer, (keys, values) in enumerate(cache):
            p = f"model.layers.{layer}."
            h = F.rms_norm(x, (c["hidden"],), w[p + "input_layernorm.weight"], c["normEpsilon"])
            split = lambda name: F.linear(h, w[p + f"self_attn.{name}.weight"]).view(rows, 1, -1, c["headDim"]).transpose(1, 2)
            keys.index_copy_(2, place[None], turned(split("k_proj")))
            values.index_copy_(2, place[None], split("v_proj"))
            mixed = F.scaled_dot_product_attention(turned(split("q_proj")), keys, values, attn_mask=past, enable_gqa=True)
            x = x + F.linear(mixed.transpose(1, 2).reshape(rows, 1, -1), w[p + "self_attn.o_proj.weight"])
            h = F.rms_norm(x, (c["hidden"],), w[p + "post_attention_layernorm.weight"], c["normEpsilon"])
            gated = F.silu(F.linear(h, w[p + "mlp.gate_proj.weight"])) * F.linear(h, w[p + "mlp.up_proj.weight"])
            x = x + F.linear(gated, w[p + "mlp.down_proj.weight"])
        return self.logits(F.rms_norm(x, (c["hidden"],), w["model.norm.weight"], c["normEpsilon"]))[:, -1]

    def logits(self, hidden):
        return F.linear(hidden, self.weights.get("lm_head.weight", self.weights["model.embed_tokens.weight"]))


def finish():
    if device.type == "cuda":
        torch.cuda.synchronize()


def adapted(shape):
    """transformers' model with PEFT's adapters, both from the files that every participant reads."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaForCausalLM

    lora, place = plan["lora"], os.path.join(folder, shape)
    model = LlamaForCausalLM.from_pretrained(place, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(r=lora["rank"], lora_alpha=lora["alpha"], lora_dropout=lora["dropout"],
                                             target_modules=lora["targets"], task_type="CAUSAL_LM"))
    adapters = load_file(os.path.join(place, "adapters.safetensors"))
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in adapters.items():
            parameters["base_model.model." + name.replace(".weight", ".default.weight")].copy_(value)
    return model.to(device).train()


class Steps:
    def __init__(self, shape, job):
        self.kind = job.removeprefix("lora-")
        if job.startswith("lora-"):
            model = adapted(shape)
            trained = [one for one in model.parameters() if one.requires_grad]
            # The head reads the wanted places alone, as the decoder below does.
            self.forward = lambda ids, first: model(ids, logits_to_keep=ids.shape[1] - first + 1).logits[:, :-1]
        else:
            decoder = Decoder(shape)
            trained = list(decoder.weights.values())
            self.forward = lambda ids, first: decoder.logits(decoder.hidden(ids)[:, first - 1 : -1])
        self.optimizer = torch.optim.AdamW(trained, lr=plan["learningRate"], weight_decay=0.0, fused=True)
        rows = plan["shapes"][shape][self.kind]
        self.ids = torch.tensor(rows["ids"], device=device)
        self.start = rows["start"]
        self.reference = torch.tensor(rows["reference"], device=device)
        self.loss = torch.compile(self.loss_of) if compiled else self.loss_of

    def loss_of(self):
        targets = self.ids[:, self.start :]
        logits = self.forward(self.ids, self.start)
        if self.kind == "sft":
            return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        taken = -F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
        ratio = (taken - self.reference).sum(1)
        chosen, rejected = ratio.chunk(2)
        return -F.logsigmoid(plan["beta"] * (chosen - rejected)).mean()

    def run(self):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = self.loss()
        loss.backward()
        self.optimizer.step()
        return [loss.item()]


class Samples:
    def __init__(self, shape, rows):
        self.decoder = Decoder(shape)
        self.prompts = torch.tensor(plan["shapes"][shape]["prompts"][:rows], device=device)
        self.round = 0
        if compiled:
            self.next = torch.compile(self.decoder.next)

    @torch.inference_mode()
    def run(self):
        greedy, self.round = self.round == 0, self.round + 1
        decoder, length, made = self.decoder, self.prompts.shape[1], []
        cache, ids = [None] * decoder.config["layers"], self.prompts
        if compiled:
            # Prompts as eager code reads them, then places of a fixed number, so that one program serves every token.
            hidden, places = decoder.hidden(ids, cache), length + plan["sampledTokens"]
            cache = [tuple(F.pad(one, (0, 0, 0, places - length)) for one in layer) for layer in cache]
        for at in range(plan["sampledTokens"]):
            if not compiled:
                logits = decoder.logits(decoder.hidden(ids, cache)[:, -1])
            elif at == 0:
                logits = decoder.logits(hidden[:, -1])
            else:
                logits = self.next(ids, cache, torch.tensor(length + at - 1, device=device))
            ids = logits.argmax(-1, keepdim=True) if greedy else torch.multinomial(logits.softmax(-1), 1)
            made.append(ids)
        done = torch.cat(made, 1).tolist()
        return done[0][:8] if greedy else []


class Load:
    def __init__(self, shape):
        self.shape = shape

    def run(self):
        return [Decoder(self.shape).weights["model.embed_tokens.weight"][0, 0].item()]


def begin(shape, job):
    if job == "load":
        return Load(shape)
    if job.startswith("sample-"):
        return Samples(shape, int(job.split("-")[1]))
    return Steps(shape, job)


def say(line):
    print(json.dumps(line), flush=True)


name = torch.cuda.get_device_name() if device.type == "cuda" else f"{threads} threads"
title = "pytorch" + (" compile" if compiled else "") + (" bf16" if half else "")
say({"name": title, "device": name, "version": torch.__version__})
work = None
for line in sys.stdin:
    request = json.loads(line)
    if request == "end":
        break
    try:
        if request["fresh"]:
            work = begin(request["shape"], request["job"])
        ms, cpu_ms, check = [], [], []
        for _ in range(request["count"]):
            started, before = time.perf_counter(), time.process_time()
            check += work.run()
            finish()
            ms.append((time.perf_counter() - started) * 1e3)
            cpu_ms.append((time.process_time() - before) * 1e3)
        say({"ms": ms, "cpuMs": cpu_ms, "check": check})
    except Exception as error:
        say({"ms": [], "cpuMs": [], "check": [], "error": str(error)})
card = torch.cuda.max_memory_allocated() if device.type == "cuda" else None
say({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "cardBytes": card, "tensors": None})
