#!/usr/bin/python3
# What forward() returns of a window: one vector, a pool, a class token
# SPDX-License-Identifier: LGPL-2.1-or-later
import unittest

from forwards import C, D, E, N, ForwardCase, Net, encoder, layer

import torch
from torch import nn
from torch.nn import functional as F


def pooling(function, **settings):
    net = Net(**settings)
    net.pool = function
    return net


class Pools(ForwardCase):
    def check(self, kind, *functions, **settings):
        for function in functions:
            self.right(pooling(function, **settings), ["proj", "encoder", "pool:" + kind, "head"])

    def test_last(self):
        self.check("last", lambda x: x[:, -1], lambda x: x[:, -1, :], lambda x: x[:, x.size(1) - 1],
                   lambda x: x[:, -1:].squeeze(1),
                   lambda x: x.select(1, -1), lambda x: x.transpose(0, 1)[-1], lambda x: x[..., -1, :],
                   lambda x: x.unbind(1)[-1],
                   lambda x: x.permute(0, 2, 1)[:, :, -1].contiguous(),
                   lambda x: x.narrow(1, x.shape[1] - 1, 1).flatten(1),
                   lambda x: x[:, len(x[0]) - 1])

    def test_first(self):
        self.check("first", lambda x: x[:, 0], lambda x: x[:, :1].squeeze(1),
                   lambda x: torch.index_select(x, 1, torch.tensor(0))[:, 0])

    def test_mean(self):
        self.check("mean", lambda x: x.mean(1), lambda x: torch.mean(x, dim=1),
                   lambda x: x.mean(dim=-2, keepdim=True).squeeze(1),
                   lambda x: F.adaptive_avg_pool1d(x.transpose(1, 2), 1).squeeze(-1), lambda x: x.mean((1,)),
                   lambda x: nn.AdaptiveAvgPool1d(1)(x.permute(0, 2, 1)).flatten(1),
                   lambda x: F.avg_pool1d(x.mT, x.size(1))[:, :, 0])

    def test_mean_by_sum(self):
        self.right(pooling(lambda x: x.sum(1) / x.shape[1]), ["proj", "encoder", "pool:mean", "head"])
        self.right(pooling(lambda x: x.sum(dim=1)), ["proj", "encoder", "pool:mean", "scale:7.0", "head"])

    def test_max(self):
        self.check("max", lambda x: x.max(1)[0], lambda x: torch.max(x, dim=1).values, lambda x: x.amax(1),
                   lambda x: F.adaptive_max_pool1d(x.transpose(1, 2), 1).squeeze(2),
                   lambda x: F.max_pool1d(x.transpose(1, 2), N).squeeze(2))

    def test_depths_and_norms(self):
        for settings in ({"depth": 1}, {"norm_first": True}, {"depth": 3, "norm": nn.LayerNorm(E)},
                         {"activation": "gelu", "bias": False}):
            if "bias" in settings and torch.__version__ < "2.1":
                settings.pop("bias")
            self.check("mean", lambda x: x.mean(1), **settings)

    def test_another_row(self):
        self.right(pooling(lambda x: x[:, 3]), ["proj", "encoder", "head"], truth=None)
        self.assertEqual(self.metadata["query_index"], "3")

    def test_all_rows(self):
        self.right(pooling(lambda x: x), ["proj", "encoder", "head"])
        self.right(pooling(lambda x: x), ["proj", "encoder", "head"], query_index=-2)

    def test_one_score(self):
        class Binary(Net):
            def build(self):
                self.head = nn.Linear(E, 1)

            def forward(self, x):
                return torch.sigmoid(super().forward(x).squeeze(-1))
        self.right(Binary(), ["proj", "encoder", "pool:last", "head", "sigmoid"])


class ClassToken(ForwardCase):
    def net(self, way, row=lambda x: x[:, 0], positions=None):
        class WithToken(Net):
            def build(self):
                self.cls_token = nn.Parameter(torch.randn(1, 1, E))
                if positions:
                    self.pos_embed = nn.Parameter(torch.randn(1, N + (positions == "all"), E))

            def embed(self, x):
                x = self.proj(x)
                if positions == "vectors":
                    x = x + self.pos_embed
                x = way(self.cls_token, x)
                return x + self.pos_embed if positions == "all" else x

            def pool(self, x):
                return row(x)
        return WithToken()

    WAYS = (lambda token, x: torch.cat((token.expand(x.shape[0], -1, -1), x), dim=1),
            lambda token, x: torch.cat([token.repeat(len(x), 1, 1), x], 1),
            lambda token, x: torch.cat([token.expand(x.size(0), 1, x.size(2)), x], dim=-2),
            lambda token, x: torch.cat([token + torch.zeros(len(x), 1, 1), x], dim=1))

    def test_ways(self):
        for way in self.WAYS:
            self.right(self.net(way), ["proj", "cls_token", "encoder", "pool:cls", "head"])

    def test_positions(self):
        self.right(self.net(self.WAYS[0], positions="all"),
                   ["proj", "cls_token", "pos_embed", "encoder", "pool:cls", "head"])
        self.assertEqual(self.metadata["position_index"], "window")
        self.right(self.net(self.WAYS[0], positions="vectors"),
                   ["proj", "pos_embed", "cls_token", "encoder", "pool:cls", "head"])

    def test_other_pools(self):
        self.right(self.net(self.WAYS[0], lambda x: x.mean(1)), ["proj", "cls_token", "encoder", "pool:mean", "head"])
        self.right(self.net(self.WAYS[0], lambda x: x[:, -1]), ["proj", "cls_token", "encoder", "pool:last", "head"])

    def test_a_token_with_its_own_position(self):
        class Split(Net):
            def build(self):
                self.cls, self.pos = nn.Parameter(torch.randn(E)), nn.Parameter(torch.randn(1, N + 1, E))

            def embed(self, x):
                x = self.proj(x) + self.pos[:, 1:]
                return torch.cat((self.cls.expand(len(x), 1, -1) + self.pos[:, :1], x), dim=1)

            def pool(self, x):
                return x[:, 0]
        self.assertEqual(self.right(Split())[-2:], ["pool:cls", "head"])

    def test_time_first(self):
        class TimeFirst(Net):
            def build(self):
                self.cls_token = nn.Parameter(torch.randn(1, 1, E))
                self.encoder = encoder(batch_first=False)

            def forward(self, x):
                x = torch.cat((self.cls_token.expand(-1, x.shape[1], -1), self.proj(x)))
                return self.head(self.encoder(x)[0])
        self.right(TimeFirst(), ["proj", "cls_token", "encoder", "pool:cls", "head"], time_first=True)

    def test_refusals(self):
        way = self.WAYS[0]
        self.refused("the class token is taken away", self.net(way, lambda x: x[:, 1:].mean(1)))
        self.refused("every row is returned", self.net(way, lambda x: x))
        self.refused("row 3 of the window", self.net(way, lambda x: x[:, 3]))
        self.refused("behind the window's vectors",
                     self.net(lambda token, x: torch.cat((x, token.expand(len(x), 1, -1)), 1)))
        self.refused("second token", self.net(lambda token, x: way(token, way(token, x))))
        self.refused("more than one vector", self.net(lambda token, x: torch.cat((token.expand(len(x), 2, -1), x), 1)))
        self.refused("deep", self.net(way), attention="deep")


class Refusals(ForwardCase):
    def test_pools_that_no_layout_has(self):
        def attention_pool(x):
            return (torch.softmax(x[:, :, :1], dim=1) * x).sum(1)
        learned = nn.Linear(E, 1)
        for words, function in (
                ("softmax is taken over time", lambda x: (torch.softmax(learned(x), 1) * x).sum(1)),
                ("part of features", attention_pool),
                ("concatenation of max and mean pools", lambda x: torch.cat((x.mean(1), x.max(1)[0]), -1)),
                ("two pools of the window are put together", lambda x: x.mean(1) + x.amax(1)),
                ("two pools of the window are put together", lambda x: x.mean(1) + x[:, -1]),
                ("part of the window", lambda x: x[:, -3:].mean(1)),
                ("mixes vectors but the encoder", lambda x: F.linear(x.flatten(1), torch.randn(E, N * E))),
                ("std()", lambda x: x.std(1)),
                ("everything", lambda x: x.mean()),
                ("topk()", lambda x: x.topk(2, dim=1)[0].mean(1)),
                ("logsumexp()", lambda x: x.logsumexp(1)),
                ("min()", lambda x: x.min(1)[0])):
            self.refused(words, pooling(function))

    def test_pools_and_kinds(self):
        self.refused("attention='retroactive'", Net(), attention="retroactive")
        self.refused("query_index=2", Net(), query_index=2)
        self.refused("pool:mean", pooling(lambda x: x.mean(1)), attention="deep")
        self.refused("pooled before the encoder", nn.Sequential(Before(), layer(), nn.Linear(E, D)))


class Before(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(C, E)

    def forward(self, x):
        return self.proj(x).mean(1, keepdim=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
