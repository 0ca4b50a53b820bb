#!/usr/bin/python3
# fast_transformers' modules, or lookalikes where it is not installed, against the formulas evaluated in double
# SPDX-License-Identifier: LGPL-2.1-or-later
import math
import unittest

from case import Case
from test_torch import shaken

import torch
from torch import nn
from torch.nn import functional as F

try:
    from fast_transformers.feature_maps import (Favor, GeneralizedRandomFeatures, RandomFourierFeatures,
                                                SmoothedRandomFourierFeatures)
    from fast_transformers.recurrent.attention import (
        RecurrentAttentionLayer, RecurrentCrossAttentionLayer, RecurrentCrossFullAttention, RecurrentCrossLinearAttention,
        RecurrentFullAttention, RecurrentLinearAttention)
    from fast_transformers.recurrent.transformers import (RecurrentTransformerDecoder, RecurrentTransformerDecoderLayer,
                                                          RecurrentTransformerEncoder, RecurrentTransformerEncoderLayer)
    from fast_transformers.attention import FullAttention, LinearAttention
    from fast_transformers.transformers import TransformerEncoder, TransformerEncoderLayer
    REAL = True
except ImportError:
    from lookalikes import *
    REAL = False

E, H, DK, DV, T = 12, 3, 5, 4, 30


def affine(linear, x):
    return F.linear(x, linear.weight.double(), linear.bias.double())


def normed(norm, x):
    return F.layer_norm(x, norm.normalized_shape, norm.weight.double(), norm.bias.double(), norm.eps)


def mapped(features, x):
    """The formulas of the feature maps"""
    if not hasattr(features, "omega"):
        return F.elu(x) + 1
    x = x * math.sqrt(features.softmax_temp)
    u = x @ features.omega.double()
    kind, n = type(features).__name__, features.n_dims
    if kind == "Favor":
        offset = (x * x).sum(-1, keepdim=True) / 2
        return torch.cat((torch.exp(u - offset), torch.exp(-u - offset)), -1) / math.sqrt(n)
    if kind == "GeneralizedRandomFeatures":
        return features.kernel_fn(u)
    phi = torch.cat((torch.cos(u), torch.sin(u)), -1) * math.sqrt(2 / n)
    if kind == "SmoothedRandomFourierFeatures":
        phi = torch.cat((phi, torch.full(phi.shape[:-1] + (1,), features.smoothing).double()), -1)
    return phi


def attend(layer, x, memory, causal):
    """x (T, E), memory (S, E)"""
    def heads(y):
        return y.view(len(y), layer.n_heads, -1).transpose(0, 1)
    q, k, v = (heads(affine(getattr(layer, part + "_projection"), z)) for part, z in (
        ("query", x), ("key", memory), ("value", memory)))
    inner = layer.inner_attention
    if "Full" in type(inner).__name__:
        logits = q @ k.transpose(1, 2) * (inner.softmax_temp or 1 / math.sqrt(q.shape[-1]))
        if causal:
            logits = logits + torch.full(logits.shape[1:], float("-inf")).double().triu(1)
        weights = torch.softmax(logits, -1)
    else:
        weights = mapped(inner.feature_map, q) @ mapped(inner.feature_map, k).transpose(1, 2)
        weights = weights.tril() if causal else weights
        weights = weights / (weights.sum(-1, keepdim=True) + inner.eps)
    return affine(layer.out_projection, (weights @ v).transpose(0, 1).reshape(len(x), -1))


def formula(module, x, memory=None):
    x = x.double()
    with torch.no_grad():
        for layer in module.layers:
            if memory is None:
                x = normed(layer.norm1, x + attend(layer.attention, x, x, True))
            else:
                x = normed(layer.norm1, x + attend(layer.self_attention, x, x, True))
                x = normed(layer.norm2, x + attend(layer.cross_attention, x, memory.double(), False))
            y = affine(layer.linear2, layer.activation(affine(layer.linear1, x)))
            x = normed(layer.norm2 if memory is None else layer.norm3, x + y)
        return normed(module.norm, x) if module.norm is not None else x


class FastTransformers(Case):
    def encoder(self, attention, activation="relu", norm=None, layers=2, dk=DK, dv=DV, layer=RecurrentTransformerEncoderLayer,
                cls=RecurrentTransformerEncoder):
        return shaken(cls([layer(RecurrentAttentionLayer(attention(), E, H, dk, dv), E, 20, 0.1, activation)
                           for _ in range(layers)], norm))

    def check(self, module, **says):
        x = torch.randn(T, E)
        model = self.load(module, **says)
        y = model.run(x)
        self.assert_near(y[:, 0], formula(module, x))
        if REAL:
            state, theirs = None, []
            with torch.no_grad():
                for row in x:
                    out, state = module(row[None], state)
                    theirs.append(out[0].double())
            self.assertLess((torch.stack(theirs) - y[:, 0]).abs().max().item(), 1e-3)

    def test_full(self):
        self.check(self.encoder(RecurrentFullAttention, "gelu", nn.LayerNorm(E)), max_len=T)
        self.assertEqual(self.metadata["attention"], "recurrent-full")

    def test_softmax_temp_goes_into_the_queries(self):
        self.check(self.encoder(lambda: RecurrentFullAttention(softmax_temp=0.9)))

    def test_linear(self):
        self.check(self.encoder(lambda: RecurrentLinearAttention(DK)))
        self.assertEqual(self.metadata["attention"], "recurrent-linear")

    def test_random_features(self):
        for features in (Favor.factory(n_dims=8), RandomFourierFeatures.factory(n_dims=64, softmax_temp=0.1),
                         SmoothedRandomFourierFeatures.factory(n_dims=16, smoothing=2.5),
                         GeneralizedRandomFeatures.factory(n_dims=6, kernel_fn=torch.sigmoid, softmax_temp=0.7)):
            def attention():
                inner = RecurrentLinearAttention(DK, feature_map=features)
                inner.feature_map.deterministic_eval = False
                inner.feature_map.new_feature_map("cpu")
                inner.feature_map.deterministic_eval = True
                return inner
            self.check(self.encoder(attention))
            self.assertIn("n_dims", self.metadata)

    def test_decoders(self):
        for self_attention in (RecurrentFullAttention, lambda: RecurrentLinearAttention(DK)):
            for cross in (RecurrentCrossFullAttention, lambda: RecurrentCrossLinearAttention(DK)):
                module = shaken(RecurrentTransformerDecoder([RecurrentTransformerDecoderLayer(
                    RecurrentAttentionLayer(self_attention(), E, H, DK, DV),
                    RecurrentCrossAttentionLayer(cross(), E, H, DK, DV), E, 20, 0.1, "gelu") for _ in range(2)], nn.LayerNorm(E)))
                x, memory = torch.randn(T, E), torch.randn(9, E)
                y = self.load(module).run(x, memory=memory)
                self.assert_near(y[:, 0], formula(module, x, memory))
                self.assertEqual(self.metadata["architecture"], "decoder")

    def test_attention_alone(self):
        for inner in (RecurrentFullAttention(), RecurrentLinearAttention(DK)):
            attention = shaken(RecurrentAttentionLayer(inner, E, H, DK, DV))
            x = torch.randn(T, E)
            with torch.no_grad():
                self.assert_near(self.load(attention).run(x)[:, 0], attend(attention, x.double(), x.double(), True))

    def test_refusals(self):
        batch = {"layer": TransformerEncoderLayer, "cls": TransformerEncoder}
        self.assert_refused("is bidirectional", self.encoder(lambda: LinearAttention(DK), **batch))
        full = self.encoder(FullAttention, dk=4, **batch)
        self.assert_refused("takes its mask in forward()", full)
        self.load(full, attention="recurrent-full")
        self.load(full, attention="single-output", sequence_len=5)
        self.assert_refused("weights are for recurrent-full", self.encoder(RecurrentFullAttention), attention="deep", sequence_len=5)
        self.assert_refused("eps=0.1", self.encoder(lambda: RecurrentLinearAttention(DK, eps=0.1)))
        self.assert_refused("has not been drawn yet", self.encoder(
            lambda: RecurrentLinearAttention(DK, feature_map=Favor.factory(n_dims=8))))
        self.assert_refused("stabilize", self.encoder(
            lambda: RecurrentLinearAttention(DK, feature_map=Favor.factory(n_dims=8, stabilize=True))))
        mixed = self.encoder(lambda: RecurrentLinearAttention(DK))
        mixed.layers[1].attention.inner_attention = RecurrentFullAttention()
        self.assert_refused("its layers are recurrent-linear, recurrent-full", mixed)
        wrong = self.encoder(lambda: RecurrentLinearAttention(DK))
        wrong.layers[0].attention.inner_attention.feature_map.activation_function = F.softplus
        self.assert_refused("other than elu(x) + 1", wrong)


if __name__ == "__main__":
    unittest.main(verbosity=2)
