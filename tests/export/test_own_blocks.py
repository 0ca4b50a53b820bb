#!/usr/bin/python3
# Layers written by hand, with attention by torch's functions: every way of writing a part, against the module itself
# SPDX-License-Identifier: LGPL-2.1-or-later
import copy
import functools
import json
import sys
import unittest

from case import Case, windows

import core
import torch
from torch import nn
from torch.nn import functional as F

if not hasattr(F, "scaled_dot_product_attention"):
    print("SKIP: this PyTorch has no scaled_dot_product_attention()")
    sys.exit(77)

import blocks as B
from blocks import Block, C, D, E, H, net, shaken

N = 6
FULL = {"attention": "recurrent-full"}


class OwnCase(Case):
    def exported(self, module, expected, **says):
        module = shaken(module)
        self.load(module, **says)
        self.assertEqual({key: self.metadata.get(key) for key in expected}, expected)
        return copy.deepcopy(module).double()

    def rows(self, module, expected, width=C, **says):
        """Every vector is answered by its row of the whole sequence"""
        double = self.exported(module, expected, **says)
        x = torch.randn(40, width)
        options = {"warm_up": "partial"} if self.metadata["attention"] == "deep" else {}
        with torch.no_grad():
            truth = double(x.double()[None])[0]
        self.assert_near(core.Model(self.path("model.safetensors"), **options).run(x)[:, 0], truth)

    def window(self, module, expected, width=C, **says):
        double = self.exported(module, expected, sequence_len=N, **says)
        x = torch.randn(N + 3, width)
        with torch.no_grad():
            truth = double(torch.stack(windows(x.double(), N)))
        truth = truth if self.metadata["attention"] == "retroactive" or truth.dim() == 2 else truth[:, -1]
        y = core.Model(self.path("model.safetensors")).run(x)
        self.assert_near(y if truth.dim() == 3 else y[:, 0], truth)

    def refused(self, words, module, **says):
        self.assert_refused(words, module, verify=False, **says)


class Positions(OwnCase):
    def test_rotary(self):
        for rope, expected in (
                (B.halves, {"rope_theta": "10000.0", "rope_interleaved": "false", "partial_rotary_factor": "1.0"}),
                (B.as_complex, {"rope_theta": "500000.0", "rope_interleaved": "true"}),
                (B.neighbours, {"rope_theta": "10000.0", "rope_interleaved": "true"}),
                (B.part, {"rope_interleaved": "false", "partial_rotary_factor": "0.5"}),
                (functools.partial(B.halves, first=3), {"rope_theta": "10000.0"}),
                (functools.partial(B.halves, theta=1e6), {"rope_theta": "1000000.0"}),
                (None, {"rope_theta": None})):
            self.rows(net(rope=rope), {**FULL, **expected})

    def test_tables_in_buffers(self):
        class Table(Block):
            def __init__(self):
                super().__init__()
                angles = B.angles(torch.zeros(600, D))
                self.register_buffer("turn", torch.polar(torch.ones_like(angles), angles), persistent=False)
                self.rope = lambda x: torch.view_as_real(
                    torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * self.turn[:x.shape[-2]]).flatten(-2)

            def __deepcopy__(self, memo):  # its function is bound to the module
                made = Table()
                made.load_state_dict(self.state_dict())
                made.train(self.training)
                return made
        self.rows(B.Net(Table(), Table()), {"rope_interleaved": "true"})

    def test_refused(self):
        words = "those turn pairs of features"
        self.refused(words, net(rope=functools.partial(B.halves, scale=0.25)))
        self.refused(words, net(rope=lambda x: B.halves(x) * 1.01 ** torch.arange(x.shape[-2])[:, None]))
        self.refused(words, net(rope=lambda x: B.turned(x, torch.cat((B.angles(x),) * 2, -1).cos(),
                                                        -torch.cat((B.angles(x),) * 2, -1).sin())))
        self.refused("other rotary positions for 257 vectors", net(
            rope=lambda x: B.halves(x, theta=1e4 if x.shape[-2] < 100 else 8e4)))
        self.refused("rope_theta is None", B.Net(Block(), Block(rope=B.halves)))

        class Other(Block):
            def attention(self, x):
                q, k, v = self.qkv(x)
                return self.out(self.attend(*self.turn(q, k, v)).transpose(1, 2).flatten(2))
        self.refused("turned by other rotary positions", net(type("Keys", (Other,), {
            "turn": lambda self, q, k, v: (q, B.halves(k), v)})))
        self.refused("values are normed or turned", net(type("Values", (Other,), {
            "turn": lambda self, q, k, v: (B.halves(q), B.halves(k), B.halves(v))})))


class Heads(OwnCase):
    def test_projections(self):
        for qkv in (B.Separate, B.Fused, B.Permuted, B.ByHead, functools.partial(B.Separate, bias=True),
                    functools.partial(B.Fused, bias=False)):
            self.rows(net(qkv=qkv, rope=B.halves), {"nhead": "4", "num_key_value_heads": "4"})

    def test_grouped(self):
        def expanded(x):
            return x[:, :, None].expand(*x.shape[:2], 2, *x.shape[2:]).reshape(x.shape[0], H, *x.shape[2:])
        for qkv in (B.Separate, B.Fused):
            for repeat in (lambda x: x.repeat_interleave(2, 1), expanded):
                self.rows(net(qkv=functools.partial(qkv, kv=2), rope=B.halves, repeat=repeat), {"num_key_value_heads": "2"})
        self.rows(net(qkv=functools.partial(B.Separate, kv=1), repeat=lambda x: x.expand(-1, H, -1, -1)),
                  {"num_key_value_heads": "1"})
        for rope in (B.part, B.neighbours):  # one key head: its features are those of the linear map
            self.rows(net(qkv=functools.partial(B.Separate, kv=1), repeat=lambda x: x.expand(-1, H, -1, -1), rope=rope,
                          qk_norm=B.RMSNorm), {"num_key_value_heads": "1"})
            self.rows(net(qkv=functools.partial(B.Separate, kv=1), repeat=lambda x: x.expand(-1, H, -1, -1), rope=rope), {})
        self.refused("another order than repeat_interleave()", net(qkv=functools.partial(B.Separate, kv=2),
                                                                   repeat=lambda x: x.repeat(1, 2, 1, 1)))

    def test_norms_of_heads(self):
        self.rows(net(qk_norm=B.RMSNorm, rope=B.halves), {"norm_type": "rms"})
        self.rows(net(qk_norm=nn.LayerNorm, norm=nn.LayerNorm, ff=B.Mlp, bias=True), {"norm_type": "layer"})
        self.rows(net(qk_norm=B.RMSNorm, attend=B.softmax_added), {}, attention="recurrent-full")
        self.refused("norm_type is", net(qk_norm=nn.LayerNorm))
        self.refused("layer_norm_eps is", net(qk_norm=functools.partial(B.RMSNorm, eps=1e-5)))

    def test_other_axes(self):
        class TimeFirst(Block):
            def attention(self, x):
                q, k, v = (y.transpose(0, 1) for y in (self.qkv.q(x), self.qkv.k(x), self.qkv.v(x)))
                return self.out(B.causal(B.heads(q), B.heads(k), B.heads(v)).permute(2, 0, 1, 3).reshape(x.shape))

        class OneHead(Block):
            def attention(self, x):
                return self.out(F.scaled_dot_product_attention(self.qkv.q(x), self.qkv.k(x), self.qkv.v(x), is_causal=True,
                                                               scale=0.2))
        double = self.exported(net(TimeFirst), FULL)
        x = torch.randn(20, C)
        with torch.no_grad():
            self.assert_near(core.Model(self.path("model.safetensors")).run(x)[:, 0], double(x.double()[:, None])[:, 0])
        self.rows(net(OneHead), {"nhead": "1"})

        class Scrambled(Block):
            def attention(self, x):
                return self.out(self.attend(*self.qkv(x)).reshape(x.shape))  # without transpose(1, 2)
        self.refused("cuts heads and time apart", net(Scrambled))

    def test_refused(self):
        class Cross(Block):
            def forward(self, x):
                h = self.norm1(x)
                q, k, v = self.qkv(h)[0], *self.qkv(x)[1:]
                return x + self.out(self.attend(q, k, v).transpose(1, 2).flatten(2))

        class Gated(Block):
            def attention(self, x):
                return Block.attention(self, x) * torch.sigmoid(self.qkv.q(x))
        self.refused("queries, keys and values are not of the same vectors", net(Cross))
        self.refused("multiplied or divided by what depends on them", net(Gated))
        self.refused("clamp() is applied to heads", net(rope=lambda x: x.clamp(-50, 50)))
        self.refused("normalize() is applied to heads", net(rope=lambda x: F.normalize(x, dim=-1)))


class Attention(OwnCase):
    def test_kinds(self):
        self.rows(net(), FULL)
        self.rows(net(attend=B.window(5), rope=B.halves), {"attention": "deep", "sequence_len": "5"})
        self.rows(net(attend=B.window(5)), {"sequence_len": "5"}, sequence_len=5, attention="deep")
        self.rows(net(attend=B.window(5, 2), rope=B.halves), {"attention_windows": "[[5, 2], [5, 2]]"})
        self.rows(B.Net(Block(attend=B.window(4)), Block(attend=B.window(9))), {"attention_windows": "[[4, 0], [9, 0]]"})
        self.window(net(attend=B.full, rope=B.halves), {"attention": "single-output"})
        self.window(net(attend=B.full), {"attention": "retroactive"}, attention="retroactive")

    def test_softmax_by_hand(self):
        self.window(net(attend=B.softmax, rope=B.halves), {})
        self.window(net(attend=B.folded, rope=B.halves), {})
        for attend in (B.softmax_causal, B.softmax_added, B.masked):
            self.rows(net(attend=attend, rope=B.halves), FULL, attention="recurrent-full")

    def test_what_must_be_said(self):
        """A mask that was made for one length may be another for more"""
        for attend in (B.masked, B.softmax_causal, B.window(300)):
            self.refused("may be a window for more: say attention='recurrent-full'", net(attend=attend))
        self.refused("the window is not known", net(attend=B.full))

        class Sliding(Block):
            window = 300

            def __init__(self):
                super().__init__(attend=B.window(300))
                self.sliding_window = 300
        self.exported(net(Sliding), {"attention": "deep", "sequence_len": "300"})

    def test_what_contradicts(self):
        self.refused("which is recurrent-full", net(), attention="deep", sequence_len=4)
        self.refused("which is recurrent-full", net(), attention="retroactive", sequence_len=4)
        self.refused("which is single-output", net(attend=B.full), attention="recurrent-full")
        self.refused("which is deep", net(attend=B.window(5)), attention="recurrent-full")
        self.refused("leave sequence_len out", net(attend=B.window(5)), sequence_len=6)
        self.refused("layers see", B.Net(Block(), Block(attend=B.window(5))))

    def test_refused(self):
        def relative(q, k, v):
            return F.scaled_dot_product_attention(q, k, v, attn_mask=-0.1 * B.distances(q).abs().float())

        def added(q, k, v):
            return (q @ k.mT - 0.1 * B.distances(q).abs()).softmax(-1) @ v

        def padded(q, k, v):
            mask = torch.ones(len(q), 1, 1, q.shape[-2], dtype=torch.bool)
            mask[..., 0] = False
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

        def of_the_data(q, k, v):
            return F.scaled_dot_product_attention(q, k, v, attn_mask=q @ k.mT > 0)
        for attend, words in (
                (relative, "adds to the logits"), (added, "logits are more than products"),
                (padded, "neither causal nor a window"),
                (lambda q, k, v: (50 * torch.tanh(q @ k.mT / 50)).softmax(-1) @ v, "tanh() changes the logits"),
                (lambda q, k, v: (q @ k.mT) @ v, "without a softmax"),
                (lambda q, k, v: (q @ k.mT).softmax(-2) @ v, "softmax() changes the logits"),
                (lambda q, k, v: (q @ k.mT).softmax(-1).square() @ v, "changes the weights of the keys"),
                (lambda q, k, v: F.scaled_dot_product_attention(q, k, v, dropout_p=0.1), "pass dropout_p=0.0"),
                (lambda q, k, v: F.dropout((q @ k.mT).softmax(-1), 0.5) @ v, "pass training=self.training"),
                (lambda q, k, v: B.full(F.dropout(q, 0.5), k, v), "dropout() is applied to heads"),
                (lambda q, k, v: F.scaled_dot_product_attention(q, k[..., :-1, :], v[..., :-1, :]), "expected as many"),
                (of_the_data, "gt() changes the logits")):
            self.refused(words, net(attend=attend), sequence_len=N)


class Layers(OwnCase):
    def test_norms(self):
        for norm, expected in ((B.RMSNorm, {"norm_type": "rms", "layer_norm_eps": "1e-06"}),
                               (functools.partial(B.RMSNorm, offset=1, eps=1e-5), {"layer_norm_eps": "1e-05"}),
                               (nn.LayerNorm, {"norm_type": "layer"}),
                               (functools.partial(nn.LayerNorm, elementwise_affine=False), {"norm_type": "layer"}),
                               *(((functools.partial(nn.RMSNorm, eps=1e-6), {"norm_type": "rms"}),)
                                 if hasattr(nn, "RMSNorm") else ())):
            self.rows(net(norm=norm), expected)

    def test_norms_written_out(self):
        class Written(Block):
            def forward(self, x):
                x = x + self.attention(B.rms(x, self.norm1.scale))
                return x + self.ff(B.rms(x, 1 + self.norm2.scale))

        class Mean(Block):
            def normed(self, x, norm):
                x = x - x.mean(-1, keepdim=True)
                return x / torch.sqrt(x.square().mean(-1, keepdim=True) + 1e-5) * norm.scale

            def forward(self, x):
                x = x + self.attention(self.normed(x, self.norm1))
                return x + self.ff(self.normed(x, self.norm2))
        self.rows(nn.Sequential(Written(qk_norm=None), Written()), {"norm_type": "rms", "layer_norm_eps": "1e-05"}, width=E)
        self.rows(nn.Sequential(Mean(), Mean()), {"norm_type": "layer", "layer_norm_eps": "1e-05"}, width=E)
        self.rows(nn.Sequential(Block(rope=lambda x: B.rms(x, 2.0), norm=functools.partial(B.RMSNorm, eps=1e-5))), {}, width=E)

    def test_feed_forwards(self):
        for ff, expected in ((B.SwiGLU, "silu"), (functools.partial(B.SwiGLU, bias=True), "silu"), (B.FusedGate, "gelu"),
                             (B.Glu, "sigmoid"), (B.Mlp, "gelu"), (functools.partial(B.Mlp, nn.ReLU), "relu")):
            self.rows(net(ff=ff), {"activation": expected})

    def test_scales(self):
        self.rows(net(scale=True), {})
        self.rows(net(scale=True, ff=B.Mlp, norm=nn.LayerNorm), {})

        class Half(Block):
            def forward(self, x):
                x = x + 0.5 * self.attention(self.norm1(x))
                return x + self.ff(self.norm2(x)) / 2
        self.rows(net(Half), {})

    def test_a_scale_beside_an_attention_of_torch(self):
        class Scaled(nn.Module):
            def __init__(self):
                super().__init__()
                self.attn, self.ff, self.n1, self.n2 = nn.MultiheadAttention(E, H, batch_first=True), B.Mlp(), *(
                    nn.LayerNorm(E) for _ in range(2))
                self.g1, self.g2 = (nn.Parameter(torch.rand(E)) for _ in range(2))

            def forward(self, x):
                h = self.n1(x)
                x = x + self.g1 * self.attn(h, h, h)[0]
                return x + self.g2 * self.ff(self.n2(x))
        self.window(nn.Sequential(Scaled(), Scaled()), {"norm_first": "true"}, width=E)

    def test_post_norm(self):
        self.window(net(B.PostNorm, attend=B.full, ff=B.Mlp, norm=nn.LayerNorm, rope=B.halves), {"norm_first": "false"})
        self.rows(net(B.PostNorm, ff=B.Mlp, qkv=functools.partial(B.Separate, kv=2),
                      repeat=lambda x: x.repeat_interleave(2, 1)), {"norm_type": "rms"})
        for parts, words in (({}, "a gated feed-forward"), ({"ff": B.Mlp, "qk_norm": B.RMSNorm}, "norms of queries and keys")):
            self.refused(words, net(B.PostNorm, **parts))

    def test_what_is_around(self):
        class Around(nn.Module):
            def __init__(self, *layers):
                super().__init__()
                self.cls, self.pos = nn.Parameter(torch.randn(1, 1, E)), nn.Parameter(torch.randn(1, N + 1, E))
                self.proj, self.blocks, self.head = nn.Linear(C, E), nn.Sequential(*layers), nn.Linear(E, 3)

            def forward(self, x):
                x = torch.cat((self.cls.expand(len(x), -1, -1), self.proj(x)), 1) + self.pos
                return self.head(self.blocks(x)[:, 0])
        self.window(Around(Block(attend=B.full), Block(attend=B.full)),
                    {"layout": json.dumps(["proj", "cls", "pos", "blocks", "pool:cls", "head"]), "position_index": "window"})

        class Table(nn.Module):
            def __init__(self):
                super().__init__()
                self.wpe, self.block = nn.Embedding(40, E), Block()

            def forward(self, x):
                return self.block(x + self.wpe(torch.arange(x.shape[1])))
        self.rows(Table(), {"max_len": "40", **FULL}, width=E)

        class Newest(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = net(rope=B.halves)

            def forward(self, x):
                return self.net(x)[:, -1]
        double = self.exported(Newest(), FULL)
        x = torch.randn(20, C)
        with torch.no_grad():
            self.assert_near(core.Model(self.path("model.safetensors")).run(x)[-1], double(x.double()[None]))

    def test_refused(self):
        class Parallel(Block):
            def forward(self, x):
                h = self.norm1(x)
                return x + self.attention(h) + self.ff(h)

        class Sandwich(Block):
            def forward(self, x):
                x = x + self.norm1(self.attention(x))
                return x + self.norm2(self.ff(x))

        class Alone(Block):
            def forward(self, x):
                return self.attention(x)
        self.refused("two results that both depend", net(Parallel))
        self.refused("a residual or an adapter", net(Sandwich))
        self.refused("attention written by hand is part of no layer", net(Alone, n=1))
        self.refused("layers of one library", B.Net(Block(), nn.TransformerEncoderLayer(E, H, batch_first=True)),
                     sequence_len=N)
        self.refused("norm_type is", B.Net(Block(), norm=nn.LayerNorm))
        block = Block()
        self.refused("used 2 times", B.Net(block, block))
        self.refused("a gate", nn.Sequential(B.SwiGLU(), Block()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
