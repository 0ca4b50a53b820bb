#!/usr/bin/python3
# What no layout can say is refused by what it is in forward(), with what to do; a crash is no refusal
# SPDX-License-Identifier: LGPL-2.1-or-later
import itertools
import unittest

from forwards import C, D, E, N, ForwardCase, Net, encoder, layer

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

try:
    from torch.nn.utils import parametrizations
except ImportError:
    parametrizations = None


COUNTER = itertools.count(2)


def net(forward, build=lambda self: None, **settings):
    return type("Refused", (Net,), {"forward": forward, "build": build})(**settings)


class Encoders(ForwardCase):
    def test_residual_around(self):
        def forward(self, x):
            h = self.proj(x)
            h = h + self.encoder(h)
            return self.head(h[:, -1])
        message = self.refused(("residual around the encoder", "test_refusals.py:"), net(forward))
        self.assertIn("`h = h + self.encoder(h)`", message)

        def behind(self, x):
            h = self.proj(x)
            return self.head((self.encoder(h) + h).mean(1))
        self.refused("residual around the encoder", net(behind))

        def pooled(self, x):
            h = self.proj(x)
            return self.head(self.encoder(h)[:, -1] + h[:, -1])
        self.refused("two pools of the window are put together", net(pooled))

    def test_encoder_twice(self):
        self.refused(("encoder.layers.0 is used 2 times", "copy.deepcopy"),
                     net(lambda self, x: self.head(self.encoder(self.encoder(self.proj(x)))[:, -1])))

    def test_one_layer_three_times(self):
        def build(self):
            self.one = layer()

        def forward(self, x):
            x = self.proj(x)
            for _ in range(3):
                x = self.one(x)
            return self.head(x[:, -1])
        self.refused("one is used 3 times", net(forward, build))

        def shared(self):
            self.encoder.layers = nn.ModuleList([self.encoder.layers[0]] * 3)
        self.refused("encoder.layers.0 is used 3 times", net(Net.forward, shared))
        alone = encoder()
        alone.layers = nn.ModuleList([alone.layers[0]] * 3)
        self.refused("layers.0 is used 3 times", alone)

    def test_two_encoders(self):
        def build(self):
            self.other, self.mix = encoder(), nn.Linear(E, E)
        self.refused("something between them", net(
            lambda self, x: self.head(self.other(self.mix(self.encoder(self.proj(x))))[:, -1]), build))
        self.refused("two results that both depend", net(
            lambda self, x: self.head((self.encoder(self.proj(x)) + self.other(self.mix(self.proj(x))))[:, -1]), build))
        self.refused("a concatenation", net(
            lambda self, x: torch.cat([self.encoder(self.proj(x)), self.other(self.proj(x))], -1)[:, -1], build))
        self.refused("a concatenation", net(
            lambda self, x: torch.cat((self.encoder(self.proj(x)), self.other(self.proj(x))), 1)[:, -1], build))
        self.refused("stack()", net(
            lambda self, x: torch.stack([self.encoder(self.proj(x)), self.other(self.proj(x))]).mean(0)[:, -1], build))

    def test_no_encoder(self):
        self.refused("there is no attention", nn.Sequential(nn.Linear(C, E), nn.ReLU(), nn.Linear(E, D)))
        self.refused("there is no attention", net(lambda self, x: self.head(self.proj(x)[:, -1])))

    def test_padding_masks(self):
        def by_data(self, x):
            return self.head(self.encoder(self.proj(x), src_key_padding_mask=x.abs().sum(-1) == 0)[:, -1])

        def constant(self, x):
            mask = torch.zeros(x.shape[:2]).bool()
            mask[:, 0] = True
            return self.head(self.encoder(self.proj(x), src_key_padding_mask=mask)[:, -1])
        for forward in (by_data, constant):
            self.refused("a padding mask hides", net(forward))
        self.refused("forward() needs 'lengths'", net(lambda self, x, lengths: self.head(self.encoder(self.proj(x)))))
        self.refused("forward() needs 'memory'",
                     net(lambda self, x, memory: self.head(self.encoder(self.proj(x) + memory))))

    def test_other_attentions(self):
        def build(self):
            self.q, self.k, self.v = (nn.Linear(E, E) for _ in range(3))
            self.pool_query = nn.Parameter(torch.randn(1, 1, E))
            self.pool_attn = nn.MultiheadAttention(E, 3, batch_first=True)

        def by_hand(self, x):
            x = self.encoder(self.proj(x))
            a = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2), -1)
            return self.head((a @ self.v(x))[:, -1])

        def learned_query(self, x):
            x = self.encoder(self.proj(x))
            return self.head(self.pool_attn(self.pool_query.expand(len(x), -1, -1), x, x)[0].squeeze(1))
        self.refused("attention written by hand is part of no layer", net(by_hand, build))
        self.refused("is learned, not a vector (a pooling by attention)", net(learned_query, build))
        if hasattr(F, "scaled_dot_product_attention"):
            self.refused("expected a linear map of their own", net(
                lambda self, x: F.scaled_dot_product_attention(*[self.encoder(self.proj(x))] * 3)[:, -1], build))
        self.refused("TransformerDecoder", net(
            lambda self, x: self.dec(self.proj(x), self.proj(x)),
            lambda self: setattr(self, "dec", nn.TransformerDecoderLayer(E, 3))))
        class Odd(nn.TransformerEncoderLayer):
            pass
        self.refused("a subclass of TransformerEncoderLayer",
                     net(Net.forward, lambda self: setattr(self, "encoder", Odd(E, 3, batch_first=True))))


class Features(ForwardCase):
    def check(self, words, embed, build=lambda self: None):
        return self.refused(words, type("Refused", (Net,), {"embed": embed, "build": build})())

    def test_clamped(self):
        self.check("the vectors are clamped", lambda self, x: self.proj(x.clamp(-5, 5)))
        self.check("the vectors are clamped", lambda self, x: self.proj(torch.clip(x, max=3)))
        self.check("the vectors are clamped", lambda self, x: self.proj(F.hardtanh(x, -50000, 50000)))

    def test_self_normalised(self):
        words = ("statistic of the window", "BatchNorm1d")
        self.check(words, lambda self, x: self.proj(x - x.mean(dim=1, keepdim=True)))
        self.check("std()", lambda self, x: self.proj(x / x.std(1, keepdim=True)))
        self.check(words, lambda self, x: self.proj((x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)))
        self.check("normalize()", lambda self, x: self.proj(F.normalize(x, dim=-1)))
        self.check("norm()", lambda self, x: self.proj(x / x.norm(dim=-1, keepdim=True)))
        self.check("multiplied or divided", lambda self, x: self.proj(x / x.amax(1, keepdim=True)))
        self.check("instance_norm()", lambda self, x: self.proj(F.instance_norm(x.transpose(1, 2)).transpose(1, 2)))
        self.check("group_norm()", lambda self, x: self.proj(self.gn(x.mT).mT),
                   lambda self: setattr(self, "gn", nn.GroupNorm(1, C)))
        self.check("track_running_stats", lambda self, x: self.proj(self.bn(x.mT).mT),
                   lambda self: setattr(self, "bn", nn.BatchNorm1d(C, track_running_stats=False)))
        self.check("a layer norm is taken over", lambda self, x: self.ln(self.proj(x)),
                   lambda self: setattr(self, "ln", nn.LayerNorm((N, E))))

    def test_fronts(self):
        def build(self):
            self.conv = nn.Conv1d(C, C, 3, padding=1)
            self.gru, self.emb = nn.GRU(C, C, batch_first=True), nn.Embedding(100, E)
            self.patch = nn.Unfold((2, 2))
        self.check(("conv is a Conv1d", "run it before the encoder"),
                   lambda self, x: self.proj(self.conv(x.transpose(1, 2)).transpose(1, 2)), build)
        self.check(("gru is a GRU", "recurrent network"), lambda self, x: self.proj(self.gru(x)[0]), build)
        self.check("nn.Embedding looks up", lambda self, x: self.emb(x), build)
        self.check(("conv is a Conv2d", "run it before the encoder"),
                   lambda self, x: self.conv(x).flatten(2).transpose(1, 2),
                   lambda self: setattr(self, "conv", nn.Conv2d(1, E, 3)))
        self.check("pad()", lambda self, x: self.proj(F.pad(x, (0, 0, 1, 0))[:, :-1]))
        self.check("conv1d()", lambda self, x: self.proj(F.conv1d(x.mT, torch.ones(C, C, 3), padding=1).mT))
        self.check("diff()", lambda self, x: self.proj(x.diff(dim=1, prepend=x[:, :1] * 0)))
        self.check("cumsum()", lambda self, x: self.proj(x.cumsum(1)))
        self.check("flip()", lambda self, x: self.proj(x.flip(1)))
        self.check("roll()", lambda self, x: self.proj(torch.roll(x, 1, 1)))
        self.check("log()", lambda self, x: self.proj(torch.log(x)))
        self.check("a part of features", lambda self, x: torch.tanh(self.proj(x))[..., :4])
        self.check("a part of the window", lambda self, x: self.proj(x[:, ::2]))

    def test_gates_and_adapters(self):
        def build(self):
            self.gate, self.a, self.b = nn.Linear(C, E), nn.Linear(E, 2, bias=False), nn.Linear(2, E, bias=False)
            self.wide = nn.Linear(C, 2 * E)
        self.check("a gate", lambda self, x: self.proj(x) * torch.sigmoid(self.gate(x)), build)
        self.check("a gate", lambda self, x: F.glu(self.wide(x)), build)
        self.check("glu()", lambda self, x: F.glu(torch.tanh(self.wide(x))), build)
        self.check("cuts the vectors", lambda self, x: torch.mul(*torch.tanh(self.wide(x)).chunk(2, -1)), build)
        self.check("a gate", lambda self, x: torch.mul(*self.wide(x).chunk(2, -1)), build)
        self.check("none of the activations", lambda self, x: F.hardswish(self.proj(x)))
        self.check("none of the activations", lambda self, x: F.leaky_relu(self.proj(x), 0.3))
        self.check("none of the activations", lambda self, x: F.softplus(self.proj(x)))
        self.check("sin()", lambda self, x: torch.sin(self.proj(x)))
        self.check("a residual or an adapter",
                   lambda self, x: (lambda h: h + torch.tanh(self.b(self.a(h))).relu())(self.proj(x)), build)

    def test_dropout_in_evaluation(self):
        self.check("pass training=self.training", lambda self, x: F.dropout(self.proj(x), 0.2))
        self.check("something else each time", lambda self, x: self.proj(x) + torch.randn(E))
        self.check("something else each time", lambda self, x: self.proj(x) * next(COUNTER))
        self.check("number of windows in the batch", lambda self, x: self.proj(x) * len(x))
        self.check("differs within the batch", lambda self, x: (lambda h: h + torch.randn_like(h))(self.proj(x)))

    def test_in_place(self):
        def overwritten(self, x):
            h = self.proj(x)
            h[:, 0] = 0
            return h

        def aliased(self, x):
            h = self.proj(x)
            g = h.transpose(0, 1)
            g.relu_()
            return h
        self.check("overwritten in place", overwritten)
        self.check("changes in place", aliased)


class Outputs(ForwardCase):
    def check(self, words, forward, build=lambda self: None):
        return self.refused(words, net(forward, build))

    def test_two_heads(self):
        def build(self):
            self.head2 = nn.Linear(E, 2)

        def both(self, x):
            h = self.encoder(self.proj(x))[:, -1]
            return self.head(h), self.head2(h)
        self.check(("returns 2 outputs in a tuple", "one of them"), both, build)
        self.check("2 outputs in a dict", lambda self, x: dict(zip(("a", "b"), both(self, x))), build)
        self.check("1 output in a tuple", lambda self, x: (both(self, x)[0], None), build)
        self.check("a concatenation", lambda self, x: torch.cat(both(self, x), -1), build)
        self.check("does not depend on the vectors", lambda self, x: torch.zeros(3))
        self.check("does not depend on the vectors", lambda self, x: None)

    def test_decisions(self):
        self.check("argmax()", lambda self, x: self.head(self.encoder(self.proj(x))[:, -1]).argmax(-1))
        self.check("a loss", lambda self, x: F.mse_loss(self.head(self.encoder(self.proj(x))), torch.zeros(1)))
        self.check("topk()", lambda self, x: self.head(self.encoder(self.proj(x))[:, -1]).topk(2)[1])
        self.check("where()", lambda self, x: torch.where(torch.ones(N, 1) > 0, self.encoder(self.proj(x)), 0))
        self.check("masked_fill()", lambda self, x: self.encoder(self.proj(x)).masked_fill(torch.ones(N, 1) > 0, 0))

    def test_last_of_padded_sequences(self):
        def forward(self, x):
            h = self.encoder(self.proj(x))
            last = (x.abs().sum(-1) > 0).sum(1) - 1
            return self.head(h[torch.arange(len(h)), last])
        self.check("abs()", forward)

    def test_looking_at_the_data(self):
        for forward in (lambda self, x: self.head(self.encoder(self.proj(x if x.mean() > 0 else -x))[:, -1]),
                        lambda self, x: self.head(self.encoder(self.proj(x))[:, int(x[0, 0, 0].item() > 0)]),
                        lambda self, x: self.head(self.encoder(self.proj(x / float(x.abs().max())))[:, -1]),

                        lambda self, x: self.head(self.encoder(self.proj(torch.from_numpy(x.detach().numpy() * 2)))[:, -1]),
                        lambda self, x: self.head(self.encoder(self.proj(torch.tensor(x.tolist())))[:, -1])):
            self.check("looks at the values", forward)

    def test_crashes_are_refused(self):
        def raises(self, x):
            raise KeyError("a bug of the user's")
        self.check(("forward() fails on a window", "a bug of the user's"), raises)
        self.check("forward() fails on a window", lambda self, x: self.head(self.nothing(x)))
        self.check("forward() fails on a window", lambda self, x: self.head(self.encoder(self.proj(x[:, :, :, :, 0]))))
        self.check("torch.inference_mode()", torch.inference_mode()(Net.forward))
        self.check("forward() takes no argument", lambda self: None)
        self.check(("one computation", "depend on the data"),
                   lambda self, x: self.head(self.proj(x) + torch.jit.script(_scripted)(self.encoder(self.proj(x)))))
        self.refused("has no forward()", type("Empty", (nn.Module,), {})())


def _scripted(x):
    return x * 2


class Reparametrized(ForwardCase):
    def check(self, words, change):
        module = Net()
        change(module)
        self.refused(words, module)

    def test_weight_norm(self):
        self.check(("head.weight has weight norm", "torch.nn.utils.remove_weight_norm(head, 'weight')"),
                   lambda m: nn.utils.weight_norm(m.head))
        self.check("torch.nn.utils.remove_spectral_norm(proj, 'weight')", lambda m: nn.utils.spectral_norm(m.proj))

    def test_parametrizations(self):
        words = "torch.nn.utils.parametrize.remove_parametrizations(head, 'weight')"
        self.check(words, lambda m: parametrizations.orthogonal(m.head))
        self.check("remove_parametrizations(encoder.layers.1.linear1, 'weight')",
                   lambda m: parametrizations.spectral_norm(m.encoder.layers[1].linear1))
        if hasattr(parametrizations, "weight_norm"):
            self.check(words, lambda m: parametrizations.weight_norm(m.head))

    def test_pruning(self):
        self.check("torch.nn.utils.prune.remove(proj, 'weight')", lambda m: prune.l1_unstructured(m.proj, "weight", 0.5))
        self.check("torch.nn.utils.prune.remove(encoder.layers.0.linear2, 'bias')",
                   lambda m: prune.random_unstructured(m.encoder.layers[0].linear2, "bias", 0.5))

    def test_removed_is_right(self):
        module = Net()
        nn.utils.weight_norm(module.head)
        nn.utils.remove_weight_norm(module.head, "weight")
        prune.l1_unstructured(module.proj, "weight", 0.5)
        prune.remove(module.proj, "weight")
        self.right(module)

    def test_hooks(self):
        module = Net()
        module.encoder.layers[0].register_forward_hook(lambda m, args, out: out * 2)
        self.refused("has hooks", module)
        module = Net()
        module.proj.register_forward_hook(lambda m, args, out: out * 2)
        self.right(module, ["proj", "scale:2.0", "encoder", "pool:last", "head"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
