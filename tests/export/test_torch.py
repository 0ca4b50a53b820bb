#!/usr/bin/python3
# Modules of plain PyTorch, exported, against their own outputs in double
# SPDX-License-Identifier: LGPL-2.1-or-later
import copy
import unittest

from case import Case, windows

import torch
from torch import nn
from torch.nn import functional as F

N, E, T = 7, 12, 19


def layer(d_model=E, **settings):
    settings = {"nhead": 3, "dim_feedforward": 20, "batch_first": True, **settings}
    return nn.TransformerEncoderLayer(d_model, **settings)


def shaken(module):
    """Its weights, with norms and biases that are not ones and zeros"""
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return module.eval()


def truth(module, x):
    """(T, C) to (T, D), in double, in one window"""
    module = copy.deepcopy(module).double()
    for m in module.modules():
        m.training = True  # the fast path of inference has its own rounding
        if isinstance(m, nn.Dropout):
            m.p = 0
        if isinstance(m, nn.MultiheadAttention):
            m.dropout = 0
    with torch.no_grad():
        return module(x.double()[None])[0]


class Encoders(Case):
    def check(self, module, query=-1, **says):
        shaken(module)
        x = torch.randn(T, self.width)
        model = self.load(module, sequence_len=N, **says)
        y = model.run(x)
        if model.info.kind == b"retroactive":
            self.assert_near(y, torch.stack([truth(module, w) for w in windows(x, N)]))
        else:
            self.assert_near(y[:, 0], torch.stack([truth(module, w)[query] for w in windows(x, N)]))

    width = E

    def test_layer(self):
        self.check(layer())

    def test_depths(self):
        for depth in (1, 2, 3):
            self.check(nn.TransformerEncoder(layer(), depth))

    def test_norm_first_gelu_eps_final_norm(self):
        encoder = nn.TransformerEncoder(layer(norm_first=True, activation="gelu", layer_norm_eps=1e-2), 2,
                                        norm=nn.LayerNorm(E, eps=1e-2))
        self.check(encoder)
        self.assertEqual(self.metadata["norm_first"], "true")
        self.assertEqual(self.metadata["activation"], "gelu")
        self.assertEqual(self.metadata["layer_norm_eps"], "0.01")

    def test_activations(self):
        for name, function in (("gelu_tanh", nn.GELU(approximate="tanh")), ("silu", F.silu), ("tanh", nn.Tanh()),
                               ("sigmoid", torch.sigmoid), ("elu", nn.ELU()), ("leaky_relu", nn.LeakyReLU()),
                               ("identity", nn.Identity()), ("relu", lambda x: x.clamp(min=0))):
            self.check(layer(activation=function))
            self.assertEqual(self.metadata["activation"], name)

    def test_query_index(self):
        self.check(nn.TransformerEncoder(layer(), 2), query=2, query_index=2)
        self.check(layer(), query=-3, query_index=-3)

    def test_retroactive(self):
        self.check(nn.TransformerEncoder(layer(), 2), attention="retroactive")

    def test_deep(self):
        encoder = shaken(nn.TransformerEncoder(layer(), 3))
        x = torch.randn(4 * N, E)
        y = self.load(encoder, sequence_len=N, attention="deep").run(x)
        h = x.double()
        for part in encoder.layers:
            h = torch.stack([truth(part, w)[-1] for w in windows(h, N)])
        self.assert_near(y[:, 0], h)

    def test_causal_encoder(self):
        encoder = shaken(nn.TransformerEncoder(layer(), 2))
        x = torch.randn(T, E)
        model = self.load(encoder, attention="recurrent_full", max_len=100)
        double, h = copy.deepcopy(encoder).double().train(), x.double()[None]
        for m in double.modules():
            if isinstance(m, nn.Dropout):
                m.p = 0
            if isinstance(m, nn.MultiheadAttention):
                m.dropout = 0
        with torch.no_grad():
            h = double(h, mask=torch.full((T, T), float("-inf")).double().triu(1))
        self.assertEqual(self.metadata["max_len"], "100")
        self.assert_near(model.run(x)[:, 0], h[0])

    def test_classifiers(self):
        self.width = 5
        encoder = nn.TransformerEncoder(layer(), 2)
        self.check(nn.Sequential(nn.Linear(5, E), nn.Dropout(0.5), encoder, nn.LayerNorm(E), nn.Linear(E, 3)),
                   labels=["a", "b", "\u00fc, \""])
        model = self.load(nn.Sequential(nn.Linear(5, E), encoder, nn.Linear(E, 3)), sequence_len=N, labels=["a", "b", "\u00fc, \""])
        self.assertEqual([model.info.labels[i].decode() for i in range(3)], ["a", "b", "\u00fc, \""])
        self.check(nn.Sequential(nn.Sequential(nn.Linear(5, E, bias=False), nn.Identity()), nn.Sequential(layer(), layer()),
                                 nn.Sequential(nn.Dropout(0.1), nn.Linear(E, 3, bias=False))))
        self.width = E
        self.check(nn.Sequential(encoder, nn.LayerNorm(E, elementwise_affine=False)))

    def test_dtypes(self):
        for dtype, tolerance in ((torch.float64, 1e-6), (torch.float16, 1e-4), (torch.bfloat16, 1e-4)):
            module = shaken(layer().to(dtype))
            x = torch.randn(N, E)
            y = self.load(module, sequence_len=N).run(x)
            self.assertLess((y[0] - truth(module, x)[-1]).abs().max().item(), max(tolerance, 1e-5))


class Own(nn.Module):
    """A user's class: children by any name, positions recycled by a parameter"""

    def __init__(self, parameter):
        super().__init__()
        if parameter:
            self.positions = nn.Parameter(torch.randn(1, 2 * N - 1, E))
        else:
            self.table = nn.Embedding(2 * N - 1, E)
        self.inp = nn.Linear(5, E)
        self.body = nn.TransformerEncoder(layer(), 2, norm=nn.LayerNorm(E))
        self.last_norm = nn.LayerNorm(E)
        self.out = nn.Linear(E, 3)

    def forward(self, x, t=0):
        table = self.positions[0] if hasattr(self, "positions") else self.table.weight
        x = self.inp(x) + table[torch.arange(t, t + x.shape[1]) % len(table)]
        return self.out(self.last_norm(self.body(x)))


class OwnClasses(Case):
    def test_positions(self):
        for parameter in (True, False):
            module = shaken(Own(parameter))
            x = torch.randn(3 * N, 5)
            says = {} if parameter else {"positions": "table"}
            y = self.load(module, sequence_len=N, **says).run(x)
            double = copy.deepcopy(module).double()
            with torch.no_grad():
                expected = [double(w.double()[None], t)[0, -1] for t, w in enumerate(windows(x, N))]
            self.assert_near(y[:, 0], torch.stack(expected))


class Attentions(Case):
    def check(self, key_width=E, value_width=E, says=None, **settings):
        mha = shaken(nn.MultiheadAttention(E, 3, batch_first=True, **settings))
        q, k, v = torch.randn(T, E), torch.randn(T, key_width), torch.randn(T, value_width)
        y = self.load(mha, sequence_len=N, **(says or {})).run(q, k, v)
        double = copy.deepcopy(mha).double().train()
        with torch.no_grad():
            expected = [double(*(z.double()[None] for z in w))[0][0]
                        for w in zip(windows(q, N), windows(k, N), windows(v, N))]
        query = (says or {}).get("query_index", -1)
        if (says or {}).get("attention") == "retroactive":
            self.assert_near(y, torch.stack(expected))
        else:
            self.assert_near(y[:, 0], torch.stack(expected)[:, query])

    def test_attentions(self):
        self.check()
        self.check(bias=False)
        self.check(add_bias_kv=True)
        self.check(add_zero_attn=True)
        self.check(add_bias_kv=True, add_zero_attn=True, says={"attention": "retroactive"})
        self.check(5, 3, kdim=5, vdim=3)
        self.check(5, 3, kdim=5, vdim=3, bias=False, says={"query_index": 1})


class Refusals(Case):
    def refuse(self, words, module, **says):
        self.assert_refused(words, module, **{"sequence_len": N, **says})

    def encoder(self, *layers):
        encoder = nn.TransformerEncoder(layers[0], len(layers))
        encoder.layers = nn.ModuleList(layers)
        return encoder

    def test_one_value_for_the_model(self):
        self.refuse("nhead is 3 in layers.0.self_attn but 4 in layers.1.self_attn", self.encoder(layer(), layer(nhead=4)))
        self.refuse("activation is relu in layers.0 but gelu", self.encoder(layer(), layer(activation="gelu")))
        self.refuse("norm_first is False", self.encoder(layer(), layer(norm_first=True)))
        self.refuse("layer_norm_eps is 1e-05", self.encoder(layer(), layer(layer_norm_eps=1e-6)))
        self.refuse("layer_norm_eps is 1e-05", nn.TransformerEncoder(layer(), 1, norm=nn.LayerNorm(E, eps=1e-6)))
        one = layer()
        one.self_attn.add_zero_attn = True
        self.refuse("add_zero_attn is False", self.encoder(layer(), one))

    def test_what_has_no_place(self):
        self.refuse("is none of", layer(activation=nn.LeakyReLU(0.3)))
        self.refuse("is none of", layer(activation=F.relu6))
        self.refuse("none of the activations", nn.Sequential(nn.Linear(5, E), nn.Hardswish(), layer()))
        self.refuse("0 is a Conv1d", nn.Sequential(nn.Conv1d(5, E, 3), layer()))
        self.refuse("something between them", nn.Sequential(layer(), nn.LayerNorm(E), layer()))
        self.refuse("there is no attention", nn.Sequential(nn.Linear(5, 5)))
        self.refuse("fast_transformers' TransformerDecoder", nn.TransformerDecoder(nn.TransformerDecoderLayer(E, 3), 1))
        encoder = nn.TransformerEncoder(layer(), 1)
        encoder.norm = nn.BatchNorm1d(E)
        self.refuse("norm is a BatchNorm1d", encoder)

    def test_what_the_caller_must_say(self):
        self.refuse("say sequence_len=N", layer(), sequence_len=None)
        self.refuse("there is no key warmup", layer(), warmup="partial")
        self.refuse("the module says 3", layer(), nhead=4)
        self.refuse("this module's weights are for", layer(), attention="recurrent-linear")
        self.refuse("only single-output asks one position", layer(), attention="deep", query_index=0)
        self.refuse("state dict", layer().state_dict())
        self.refuse("expected a torch.nn.Module", object())
        self.refuse("scripted", torch.jit.script(nn.Linear(3, 3)))

    def test_subclasses_and_types(self):
        class Odd(nn.TransformerEncoderLayer):
            pass
        self.refuse("subclass", Odd(E, 3))
        self.refuse("expected float32", nn.Sequential(nn.Linear(E, E).to(torch.complex64), layer()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
