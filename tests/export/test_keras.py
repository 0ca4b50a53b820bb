#!/usr/bin/python3
# KernelAttention of TensorFlow Models, by an object with the same attributes and weights, against its formula in double
# SPDX-License-Identifier: LGPL-2.1-or-later
import math
import unittest

from case import Case

import torch
from torch.nn import functional as F

E, H, D, M, T = 10, 3, 4, 8, 23


class Weight:
    """A variable of Keras"""

    def __init__(self, name, value):
        self.name, self.value = name + ":0", value

    def numpy(self):
        return self.value.numpy()


class KernelAttention:
    def __init__(self, feature_transform="exp", num_random_features=M, scale=None, use_bias=True, **causal):
        self._num_heads, self._feature_transform, self._num_random_features = H, feature_transform, num_random_features
        self._scale = scale or 1 / math.sqrt(D)
        self._is_short_seq = self._scale_by_length = self._redraw = False
        self._begin_kernel = 0
        self.use_causal_windowed, self.causal_chunk_length, self.causal_window_length = True, 1, 3
        self.causal_window_decay = self.causal_padding = None
        self._projection_matrix = Weight("", torch.randn(M, D)) if num_random_features > 0 else None
        for key, value in causal.items():
            assert hasattr(self, key)
            setattr(self, key, value)
        self.weights = []
        for part in ("query", "key", "value"):
            self.weights.append(Weight(f"kernel_attention/{part}/kernel", torch.randn(E, H, D) / 3))
            if use_bias:
                self.weights.append(Weight(f"kernel_attention/{part}/bias", torch.randn(H, D) / 3))
        self.weights.append(Weight("kernel_attention/attention_output/kernel", torch.randn(H, D, E) / 3))
        if use_bias:
            self.weights.append(Weight("kernel_attention/attention_output/bias", torch.randn(E)))

    def weight(self, name):
        """0 for a bias that is not there"""
        return next((w.value.double() for w in self.weights if w.name.endswith("/" + name + ":0")), torch.zeros(1, 1).double())

    def features(self, x):
        x = x * math.sqrt(self._scale)
        u, n = x, 1.
        if self._projection_matrix is not None:
            u, n = x @ self._projection_matrix.value.double().T, 1 / math.sqrt(M)
        return n * {"elu": lambda: F.elu(u) + 1, "relu": lambda: F.relu(u) + 1e-3, "square": lambda: u * u,
                    "identity": lambda: u, "expmod": lambda: u.exp(),
                    "exp": lambda: (u - (x * x).sum(-1, keepdim=True) / 2).exp()}[self._feature_transform]()

    def truth(self, x, cache=False):
        x = x.double()
        q, k, v = (torch.einsum("te,ehd->htd", x, self.weight(part + "/kernel"))
                   + self.weight(part + "/bias")[:, None]
                   for part in ("query", "key", "value"))
        chunks = torch.arange(T) // self.causal_chunk_length
        age = chunks[:, None] - chunks[None]
        window = T if cache else self.causal_window_length
        decay = 1. if self.causal_window_decay is None else self.causal_window_decay
        mask = torch.where((age >= 0) & (age < window), decay ** age.clamp(min=0).double(), torch.zeros(()).double())
        a = self.features(q) @ self.features(k).transpose(1, 2) * mask
        eps = 0 if self._feature_transform in ("exp", "expmod") else 1e-6
        out = a @ v / (a.sum(-1, keepdim=True) + eps)
        return torch.einsum("htd,hde->te", out, self.weight("attention_output/kernel")) + self.weight("attention_output/bias")


class Keras(Case):
    def check(self, layer, cache=False):
        x = torch.randn(T, E)
        y = self.load(layer, **({"cache": True} if cache else {})).run(x)
        self.assert_near(y[:, 0], layer.truth(x, cache))

    def test_transforms(self):
        for name in ("elu", "relu", "square", "exp", "expmod"):
            self.check(KernelAttention(name))
        for name in ("elu", "relu", "exp"):
            self.check(KernelAttention(name, num_random_features=0))
        self.assertEqual(self.metadata["num_random_features"], "0")

    def test_windows(self):
        self.check(KernelAttention("relu", causal_chunk_length=4, causal_window_length=2, causal_padding="right"))
        self.check(KernelAttention("elu", causal_window_length=5, causal_window_decay=0.7))
        self.check(KernelAttention("exp", causal_window_decay=0.8), cache=True)
        self.assertEqual(self.metadata["cache"], "true")
        self.check(KernelAttention("elu", scale=0.1, use_bias=False))

    def test_refusals(self):
        for wrong in ({"use_causal_windowed": False}, {"_is_short_seq": True}, {"_begin_kernel": 4}, {"_scale_by_length": True},
                      {"causal_padding": "left"}, {"feature_transform": "expplus"}):
            self.assert_refused(next(iter(wrong)).strip("_"), KernelAttention(**wrong))
        self.assert_refused("cache without causal_window_decay", KernelAttention(), cache=True)
        self.assert_refused("no _projection_matrix", KernelAttention(_projection_matrix=None))
        layer = KernelAttention()
        layer.weights.append(Weight("kernel_attention/attention_output_softmax/kernel", torch.zeros(1)))
        self.assert_refused("attention_output_softmax", layer)
        layer.weights = []
        self.assert_refused("call it once", layer)
        del layer._feature_transform
        self.assert_refused("expected KernelAttention", layer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
