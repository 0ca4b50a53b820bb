#!/usr/bin/python3
# continual-inference's modules, or lookalikes where it is not installed, against torch's layers with the same weights
# SPDX-License-Identifier: LGPL-2.1-or-later
import unittest

from case import Case, windows
from test_torch import shaken, truth

import torch
from torch import nn
from torch.nn import functional as F

try:
    import continual as co
except ImportError:
    from lookalikes import co

N, E, T = 7, 12, 19


def affine(linear, x):
    return F.linear(x, linear.weight.double(), linear.bias.double())


def inner(module):
    while hasattr(module, "fn") and isinstance(module.fn, nn.Module):
        module = module.fn
    return module


def as_torch(layer, activation):
    """torch's layer with the weights of one of continual-inference's"""
    layer = inner(layer)
    attention, rest = layer[0].self_attn, inner(layer[1])
    block = rest._ff_block
    block = block.fn if hasattr(block, "fn") else block[1]
    made = nn.TransformerEncoderLayer(E, attention.num_heads, block.linear1.out_features, activation=activation,
                                      layer_norm_eps=inner(rest.norm1).eps, batch_first=True)
    made.self_attn.load_state_dict(attention.state_dict())
    for name, part in (("linear1", block.linear1), ("linear2", block.linear2), ("norm1", inner(rest.norm1)),
                       ("norm2", inner(rest.norm2))):
        getattr(made, name).load_state_dict(part.state_dict())
    return made


class ContinualInference(Case):
    def check(self, module, layers, activation="relu", norm=None, query=-1, **says):
        shaken(module)
        encoder = nn.TransformerEncoder(as_torch(layers[0], activation), 1, norm=norm)
        encoder.layers = nn.ModuleList(as_torch(part, activation) for part in layers)
        x = torch.randn(T, E)
        model = self.load(module, **says)
        expected = torch.stack([truth(encoder, w) for w in windows(x, N)])
        self.assert_near(model.run(x), expected if model.info.n_positions > 1 else expected[:, query][:, None])

    def single(self, **says):
        return co.SingleOutputTransformerEncoderLayer(E, 3, 20, sequence_len=N, **says)

    def test_layers(self):
        layer = self.single(layer_norm_eps=1e-3)
        self.check(layer, [layer])
        self.assertEqual(self.metadata["layer_norm_eps"], "0.001")
        layer = self.single(activation=nn.GELU(), query_index=2, single_output_forward=True)
        self.check(layer, [layer], "gelu", query=2)
        layer = co.RetroactiveTransformerEncoderLayer(E, 3, 20, sequence_len=N, activation=F.gelu)
        self.check(layer, [layer], "gelu")
        self.assertEqual(self.metadata["attention"], "retroactive")

    def test_encoders(self):
        factory = co.TransformerEncoderLayerFactory(E, 3, 20, sequence_len=N, activation=nn.GELU())
        encoder = co.TransformerEncoder(factory, 1)
        self.check(encoder, list(encoder.layers), "gelu")
        norm = nn.LayerNorm(E)
        encoder = co.TransformerEncoder(factory, 2, norm=norm)
        self.check(encoder, list(encoder.layers)[:2], "gelu", norm)
        self.assertEqual(self.metadata["attention"], "single-output")

    def test_deep(self):
        layers = [self.single(), self.single(), self.single(single_output_forward=True)]
        model = self.load(shaken(co.Sequential(*layers)))
        self.assertEqual(model.info.kind, b"deep")
        x = torch.randn(4 * N, E)
        h = x.double()
        for part in layers:
            h = torch.stack([truth(as_torch(part, "relu"), w)[-1] for w in windows(h, N)])
        self.assert_near(model.run(x)[:, 0], h)

    def test_classifier(self):
        for learned in (True, False):
            encoder, norm = self.single(), nn.LayerNorm(E)
            embed, head = co.Linear(5, E, channel_dim=1), co.Linear(E, 3, channel_dim=1)
            positions = co.RecyclingPositionalEncoding(E, 2 * (N + 1), learned=learned)
            module = shaken(co.Sequential(embed, positions, encoder, co.Lambda(norm), head))
            x = torch.randn(3 * N, 5)
            y = self.load(module, labels=["a", "b", "c"]).run(x)
            table = positions.pe.weight if learned else positions.pe.pattern
            with torch.no_grad():
                h = affine(embed, x.double()) + table.double()[torch.arange(len(x)) % len(table)]
            layer = as_torch(encoder, "relu")
            expected = [affine(head, truth(norm, truth(layer, w)[-1:]))[0].detach() for w in windows(h, N)]
            self.assert_near(y[:, 0], torch.stack(expected))

    def test_attentions(self):
        for attention, query in ((co.SingleOutputMultiheadAttention(E, 3, sequence_len=N, query_index=2), 2),
                                 (co.RetroactiveMultiheadAttention(E, 3, sequence_len=N), None)):
            mha = nn.MultiheadAttention(E, 3, batch_first=True)
            mha.load_state_dict(shaken(attention).state_dict())
            x = torch.randn(T, E)
            with torch.no_grad():
                expected = torch.stack([mha.double()(*[w.double()[None]] * 3)[0][0] for w in windows(x, N)])
            self.assert_near(self.load(attention).run(x), expected if query is None else expected[:, query][:, None])

    def test_a_forward_of_ones_own(self):
        class RecyclingPositionalEncoding(nn.Module):
            def __init__(self):
                super().__init__()
                self.pe = nn.Embedding(2 * N - 1, E)

            def forward(self, x):
                return x + self.pe(torch.arange(x.shape[1]))

        class Own(nn.Module):
            def __init__(self, pool):
                super().__init__()
                self.embed, self.positions = nn.Linear(5, E), RecyclingPositionalEncoding()
                self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(E, 3, 20, batch_first=True), 2)
                self.head, self.pool = nn.Linear(E, 3), pool

            def forward(self, x):
                return self.head(self.pool(self.encoder(self.positions(self.embed(x)))))
        self.load(shaken(Own(lambda x: x[:, -1])), sequence_len=N)
        self.assertNotIn("position_index", self.metadata)
        self.load(shaken(Own(lambda x: x)), sequence_len=N, attention="retroactive")
        for words, pool in (("others than the module's", lambda x: x.mean(1)), ("it fails on every input", lambda x: x.nothing())):
            self.assert_refused(words, shaken(Own(pool)), sequence_len=N)
        self.assert_refused("cannot be compared for attention='deep'", shaken(Own(lambda x: x)), sequence_len=N, attention="deep")

    def test_refusals(self):
        self.assert_refused("sequence_len is 7 in 0.0.self_attn but 8", co.Sequential(
            self.single(), co.SingleOutputTransformerEncoderLayer(E, 3, 20, sequence_len=8)))
        self.assert_refused("its layers are single, retroactive", co.Sequential(
            self.single(), co.RetroactiveTransformerEncoderLayer(E, 3, 20, sequence_len=N)))
        self.assert_refused("only single-output asks one position", co.Sequential(
            self.single(query_index=2), self.single(query_index=2)))
        layer = self.single()
        layer[0].self_attn.attention_act = "gaussian"
        self.assert_refused("expected softmax", layer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
