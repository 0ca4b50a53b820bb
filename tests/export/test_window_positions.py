#!/usr/bin/python3
# Positions that are counted in the window, as people write them
# SPDX-License-Identifier: LGPL-2.1-or-later
import math
import unittest

import core
from forwards import C, D, E, N, ForwardCase, Net, encoder, shaken

import torch
from torch import nn


def sinusoids(n, width=E):
    table, position = torch.zeros(n, width), torch.arange(n).unsqueeze(1)
    div = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    table[:, 0::2], table[:, 1::2] = torch.sin(position * div), torch.cos(position * div)
    return table


class Positions(ForwardCase):
    def check(self, build, add, layout=None, **settings):
        net = type("Positioned", (Net,), {"build": build, "embed": lambda self, x: add(self, self.proj(x))})(**settings)
        self.right(net, layout)
        self.assertEqual(self.metadata["position_index"], "window")

    def test_parameters(self):
        def table(*shape):
            def build(self):
                self.pos_embed = nn.Parameter(torch.randn(*shape))
            return build
        layout = ["proj", "pos_embed", "encoder", "pool:last", "head"]
        self.check(table(1, N, E), lambda self, x: x + self.pos_embed, layout)
        self.check(table(N, E), lambda self, x: self.pos_embed + x, layout)
        self.check(table(1, 50, E), lambda self, x: x + self.pos_embed[:, :x.size(1)], layout)
        self.check(table(50, E), lambda self, x: x + self.pos_embed[:x.shape[1]].unsqueeze(0), layout)
        self.check(table(50, 1, E), lambda self, x: x + self.pos_embed[:x.shape[1]].transpose(0, 1), layout)
        self.check(table(50, E), lambda self, x: x + self.pos_embed[:x.shape[1]].expand(len(x), -1, -1), layout)
        self.check(table(50, E), lambda self, x: x.add_(self.pos_embed[-x.shape[1]:]), layout, depth=1, norm_first=True)
        self.check(table(2, 50, E), lambda self, x: x + 0.5 * self.pos_embed[1, :x.shape[1]], layout)

    def test_the_whole_table_is_written(self):
        def build(self):
            self.pos_embed = nn.Parameter(torch.randn(1, 50, E))
        self.check(build, lambda self, x: x + self.pos_embed[:, :x.size(1)])
        self.assertEqual(self.exported(self.last).tensors["pos_embed"].shape, (1, 50, E))

    def right(self, module, *args, **named):
        self.last = module
        return super().right(module, *args, **named)

    def test_embeddings(self):
        def build(self):
            self.pos = nn.Embedding(20, E)
        layout = ["proj", "positions:pos", "encoder", "pool:last", "head"]
        self.check(build, lambda self, x: x + self.pos(torch.arange(x.shape[1], device=x.device)), layout)
        self.check(build, lambda self, x: x + self.pos(torch.arange(x.size(1)).unsqueeze(0).expand(x.size(0), -1)),
                   layout)
        self.check(build, lambda self, x: x + self.pos.weight[:x.size(1)], layout)

        def with_ids(self):
            build(self)
            self.register_buffer("position_ids", torch.arange(20)[None])
        self.check(with_ids, lambda self, x: x + self.pos(self.position_ids[:, :x.size(1)]))

    def test_buffers(self):
        def build(self):
            self.register_buffer("pe", sinusoids(30)[None])

        def not_saved(self):
            self.register_buffer("pe", sinusoids(30)[None], persistent=False)

        def attribute(self):
            self.table = sinusoids(30)
        self.check(build, lambda self, x: x * math.sqrt(E) + self.pe[:, :x.size(1)])
        self.assertTrue(self.layout[1].startswith("scale:3.46"), self.layout)
        self.check(not_saved, lambda self, x: x + self.pe[:, :x.size(1)].detach())
        self.check(attribute, lambda self, x: x + self.table[:x.size(1)])
        self.check(lambda self: None, lambda self, x: x + sinusoids(x.shape[1]).to(x.device))

    def test_flipped_tables_are_written_as_they_are_used(self):
        def build(self):
            self.pos = nn.Parameter(torch.randn(N, E))
        self.check(build, lambda self, x: x + self.pos.flip(0), ["proj", "pos", "encoder", "pool:last", "head"])

    def test_two_tables(self):
        def build(self):
            self.pos, self.kind = nn.Parameter(torch.randn(N, E)), nn.Parameter(torch.randn(1, 1, E))
        self.check(build, lambda self, x: x + self.pos + sinusoids(N) + self.kind)
        self.assertEqual(len(self.layout), 5)

    def test_norm_and_dropout_behind(self):
        class Embedded(Net):
            def build(self):
                self.pos, self.norm, self.drop = nn.Embedding(N, E), nn.LayerNorm(E), nn.Dropout(0.3)

            def embed(self, x):
                return self.drop(self.norm(self.proj(x) + self.pos(torch.arange(N))))
        self.right(Embedded(), ["proj", "positions:pos", "norm", "encoder", "pool:last", "head"])

    def test_every_answer_of_the_window(self):
        class All(Net):
            def build(self):
                self.pos = nn.Parameter(torch.randn(1, N, E))

            def embed(self, x):
                return self.proj(x) + self.pos

            def pool(self, x):
                return x
        for settings in ({"depth": 1}, {}, {"norm_first": True}):
            module = shaken(All(**settings))
            self.right(module, ["proj", "pos", "encoder", "head"])
            self.right(module, ["proj", "pos", "encoder", "head"], query_index=2)
            self.exported(module, attention="retroactive")
            x = torch.randn(2 * N, C)
            y = core.Model(self.path("model.safetensors")).run(x)
            self.assert_near(y, self.truth(module, torch.stack([x[i:i + N] for i in range(N + 1)])))

    def test_untrained_zeros(self):
        class Zeros(Net):
            def build(self):
                self.pos = nn.Parameter(torch.zeros(1, N, E))
        Zeros.embed = lambda self, x: self.proj(x) + self.pos
        self.exported(Zeros())
        self.assertIn("pos", self.layout)


class PositionalEncoding(nn.Module):
    """As in many tutorials"""

    def __init__(self, d_model, dropout=0.1, max_len=40, batch_first=False):
        super().__init__()
        self.dropout, self.batch_first = nn.Dropout(p=dropout), batch_first
        pe = sinusoids(max_len, d_model)
        self.register_buffer("pe", pe.unsqueeze(0) if batch_first else pe.unsqueeze(1))

    def forward(self, x):
        x = x + (self.pe[:, :x.size(1)] if self.batch_first else self.pe[:x.size(0)])
        return self.dropout(x)


class Tutorial(nn.Module):
    def __init__(self, batch_first, swap=False):
        super().__init__()
        self.batch_first, self.swap = batch_first, swap
        self.embedding, self.d_model = nn.Linear(C, E), E
        self.pos_encoder = PositionalEncoding(E, batch_first=batch_first)
        self.transformer_encoder = encoder(batch_first=batch_first)
        self.decoder = nn.Linear(E, D)

    def forward(self, src, src_mask=None):
        if self.swap:
            src = src.permute(1, 0, 2)
        src = self.embedding(src) * math.sqrt(self.d_model)
        src = self.pos_encoder(src)
        out = self.transformer_encoder(src, src_mask)
        out = out.mean(dim=1 if self.batch_first else 0)
        return self.decoder(out)


class Tutorials(ForwardCase):
    def test_tutorials(self):
        layout = ["embedding", f"scale:{math.sqrt(E)!r}", "pos_encoder", "transformer_encoder", "pool:mean", "decoder"]
        self.right(Tutorial(True), layout)
        self.right(Tutorial(False), layout, time_first=True)
        self.right(Tutorial(False, swap=True), layout)


class Recycled(Net):
    """table[(t + i) mod P], t being the stream's position"""

    def build(self):
        self.table = nn.Embedding(2 * N - 1, E)

    def forward(self, x, t=0):
        rows = torch.arange(t, t + x.shape[1]) % self.table.num_embeddings
        return self.head(self.encoder(self.proj(x) + self.table(rows))[:, -1])


class Recycling(ForwardCase):
    def test_position_as_an_argument(self):
        net = Recycled()

        def truth(windows):
            double = net.double().eval()
            rows = torch.stack([double(w[None].double(), t)[0] for t, w in enumerate(windows)]).detach()
            net.float()
            return rows
        self.right(net, ["proj", "positions:table", "encoder", "pool:last", "head"], truth=truth)
        self.assertNotIn("position_index", self.metadata)
        self.right(net, truth=truth, positions="table")

    def test_refusals(self):
        class Counted(Net):
            def build(self):
                self.pos = nn.Parameter(torch.randn(N, E))
                self.register_buffer("steps", torch.zeros(1))

            def embed(self, x):
                return self.proj(x) + self.pos

        class Counting(Counted):
            def embed(self, x):
                self.steps += 1
                return self.proj(x) + self.pos * self.steps
        self.refused("leave positions out", Counted(), positions="pos")
        self.refused("adds none", Net(), positions="pos")
        self.refused("positions are counted in the window", Counted(), attention="deep")
        self.refused("something else each time", Counting())
        self.refused(("forward() fails on a window", "sequence_len"), Counted(), n=N + 1)
        net = Counted()
        net.pool = lambda x: x[:, -1] + net.pos[0]
        self.right(net)

        class Behind(Counted):
            embed = Net.embed

            def pool(self, x):
                return (x + self.pos)[:, -1]
        self.refused("positions are added behind the encoder", Behind())

        class Gains(Counted):
            def embed(self, x):
                return self.proj(x) * self.pos
        self.refused("a factor of its own", Gains())


if __name__ == "__main__":
    unittest.main(verbosity=2)
