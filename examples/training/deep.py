# The network that the examples train: what libcontinual computes step by step, for whole sequences at once.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stack of transformer layers in which every layer's output is that of its newest vector, over the last
`sequence_len` vectors that came into that layer: attention "deep". Over a whole sequence that is attention with a
band for a mask, so that one pass trains on every frame of it. Before a window is full it attends to what there is,
which is what continualencoder does with warm-up=partial."""
import json
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Positions(nn.Module):
    """Adds pe[t mod P]. The encoding is a set of sine waves with whole periods in P vectors, so that how far apart
    two vectors are is the same at any t. It fills the first 2 * len(waves) features."""

    def __init__(self, period, features, waves):
        super().__init__()
        self.pe = nn.Embedding(period, features)
        turn = 2 * np.pi * torch.arange(period)[:, None] * torch.tensor(waves) / period
        with torch.no_grad():
            self.pe.weight.zero_()
            self.pe.weight[:, 0 : 2 * len(waves) : 2] = turn.cos()
            self.pe.weight[:, 1 : 2 * len(waves) : 2] = turn.sin()
        self.pe.weight.requires_grad = False

    def forward(self, x, phase):
        """x (B, T, E), phase (B,): the t of the first vector."""
        at = (phase[:, None] + torch.arange(x.shape[1])) % self.pe.num_embeddings
        return x + self.pe(at)


class SteadyDropout(nn.Module):
    """Leaves out the same features at every time of a sequence. What was left out for a moment could be told from the
    moments around it; and so few random numbers cost no time."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, x):
        if not self.training or not self.share:
            return x
        return x * (torch.rand(len(x), 1, x.shape[2]) >= self.share).to(x.dtype) / (1 - self.share)


def banded_attention(attention, x, window):
    """nn.MultiheadAttention's parameters; each of x (B, T, E) asks for itself and the window - 1 before it."""
    batch, length, features = x.shape
    heads = attention.num_heads
    block = window if length > 8 * window else length  # a few windows are done more quickly at once
    pad = -length % block
    q, k, v = F.linear(F.pad(x, (0, 0, 0, pad)), attention.in_proj_weight, attention.in_proj_bias).chunk(3, -1)
    blocks = (length + pad) // block
    before = block if blocks > 1 else 0

    def split(y):  # (B, H, blocks, block, E / H)
        return y.view(batch, blocks, block, heads, features // heads).permute(0, 3, 1, 2, 4)

    def with_previous(y):
        return torch.cat([F.pad(y, (0, 0, 0, 0, 1, 0))[:, :, :-1], y], 3) if before else y

    q, k, v = split(q), with_previous(split(k)), with_previous(split(v))
    back = torch.arange(block)[:, None] + before - torch.arange(before + block)[None]
    seen = ((back >= 0) & (back < window)).expand(blocks, block, before + block).clone()
    seen[0, :, :before] = False
    scores = (q @ k.transpose(-1, -2)) * (features // heads) ** -0.5
    weights = scores.masked_fill(~seen, -1e9).softmax(-1)
    y = (weights @ v).permute(0, 2, 3, 1, 4).reshape(batch, length + pad, features)[:, :length]
    return attention.out_proj(y)


class Deep(nn.Sequential):
    """Named as continual-inference names co.Sequential(Linear, positions, encoder, norm, Linear). A subclass says how
    many whole periods the waves of its positions have (`waves`), and how many vectors each head looks back at first
    (`back`)."""
    waves = None

    def __init__(self, inputs, labels, features, heads, hidden, layers, window, dropout=0.0):
        layer = nn.TransformerEncoderLayer(features, heads, hidden, dropout, "gelu", batch_first=True, norm_first=True)
        super().__init__(nn.Linear(inputs, features), Positions(2 * window - 1, features, self.waves),
                         nn.TransformerEncoder(layer, layers), nn.LayerNorm(features),
                         nn.Linear(features, len(labels)))
        self.labels, self.window, self.heads = labels, window, heads
        with torch.no_grad():
            self[0].weight[: 2 * len(self.waves)] *= 0.1
            for index, each in enumerate(self[2].layers):
                each.dropout = each.dropout1 = each.dropout2 = SteadyDropout(dropout)
                for weight in (each.linear1.weight, each.linear2.weight):
                    nn.init.xavier_uniform_(weight)  # unlike copies of one layer
                each.linear2.weight[: 2 * len(self.waves)] *= 0.1
                self._look_back(each.self_attn, index)

    def back(self, layer, head):
        raise NotImplementedError

    def _look_back(self, attention, index):
        """Starts each head off looking a few vectors back, as a convolution would, and leaves the features of the
        positions nearly alone."""
        features, heads = attention.embed_dim, attention.num_heads
        size, period = features // heads, 2 * self.window - 1
        nn.init.normal_(attention.in_proj_weight[: 2 * features], 0, 0.02)
        nn.init.xavier_uniform_(attention.in_proj_weight[2 * features :])
        nn.init.xavier_uniform_(attention.out_proj.weight)
        attention.out_proj.weight[: 2 * len(self.waves)] *= 0.1
        gain = 1.2
        for head in range(heads):
            back = min(self.window - 1, self.back(index, head))
            for slot, wave in enumerate(range(head % 2, len(self.waves), 2)[: size // 2]):
                row, column, turn = head * size + 2 * slot, 2 * wave, 2 * np.pi * self.waves[wave] * back / period
                # the query, turned back by `back` steps, agrees with the key of that vector
                for i, part in enumerate(([np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)])):
                    attention.in_proj_weight[row + i, column : column + 2] += gain * torch.tensor(part)
                    attention.in_proj_weight[features + row + i, column + i] += gain

    def encode(self, x):
        for layer in self[2].layers:
            if layer.norm_first:
                x = x + layer.dropout1(banded_attention(layer.self_attn, layer.norm1(x), self.window))
                inner = layer.norm2(x)
            else:
                inner = x = layer.norm1(x + layer.dropout1(banded_attention(layer.self_attn, x, self.window)))
            inner = layer.dropout2(layer.linear2(layer.dropout(layer.activation(layer.linear1(inner)))))
            x = x + inner if layer.norm_first else layer.norm2(x + inner)
        return x

    def inner(self, x, phase=None):
        """x (B, T, C) -> what the scores are made from (B, T, E)."""
        phase = torch.zeros(len(x), dtype=torch.long) if phase is None else phase
        return self[3](self.encode(self[1](self[0](x), phase)))

    def forward(self, x, phase=None):
        """x (B, T, C) -> scores (B, T, labels)."""
        return self[4](self.inner(x, phase))

    def metadata(self):
        return {"attention": "deep", "nhead": str(self.heads), "sequence_len": str(self.window),
                "activation": "gelu", "norm_first": "true", "labels": json.dumps(self.labels)}


def save(path, state, metadata):
    """A safetensors file with 16 bit floats."""
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, tensor in state.items():
        blob = tensor.detach().numpy().astype("<f2").tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def load(path):
    """(state dict, metadata) of a file written by `save`, or of 32 bit floats."""
    with open(path, "rb") as data:
        size = struct.unpack("<Q", data.read(8))[0]
        header = json.loads(data.read(size))
        body = data.read()
    metadata = header.pop("__metadata__", {})
    kinds = {"F16": "<f2", "F32": "<f4"}
    return {name: torch.from_numpy(np.frombuffer(body[slice(*t["data_offsets"])], kinds[t["dtype"]])
                                   .astype(np.float32).reshape(t["shape"])) for name, t in header.items()}, metadata


def read(path, kind):
    """The model in a file, ready to be asked; `kind` is its subclass of Deep."""
    state, metadata = load(path)
    layers = 1 + max(int(n.split(".")[2]) for n in state if n.startswith("2.layers."))
    model = kind(state["0.weight"].shape[1], json.loads(metadata["labels"]), state["0.weight"].shape[0],
                 int(metadata["nhead"]), state["2.layers.0.linear1.weight"].shape[0], layers,
                 int(metadata["sequence_len"]))
    model.load_state_dict(state)
    return model.eval()
