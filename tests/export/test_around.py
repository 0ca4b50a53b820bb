#!/usr/bin/python3
# What forward() does around its encoder: scaling, norms, activations, heads
# SPDX-License-Identifier: LGPL-2.1-or-later
import math
import unittest

from forwards import C, D, E, N, ForwardCase, Net, encoder

import torch
from torch import nn
from torch.nn import functional as F


class Before(ForwardCase):
    def check(self, embed, layout=None, build=lambda self: None, **settings):
        net = type("Before", (Net,), {"build": build, "embed": embed})(**settings)
        layout = self.right(net, layout and layout + ["encoder", "pool:last", "head"])
        return layout

    def test_scales(self):
        self.check(lambda self, x: self.proj(x) * 4, ["proj", "scale:4.0"])
        self.check(lambda self, x: math.sqrt(E) * self.proj(x), ["proj", f"scale:{math.sqrt(E)!r}"])
        self.check(lambda self, x: self.proj(x) / 8 * 2.0, ["proj", "scale:0.25"])
        self.check(lambda self, x: self.proj(-x), ["scale:-1.0", "proj"])
        self.check(lambda self, x: self.proj(x).mul_(0.5), ["proj", "scale:0.5"])

        def build(self):
            self.register_buffer("factor", torch.tensor(3.0))
        self.check(lambda self, x: self.proj(x) * self.factor, ["proj", "scale:3.0"], build)
        self.check(lambda self, x: self.proj(x) * self.factor.item(), ["proj", "scale:3.0"], build)

    def test_input_norms(self):
        def build(self):
            self.input_norm, self.input_bn = nn.LayerNorm(C), nn.BatchNorm1d(C, eps=1e-3)
        self.check(lambda self, x: self.proj(self.input_norm(x)), ["input_norm", "proj"], build)
        for way in (lambda self, x: self.proj(self.input_bn(x.transpose(1, 2)).transpose(1, 2)),
                    lambda self, x: self.proj(self.input_bn(x.permute(0, 2, 1)).permute(0, 2, 1)),
                    lambda self, x: self.proj(self.input_bn(x.reshape(-1, C)).view(x.shape)),
                    lambda self, x: self.proj(self.input_bn(x.flatten(0, 1)).unflatten(0, (x.shape[0], N)))):
            self.check(way, ["input_bn", "proj"], build)
            self.assertEqual(self.metadata["batch_norm_eps"], "0.001")
        self.assertIn("input_bn.running_mean", self.exported_tensors())

    def exported_tensors(self):
        from reference import read
        return read(self.path("model.safetensors"))[1]

    def test_batch_norms_of_two_kinds(self):
        def build(self):
            self.bn1, self.bn2 = nn.BatchNorm1d(C), nn.BatchNorm1d(E, eps=1e-2, affine=False)
        self.check(lambda self, x: self.bn2(self.proj(self.bn1(x.mT).mT).mT).mT, ["bn1", "proj", "bn2"], build)

    def test_channels_first_input(self):
        class ChannelsFirst(Net):
            def build(self):
                self.bn = nn.BatchNorm1d(C)

            def embed(self, x):
                return self.proj(self.bn(x).permute(0, 2, 1))
        net = ChannelsFirst()
        self.right(net, ["bn", "proj", "encoder", "pool:last", "head"],
                   truth=lambda w: self.truth(net, w.transpose(1, 2)))

    def test_constant_normalisation(self):
        def build(self):
            self.register_buffer("mean", torch.randn(C) * 30)
            self.register_buffer("std", torch.rand(C) * 5 + 1)
        for way in (lambda self, x: self.proj((x - self.mean) / self.std),
                    lambda self, x: self.proj((x - self.mean) / (self.std + 1e-5))):
            self.check(way, None, build)
            self.assertEqual(self.layout[1:], ["proj", "encoder", "pool:last", "head"])
        self.check(lambda self, x: self.proj((x + 4.26) / (4.57 * 2)), ["normalize", "proj"])
        self.check(lambda self, x: self.proj(1 - x), None)
        self.check(lambda self, x: self.proj(x) * self.std[0] + self.mean[0], None, build)

    def test_gain_and_bias(self):
        def build(self):
            self.gain, self.bias = nn.Parameter(torch.randn(E)), nn.Parameter(torch.randn(1, 1, E))
        self.check(lambda self, x: self.proj(x) + self.bias, ["proj"], build)
        self.check(lambda self, x: self.proj(x) * self.gain + self.bias, None, build)

    def test_activations_between(self):
        def build(self):
            self.act, self.proj2 = nn.GELU(), nn.Linear(E, E, bias=False)
            self.inplace = nn.ReLU(inplace=True)
        for name, function in (("relu", F.relu), ("relu", torch.relu), ("relu", lambda x: x.relu()),
                               ("relu", lambda x: x.clamp(min=0)),
                               ("silu", F.silu), ("tanh", torch.tanh),
                               ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
                               ("elu", F.elu), ("leaky_relu", nn.LeakyReLU())):
            self.check(lambda self, x: function(self.proj(x)), ["proj", name])
        self.check(lambda self, x: (lambda h: h * torch.sigmoid(h))(self.proj(x)), ["proj", "silu"])
        self.check(lambda self, x: self.proj2(self.act(self.proj(x))), ["proj", "gelu", "proj2"], build)
        self.check(lambda self, x: self.proj2(self.inplace(self.proj(x))), ["proj", "relu", "proj2"], build)

    def test_matrices(self):
        def build(self):
            self.w = nn.Parameter(torch.randn(C, E))
        for way in (lambda self, x: x @ self.w, lambda self, x: torch.matmul(x, self.w),
                    lambda self, x: F.linear(x, self.w.t()),
                    lambda self, x: torch.einsum("btc,ce->bte", x, self.w)):
            self.check(way, ["w"], build)

    def test_convolutions_of_single_vectors(self):
        def build(self):
            self.conv = nn.Conv1d(C, E, kernel_size=1)
        self.check(lambda self, x: self.conv(x.transpose(1, 2)).transpose(1, 2), ["conv"], build)

    def test_sliced_and_computed_weights(self):
        def build(self):
            self.w = nn.Parameter(torch.randn(2, E, C))
        self.check(lambda self, x: F.linear(x, self.w[0] * 0.5 + self.w[1], self.proj.bias), ["w"], build)


class After(ForwardCase):
    def check(self, head, layout, build=lambda self: None):
        net = type("After", (Net,),
                   {"build": build, "forward": lambda self, x: head(self, self.encoder(self.proj(x)).mean(1))})()
        self.right(net, ["proj", "encoder", "pool:mean"] + layout)

    def test_ends(self):
        for name, function in (("softmax", lambda x: x.softmax(-1)), ("softmax", lambda x: F.softmax(x, dim=1)),
                               ("softmax", nn.Softmax(dim=-1)),
                               ("log_softmax", lambda x: F.log_softmax(x, -1)), ("log_softmax", nn.LogSoftmax(dim=1)),
                               ("log_softmax", lambda x: torch.log(torch.softmax(x, -1))), ("sigmoid", torch.sigmoid),
                               ("sigmoid", nn.Sigmoid())):
            self.check(lambda self, x: function(self.head(x)), ["head", name])
        self.check(lambda self, x: F.softmax(self.head(x) / 2, dim=-1), ["head", "scale:0.5", "softmax"])

    def test_heads(self):
        def build(self):
            self.fc_norm, self.drop = nn.LayerNorm(E), nn.Dropout(0.5)
            self.head = nn.Sequential(nn.Linear(E, 8), nn.GELU(), nn.Dropout(0.2), nn.Linear(8, D))
            self.bn = nn.BatchNorm1d(E)
        self.check(lambda self, x: F.log_softmax(self.head(self.fc_norm(x)), dim=-1),
                   ["fc_norm", "head.0", "gelu", "head.3", "log_softmax"], build)
        self.check(lambda self, x: self.head(self.drop(self.bn(x))), ["bn", "head.0", "gelu", "head.3"], build)
        self.check(lambda self, x: F.normalize(x, dim=-1) if self.training else self.head(x),
                   ["head.0", "gelu", "head.3"], build)

    def test_head_before_the_pool(self):
        class PerRow(Net):
            def forward(self, x):
                return self.head(self.encoder(self.proj(x)))[:, -1].softmax(-1)
        self.right(PerRow(), None)

    def test_norm_before_the_pool(self):
        class Normed(Net):
            def build(self):
                self.norm = nn.LayerNorm(E)

            def pool(self, x):
                return self.norm(x).mean(1)
        self.right(Normed(), ["proj", "encoder", "norm", "pool:mean", "head"])
        self.right(Normed(norm_first=True, norm=nn.LayerNorm(E)), ["proj", "encoder", "norm", "pool:mean", "head"])


class Names(ForwardCase):
    def test_names_that_mean_something_else(self):
        class Odd(nn.Module):
            def __init__(self):
                super().__init__()
                self.softmax, self.module = nn.Linear(C, E), nn.Linear(E, E)
                self.encoder = encoder(1)
                self.encoder.pos, self.encoder.head = nn.Parameter(torch.randn(1, N, E)), nn.Linear(E, D)
                self.pe = nn.Embedding(N, E)

            def forward(self, x):
                x = self.module(self.softmax(x)) + self.pe(torch.arange(N))
                x = self.encoder(x + self.encoder.pos)
                return self.encoder.head(x.mean(1)).softmax(-1)
        self.right(Odd())
        self.assertEqual(len(set(self.layout)), len(self.layout))

    def test_sequential(self):
        self.right(nn.Sequential(nn.Linear(C, E), nn.ReLU(), nn.Dropout(0.1), encoder(), Last(), nn.Linear(E, D),
                                 nn.Softmax(-1)),
                   ["0", "relu", "3", "pool:last", "5", "softmax"])


class Last(nn.Module):
    def forward(self, x):
        return x[:, -1]


if __name__ == "__main__":
    unittest.main(verbosity=2)
