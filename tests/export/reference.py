# Model files evaluated on one window in double precision, by docs/model-files.md; knows nothing of the exporter
# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import math
import re
import struct

import numpy as np

erf = np.vectorize(math.erf)


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))),
    "gelu_tanh": gelu_tanh,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "identity": lambda x: x,
}


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    metadata, data = header.pop("__metadata__"), content[8 + size:]
    tensors = {}
    for name, about in header.items():
        raw = data[slice(*about["data_offsets"])]
        if about["dtype"] == "BF16":
            values = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
        else:
            values = np.frombuffer(raw, {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[about["dtype"]])
        tensors[name] = values.astype(np.float64).reshape(about["shape"])
    return metadata, tensors


class Reference:
    """forward(x (T, C), mask): (T, D) or, where the layout pools, (D)"""

    def __init__(self, path):
        self.metadata, self.tensors = read(path)
        self.layout, self.used = json.loads(self.metadata["layout"]), set()
        self.pools = any(entry.startswith("pool:") for entry in self.layout)

    def get(self, name, default=None):
        if name not in self.tensors and default is not None:
            return default
        self.used.add(name)
        return self.tensors[name]

    def forward(self, x, start=0, hidden=None):
        """start: the position of the first vector in the stream; hidden (T, T): keys that a query does not see"""
        self.token = False
        for entry in self.layout:
            x = self.apply(entry, x, start, hidden)
        unused = set(self.tensors) - self.used
        assert not unused, f"nothing uses {sorted(unused)}"
        return x

    def apply(self, entry, x, start, hidden):
        if entry.startswith("scale:"):
            return x * float(entry[6:])
        if entry.startswith("pool:"):
            return self.pool(entry[5:], x)
        if entry in ACTIVATIONS:
            return ACTIVATIONS[entry](x)
        if entry == "softmax":
            return softmax(x)
        if entry == "log_softmax":
            return x - x.max(-1, keepdims=True) - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True))
        if entry.startswith("positions:"):
            return self.positions(self.get(entry[10:] + ".weight"), x, start)
        if entry in self.tensors:
            table = self.get(entry)
            if table.shape == (1, 1, x.shape[-1]):
                self.token = True
                return np.concatenate((table[0], x))
            assert table.ndim == 2 or table.ndim == 3 and 1 in table.shape[:2]
            return self.positions(table.reshape(-1, table.shape[-1]), x, start)
        if entry + ".weight" in self.tensors:
            return self.map(entry, x)
        if entry + ".in_proj_weight" in self.tensors:
            return self.attend(entry + ".", x, hidden)
        return self.encoder(entry, x, hidden)

    def positions(self, table, x, start):
        if self.metadata.get("position_index") == "window":
            return x + table[:len(x)]
        return x + table[(start + np.arange(len(x))) % len(table)]

    def pool(self, kind, x):
        assert self.token or kind != "cls"
        return {"last": lambda: x[-1], "first": lambda: x[0], "cls": lambda: x[0], "mean": lambda: x.mean(0),
                "max": lambda: x.max(0)}[kind]()

    def map(self, name, x):
        weight, bias = self.get(name + ".weight"), self.get(name + ".bias", 0.0)
        if name + ".running_mean" in self.tensors:
            eps = float(self.metadata.get("batch_norm_eps", 1e-5))
            return (x - self.get(name + ".running_mean")) / np.sqrt(self.get(name + ".running_var") + eps) * weight + bias
        return x @ weight.T + bias if weight.ndim == 2 else self.norm(name, x)

    def norm(self, name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + float(self.metadata.get("layer_norm_eps", 1e-5)))
        return x * self.get(name + ".weight") + self.get(name + ".bias", 0.0)

    def encoder(self, name, x, hidden):
        lists = {re.match(rf"{re.escape(name)}\.(layers\.)?\d+\.", key) for key in self.tensors} - {None}
        prefixes = sorted({match[0] for match in lists}, key=lambda prefix: int(re.findall(r"\d+", prefix)[-1]))
        assert prefixes, f"{name} is no part"
        for i, prefix in enumerate(prefixes):
            assert prefix.endswith(f".{i}."), prefixes
            x = self.layer(prefix, x, hidden)
        return self.norm(name + ".norm", x) if name + ".norm.weight" in self.tensors else x

    def layer(self, prefix, x, hidden):
        if self.metadata["norm_first"] == "true":
            x = x + self.attend(prefix + "self_attn.", self.norm(prefix + "norm1", x), hidden)
            return x + self.feed_forward(prefix, self.norm(prefix + "norm2", x))
        x = self.norm(prefix + "norm1", x + self.attend(prefix + "self_attn.", x, hidden))
        return self.norm(prefix + "norm2", x + self.feed_forward(prefix, x))

    def feed_forward(self, prefix, x):
        return self.map(prefix + "linear2", ACTIVATIONS[self.metadata["activation"]](self.map(prefix + "linear1", x)))

    def attend(self, prefix, x, hidden):
        heads = int(self.metadata["nhead"])
        y = x @ self.get(prefix + "in_proj_weight").T + self.get(prefix + "in_proj_bias", 0.0)
        q, k, v = y.reshape(len(x), 3, heads, -1).transpose(1, 2, 0, 3)  # (H, T, d) each
        logits = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        if hidden is not None:
            logits = np.where(hidden, -np.inf, logits)
        return self.map(prefix + "out_proj", (softmax(logits) @ v).transpose(1, 0, 2).reshape(len(x), -1))
