#!/usr/bin/python3
# Causal masks in forward(), and the kinds of attention that answer each vector with a row of its own
# SPDX-License-Identifier: LGPL-2.1-or-later
import unittest

import core
from forwards import C, E, N, ForwardCase, Net, encoder, shaken

import numpy as np
import torch
from torch import nn

T = 20


def triangle(n):
    return torch.triu(torch.full((n, n), float("-inf")), diagonal=1)


class Causal(Net):
    def mask(self, x):
        return nn.Transformer.generate_square_subsequent_mask(x.size(1))

    def forward(self, x):
        return self.head(self.encoder(self.embed(x), mask=self.mask(x)))


class Masks(ForwardCase):
    def check(self, module, **says):
        """recurrent-full: every vector answered by its row under the module's own mask"""
        shaken(module)
        reference = self.exported(module, None, attention="recurrent-full", **says)
        x = torch.randn(T, C)
        expected = self.truth(module, x[None])[0]
        y = reference.forward(x.double().numpy(), hidden=np.triu(np.ones((T, T), bool), 1))
        self.assert_near(torch.from_numpy(y), expected)
        self.assertEqual(self.metadata["attention"], "recurrent-full")
        self.assert_near(core.Model(self.path("model.safetensors")).run(x)[:, 0], expected)

    def test_masks(self):
        masks = (lambda self, x: triangle(x.size(1)), lambda self, x: triangle(len(x[0])).bool(),
                 lambda self, x: torch.ones(x.size(1), x.size(1)).tril() == 0)
        for mask in masks:
            net = type("Masked", (Causal,), {"mask": mask})()
            self.refused(("causal mask", "attention='recurrent-full'"), net)
            self.check(net)
        self.check(Causal())

        class Buffer(Causal):
            def build(self):
                self.register_buffer("tril", torch.ones(99, 99).triu(1).bool())

            def mask(self, x):
                return self.tril[:x.size(1), :x.size(1)]
        self.check(Buffer())

    def test_masks_of_layers(self):
        class Looped(Causal):
            def forward(self, x):
                x = self.proj(x)
                for one in self.encoder.layers:
                    x = one(x, src_mask=self.mask(x).to(x.dtype))
                return self.head(x)
        self.refused("causal mask", Looped())
        self.check(Looped())

    def test_a_mask_that_callers_give(self):
        class Given(Causal):
            def forward(self, x, src_mask):
                return self.head(self.encoder(self.proj(x), src_mask))
        self.refused(("needs 'src_mask'", "recurrent-full"), Given())
        net = shaken(Given())
        reference = self.exported(net, None, attention="recurrent-full")
        x = torch.randn(T, C).double()
        expected = net.double().train(False)(x[None], triangle(T).double())[0].detach()
        self.assert_near(torch.from_numpy(reference.forward(x.numpy(), hidden=np.triu(np.ones((T, T), bool), 1))),
                         expected)

    def test_positions_reach_as_far_as_their_table(self):
        class Positioned(Causal):
            def build(self):
                self.pos = nn.Parameter(torch.randn(1, 31, E))

            def embed(self, x):
                return self.proj(x) + self.pos[:, :x.size(1)]
        self.check(Positioned())
        self.assertEqual(self.metadata["max_len"], "31")
        self.assertNotIn("position_index", self.metadata)
        self.refused("positions for 31 vectors", Positioned(), attention="recurrent-full", max_len=32)

    def test_positions_that_are_computed(self):
        class Computed(Causal):
            def embed(self, x):
                return self.proj(x) + torch.sin(torch.arange(x.size(1))[:, None] * torch.linspace(0.1, 2, E))
        self.check(Computed(), max_len=60)
        self.assertEqual(self.metadata["max_len"], "60")

    def test_one_newest_row_sees_all(self):
        class Newest(Causal):
            def build(self):
                self.encoder = encoder(1)

            def forward(self, x):
                return super().forward(x)[:, -1]
        self.refused("causal mask", Newest())
        self.right(Newest(), attention="single-output")

        class Deeper(Newest):
            def build(self):
                pass
        self.refused("causal mask", Deeper(), attention="single-output")

    def test_other_masks(self):
        for words, mask in (("a mask that is not causal", triangle(N).T), ("adds to the logits", torch.randn(N, N)),
                            ("a mask that is not causal", triangle(N) + triangle(N).roll(-2, 0))):
            net = type("Masked", (Causal,), {"mask": lambda self, x: mask})()
            self.refused(words, net, attention="recurrent-full")


class Deep(ForwardCase):
    def check(self, module, **says):
        shaken(module)
        self.exported(module, attention="deep", **says)
        x = torch.randn(4 * N, C)
        hidden = (torch.arange(len(x))[:, None] - torch.arange(len(x)))
        mask = torch.full(hidden.shape, float("-inf")).masked_fill((hidden >= 0) & (hidden < N), 0.0)
        double = module.double().eval()
        for p in double.parameters():
            p.requires_grad_(True)
        h = double.encoder(double.proj(x.double()[None]), mask=mask.double())
        expected = double.head(h)[0].detach()
        y = core.Model(self.path("model.safetensors")).run(x)[:, 0]
        self.assert_near(y, expected[-len(y):])

    def test_depths(self):
        self.check(Net())
        self.check(Causal())
        self.check(Net(depth=3))


if __name__ == "__main__":
    unittest.main(verbosity=2)
