"""The benchmark's peer: the same steps in PyTorch, eager mode.

python3 peer.py <threads> <weights folder> <device>

Speaks the protocol of engine-jobs.ts: a greeting, then a line back for each JSON line in. The decoder is the one of
main/core/learn/models/decoder.ts, written the way PyTorch likes it: fused attention, one product for each linear layer,
AdamW in its fused form.
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
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=length > 1)
            x = x + F.linear(mixed.transpose(1, 2).reshape(rows, length, -1), w[p + "self_attn.o_proj.weight"])
            h = F.rms_norm(x, (c["hidden"],), w[p + "post_attention_layernorm.weight"], c["normEpsilon"])
            gated = F.silu(F.linear(h, w[p + "mlp.gate_proj.weight"])) * F.linear(h, w[p + "mlp.up_proj.weight"])
            x = x + F.linear(gated, w[p + "mlp.down_proj.weight"])
        return F.rms_norm(x, (c["hidden"],), w["model.norm.weight"], c["normEpsilon"])

    def logits(self, hidden):
        return F.linear(hidden, self.weights.get("lm_head.weight", self.weights["model.embed_tokens.weight"]))


def finish():
    if device.type == "cuda":
        torch.cuda.synchronize()


class Steps:
    def __init__(self, shape, job):
        self.decoder, self.job = Decoder(shape), job
        self.optimizer = torch.optim.AdamW(self.decoder.weights.values(), lr=plan["learningRate"], weight_decay=0.0, fused=True)
        rows = plan["shapes"][shape][job]
        self.ids = torch.tensor(rows["ids"], device=device)
        self.start = rows["start"]
        self.reference = torch.tensor(rows["reference"], device=device)

    def run(self):
        self.optimizer.zero_grad(set_to_none=True)
        predicting = self.decoder.hidden(self.ids)[:, self.start - 1 : -1]
        targets = self.ids[:, self.start :]
        logits = self.decoder.logits(predicting)
        if self.job == "sft":
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        else:
            taken = -F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
            ratio = (taken - self.reference).sum(1)
            chosen, rejected = ratio.chunk(2)
            loss = -F.logsigmoid(plan["beta"] * (chosen - rejected)).mean()
        loss.backward()
        self.optimizer.step()
        return [loss.item()]


class Samples:
    def __init__(self, shape, rows):
        self.decoder = Decoder(shape)
        self.prompts = torch.tensor(plan["shapes"][shape]["prompts"][:rows], device=device)
        self.round = 0

    @torch.inference_mode()
    def run(self):
        greedy, self.round = self.round == 0, self.round + 1
        cache, ids, made = [None] * self.decoder.config["layers"], self.prompts, []
        for _ in range(plan["sampledTokens"]):
            logits = self.decoder.logits(self.decoder.hidden(ids, cache)[:, -1])
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
    return Steps(shape, job) if job in ("sft", "dpo") else Samples(shape, int(job.split("-")[1]))


def say(line):
    print(json.dumps(line), flush=True)


name = torch.cuda.get_device_name() if device.type == "cuda" else f"{threads} threads"
say({"name": "pytorch", "device": name, "version": torch.__version__})
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
say({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "tensors": None})
