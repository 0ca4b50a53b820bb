#!/usr/bin/python3
# How people put their modules together: order of registration, lists, nesting, axes, what forward() leaves out
# SPDX-License-Identifier: LGPL-2.1-or-later
import copy
import sys
import unittest

from forwards import C, D, E, N, ForwardCase, Net, encoder, layer

import torch
from torch import nn
from torch.nn import functional as F


class Order(ForwardCase):
    def test_head_registered_first(self):
        class HeadFirst(nn.Module):
            def __init__(self):
                super().__init__()
                self.head, self.encoder = nn.Linear(E, D), encoder()
                self.norm, self.proj = nn.LayerNorm(E), nn.Linear(C, E)

            def forward(self, x):
                return self.head(self.norm(self.encoder(self.proj(x)).mean(1)))
        self.right(HeadFirst(), ["proj", "encoder", "pool:mean", "norm", "head"])

    def test_square_maps_are_not_confused(self):
        class Square(nn.Module):
            def __init__(self):
                super().__init__()
                self.b, self.encoder, self.a = nn.Linear(E, E), encoder(1), nn.Linear(E, E)

            def forward(self, x):
                return self.b(self.encoder(self.a(x))[:, -1])
        self.right(Square(), ["a", "encoder", "pool:last", "b"], width=E)


class Layers(ForwardCase):
    def test_a_list_of_layers(self):
        class Blocks(Net):
            def build(self):
                self.encoder = None
                self.blocks, self.norm = nn.ModuleList([layer() for _ in range(3)]), nn.LayerNorm(E)

            def forward(self, x):
                x = self.proj(x)
                for block in self.blocks:
                    x = block(x)
                return self.head(self.norm(x)[:, 0])
        self.right(Blocks(), ["proj", "blocks", "norm", "pool:first", "head"])

    def test_a_list_named_layers(self):
        class Listed(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers, self.norm = nn.ModuleList([layer() for _ in range(2)]), nn.LayerNorm(E)

            def forward(self, x):
                for i in range(len(self.layers)):
                    x = self.layers[i](x)
                return self.norm(x)
        self.right(Listed(), ["layers", "norm"], width=E)

    def test_layers_of_their_own_names(self):
        class Named(Net):
            def build(self):
                self.encoder = None
                self.second, self.first = layer(), layer()

            def forward(self, x):
                return self.head(self.second(self.first(self.proj(x))).mean(1))
        self.right(Named(), ["proj", "encoder", "pool:mean", "head"])

    def test_reversed_list(self):
        class Reversed(Net):
            def forward(self, x):
                x = self.proj(x)
                for one in reversed(self.encoder.layers):
                    x = one(x)
                return self.head(x[:, -1])
        self.right(Reversed())

    def test_one_layer(self):
        class One(Net):
            def build(self):
                self.encoder = layer(norm_first=True, activation="gelu")
        self.right(One(), ["proj", "encoder", "pool:last", "head"])

    def test_encoder_in_a_module_of_its_own(self):
        class Inner(nn.Module):
            def __init__(self):
                super().__init__()
                self.pos_embedding, self.drop = nn.Parameter(torch.randn(1, N, E)), nn.Dropout(0.1)
                self.layers = nn.Sequential(*(layer() for _ in range(2)))
                self.ln = nn.LayerNorm(E)

            def forward(self, x):
                return self.ln(self.layers(self.drop(x + self.pos_embedding)))

        class Outer(Net):
            def build(self):
                self.encoder = nn.ModuleDict({"inner": Inner()})

            def forward(self, x):
                return self.head(self.encoder["inner"](self.proj(x))[:, -1])
        self.right(Outer())

    def test_an_attention_without_layers(self):
        class Bare(Net):
            def build(self):
                self.encoder = nn.MultiheadAttention(E, 3, batch_first=True)

            def forward(self, x):
                x = self.proj(x)
                return self.head(self.row(self.encoder(x, x, x)[0]))

            def row(self, x):
                return x[:, -1]
        self.right(Bare(), ["proj", "encoder", "head"])
        for row in (lambda self, x: x, lambda self, x: x[:, 0], lambda self, x: x[:, 3]):
            self.right(type("Other", (Bare,), {"row": row})(), ["proj", "encoder", "head"])

    def test_tied_layers_of_an_encoder(self):
        class Tied(Net):
            def build(self):
                self.encoder.layers[1].linear1.weight = self.encoder.layers[0].linear1.weight
        self.right(Tied())


class PreNorm(nn.Module):
    """A layer as people write it"""

    def __init__(self, act=nn.GELU):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(E), nn.LayerNorm(E)
        self.attn = nn.MultiheadAttention(E, 3, batch_first=True, dropout=0.1)
        self.mlp = nn.Sequential(nn.Linear(E, 20), act(), nn.Dropout(0.1), nn.Linear(20, E))

    def forward(self, x):
        h = self.ln1(x)
        x = x + self.attn(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.ln2(x))


class PostNorm(PreNorm):
    def forward(self, x):
        a, _ = self.attn(x, x, x)
        x = self.ln1(x + F.dropout(a, 0.1, self.training))
        return self.ln2(self.mlp(x) + x)


class HandWritten(ForwardCase):
    def net(self, *blocks):
        class Written(Net):
            def build(self):
                self.encoder = nn.Sequential(*blocks)
        return Written()

    def test_layers(self):
        self.right(self.net(PreNorm(), PreNorm()), ["proj", "encoder", "pool:last", "head"])
        self.assertEqual((self.metadata["norm_first"], self.metadata["activation"]), ("true", "gelu"))
        self.right(self.net(PostNorm(nn.ReLU)), None)
        self.assertEqual((self.metadata["norm_first"], self.metadata["activation"]), ("false", "relu"))

    def test_refusals(self):
        class Parallel(PreNorm):
            def forward(self, x):
                h = self.ln1(x)
                return x + self.attn(h, h, h)[0] + self.mlp(h)

        class NoResidual(PreNorm):
            def forward(self, x):
                return self.mlp(self.ln2(x)) + x

        class Cross(PreNorm):
            def forward(self, x):
                h = self.ln1(x)
                return x + self.attn(h, x, x)[0]

        class Weights(PreNorm):
            def forward(self, x):
                out, weights = self.attn(x, x, x)
                return out * weights.mean()
        self.refused("two results that both depend", self.net(Parallel()))
        self.refused("part of no layer", self.net(NoResidual(), PreNorm()))
        self.refused("query, key and value of encoder.0.attn are not the same", self.net(Cross()))
        self.refused("attention weights are used", self.net(Weights()))
        self.refused("norm_first is True", self.net(PreNorm(), PostNorm()))
        self.refused("activation is gelu", self.net(PreNorm(), PreNorm(nn.ReLU)))


class Axes(ForwardCase):
    def test_time_first(self):
        class TimeFirst(Net):
            def build(self):
                self.encoder = encoder(batch_first=False)

            def pool(self, x):
                return x.mean(0)
        self.right(TimeFirst(), ["proj", "encoder", "pool:mean", "head"], time_first=True)

    def test_swapped_inside(self):
        class Swapped(Net):
            def build(self):
                self.encoder = encoder(batch_first=False)

            def forward(self, x):
                out = self.encoder(self.proj(x).permute(1, 0, 2)).transpose(0, 1).contiguous()
                return self.head(out[:, -1])
        self.right(Swapped(), ["proj", "encoder", "pool:last", "head"])

    def test_channels_first(self):
        class ChannelsFirst(Net):
            def forward(self, x):
                return super().forward(x.transpose(1, 2))
        net = ChannelsFirst()
        self.right(net, None, truth=lambda w: self.truth(net, w.transpose(1, 2)))

    def test_other_inputs(self):
        class Image(Net):
            def forward(self, x):  # (batch, 1, features, time)
                return super().forward(x.squeeze(1).permute(0, 2, 1))
        net = Image()
        self.right(net, ["proj", "encoder", "pool:last", "head"],
                   truth=lambda w: self.truth(net, w.transpose(1, 2)[:, None]))

        class Series(Net):
            def build(self):
                self.proj = nn.Linear(1, E)

            def forward(self, x):  # (batch, time)
                return super().forward(x.unsqueeze(-1))
        series = Series()
        self.right(series, ["proj", "encoder", "pool:last", "head"], width=1,
                   truth=lambda w: self.truth(series, w[..., 0]))

    def test_one_window_without_a_batch(self):
        class Alone(Net):
            def forward(self, x):
                return self.head(self.encoder(self.proj(x).unsqueeze(0)).squeeze(0)[-1])
        net = Alone()
        self.right(net, None, truth=lambda w: torch.stack([self.truth(net, one) for one in w]))

    def test_windows_as_wide_as_long(self):
        for n in (C, E, 2, 1):
            self.right(Net(), ["proj", "encoder", "pool:last", "head"], n=n)

    def test_batch_first_forgotten(self):
        class Forgotten(Net):
            def build(self):
                self.encoder = encoder(batch_first=False)
        self.refused("batch_first", Forgotten())


class Sizes(ForwardCase):
    """What torch.fx cannot trace"""

    def check(self, forward, *layout, build=lambda self: None, **says):
        self.right(type("Sized", (Net,), {"forward": forward, "build": build})(), list(layout) or None, **says)

    def test_lengths_and_loops(self):
        def with_len(self, x):
            assert len(x.shape) == 3 and len(x) > 0 and x.shape[1] <= N
            b, t, c = x.shape
            x = self.proj(x.reshape(b * t, c)).view(b, t, -1)
            for i in range(len(self.encoder.layers)):
                x = self.encoder.layers[i](x)
            return self.head(x[:, t - 1])
        self.check(with_len, "proj", "encoder", "pool:last", "head")

    def test_masks_that_hide_nothing(self):
        self.check(lambda self, x: self.head(self.encoder(self.proj(x), torch.zeros(x.size(1), x.size(1)))[:, -1]))
        self.check(
                   lambda self, x: self.head(self.encoder(self.proj(x), src_key_padding_mask=torch.zeros(x.shape[:2]).bool())[:, -1]))

    def test_types_and_devices(self):
        def forward(self, x):
            x = x.float().to(self.proj.weight.device).to(self.proj.weight.dtype).contiguous().clone()
            return self.head(self.encoder(self.proj(x)).mean(1).float()).flatten(1)
        net = type("Typed", (Net,), {"forward": forward})()
        self.right(net, None, truth=lambda w: copy.deepcopy(net).eval()(w.float()).detach().double())

    def test_training_only(self):
        def forward(self, x):
            if self.training:
                x = x + torch.randn_like(x) * x.abs().max()
            return self.head(self.encoder(self.proj(x))[:, -1])
        self.check(forward, "proj", "encoder", "pool:last", "head")

    def test_what_nothing_uses(self):
        def build(self):
            self.loss, self.aux, self.old = nn.CrossEntropyLoss(torch.rand(D)), nn.Linear(E, 99), nn.Conv1d(3, 3, 3)
            self.register_buffer("mask", torch.zeros(N, N))

        def forward(self, x, targets=None):
            h = self.encoder(self.proj(x))
            self.last = h.std(1)
            aux = self.aux(h)
            out = self.head(h[:, -1])
            return out if targets is None else self.loss(out, targets) + aux.mean()
        self.check(forward, "proj", "encoder", "pool:last", "head", build=build)

    def test_dropout_anywhere(self):
        def build(self):
            self.drop, self.drop1d = nn.Dropout(0.5), nn.Dropout1d(0.5)

        def forward(self, x):
            x = self.drop(self.encoder(self.drop1d(self.drop(self.proj(self.drop(x))))))
            return self.head(F.dropout(self.drop(x.mean(1)), 0.5, self.training))
        self.check(forward, "proj", "encoder", "pool:mean", "head", build=build)

    def test_dtypes_and_training_mode(self):
        for dtype in (torch.float64, torch.bfloat16, torch.float16):
            net = Net().to(dtype).train()
            self.right(net, ["proj", "encoder", "pool:last", "head"])
            self.assertTrue(net.training)

    def test_wrappers(self):
        net = Net()
        layout = ["proj", "encoder", "pool:last", "head"]
        self.right(nn.DataParallel(net), layout, truth=lambda w: self.truth(net, w))
        net.encoder = nn.DataParallel(net.encoder)
        self.right(net, layout)
        if hasattr(torch, "compile") and sys.version_info >= (3, 12):  # exported, not compiled: that needs a compiler
            plain, compiled = Net(), Net()
            compiled.load_state_dict(plain.state_dict())
            compiled.encoder = torch.compile(compiled.encoder)
            self.exported(compiled)
            self.assertEqual(self.layout, layout)
            self.exported(torch.compile(plain))
            self.assertEqual(self.layout, layout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
