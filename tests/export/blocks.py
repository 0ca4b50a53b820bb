# Layers as people write them: how each part is written is a function, so that every way can be tried with every other
# SPDX-License-Identifier: LGPL-2.1-or-later
import math

import torch
from torch import nn
from torch.nn import functional as F

E, H, D, FF, C = 32, 4, 8, 48, 6


class RMSNorm(nn.Module):
    def __init__(self, width, eps=1e-6, offset=0):
        super().__init__()
        self.scale, self.eps, self.offset = nn.Parameter(torch.ones(width)), eps, offset

    def forward(self, x):
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.eps)
        return y.type_as(x) * (self.offset + self.scale)


def rms(x, weight, eps=1e-5):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


# ---- rotary positions of (B, H, T, D) ----

def angles(x, theta=10000.0, size=D, first=0, scale=1.0):
    t = (torch.arange(x.shape[-2]) + first).to(x.dtype) * scale
    return torch.outer(t, theta ** (-torch.arange(0, size, 2).to(x.dtype) / size))


def turned(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


def halves(x, **named):
    twice = torch.cat((angles(x, **named),) * 2, -1)
    return turned(x, twice.cos(), twice.sin())


def part(x, size=4):
    return torch.cat((halves(x[..., :size], size=size), x[..., size:]), -1)


def as_complex(x, theta=500000.0):
    angle = angles(x, theta)
    turn = torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * turn).flatten(-2).type_as(x)


def neighbours(x):
    cos, sin = angles(x).cos(), angles(x).sin()
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


# ---- attention of (B, H, T, D) ----

def distances(q):
    i = torch.arange(q.shape[-2])
    return i[:, None] - i


def causal(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def full(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


def masked(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=distances(q) >= 0)


def window(left, right=0):
    def attend(q, k, v):
        d = distances(q)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=(d < left) & (d >= -right))
    return attend


def softmax(q, k, v):
    weights = (q * D ** -0.5 @ k.transpose(-2, -1)).softmax(dim=-1)
    return F.dropout(weights, 0.1, False) @ v


def softmax_causal(q, k, v):
    logits = torch.matmul(q, k.mT) / math.sqrt(D)
    return torch.matmul(torch.softmax(logits.masked_fill(distances(q) < 0, float("-inf")), -1), v)


def softmax_added(q, k, v):
    mask = torch.full((q.shape[-2],) * 2, -1e9).triu(1)
    return torch.einsum("bhqk,bhkd->bhqd", torch.softmax(torch.einsum("bhqd,bhkd->bhqk", q, k) * 0.3 + mask, -1), v)


def folded(q, k, v):
    shape = q.shape
    q, k, v = (x.reshape(-1, *x.shape[-2:]) for x in (q, k, v))
    return torch.bmm((torch.bmm(q, k.transpose(1, 2)) / math.sqrt(D)).softmax(-1), v).view(shape)


# ---- queries, keys and values, as modules (B, T, E) to three of (B, H, T, D) ----

def heads(x, n=-1):
    return x.view(*x.shape[:-1], n, D).transpose(1, 2)


class Separate(nn.Module):
    def __init__(self, kv=H, bias=False):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(E, E, bias=bias), nn.Linear(E, kv * D, bias=bias), nn.Linear(E, kv * D, bias=bias)

    def forward(self, x):
        return heads(self.q(x)), heads(self.k(x)), heads(self.v(x))


class Fused(nn.Module):
    """All queries, all keys, all values"""

    def __init__(self, kv=H, bias=True):
        super().__init__()
        self.kv, self.qkv = kv, nn.Linear(E, E + 2 * kv * D, bias=bias)

    def forward(self, x):
        return [heads(y) for y in self.qkv(x).split([E, self.kv * D, self.kv * D], -1)]


class Permuted(Fused):
    """As timm writes it"""

    def forward(self, x):
        return self.qkv(x).reshape(*x.shape[:2], 3, H, D).permute(2, 0, 3, 1, 4).unbind(0)


class ByHead(Fused):
    """Query, key and value of a head, then of the next"""

    def forward(self, x):
        return [y.transpose(1, 2) for y in self.qkv(x).view(*x.shape[:2], H, 3 * D).chunk(3, -1)]


# ---- feed-forwards ----

class Mlp(nn.Sequential):
    def __init__(self, act=nn.GELU):
        super().__init__(nn.Linear(E, FF), act(), nn.Dropout(0.1), nn.Linear(FF, E))


class SwiGLU(nn.Module):
    def __init__(self, bias=False):
        super().__init__()
        self.w1, self.w2, self.w3 = (nn.Linear(*s, bias=bias) for s in ((E, FF), (FF, E), (E, FF)))

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class FusedGate(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(E, 2 * FF, bias=False), nn.Linear(FF, E)

    def forward(self, x):
        value, gate = self.up(x).chunk(2, -1)
        return self.down(value * F.gelu(gate))


class Glu(FusedGate):
    def forward(self, x):
        return self.down(F.glu(self.up(x)))


# ---- layers ----

class Block(nn.Module):
    def __init__(self, qkv=Separate, rope=None, attend=causal, norm=RMSNorm, ff=SwiGLU, repeat=None, qk_norm=None, scale=False,
                 bias=False):
        super().__init__()
        self.qkv, self.out, self.ff = qkv(), nn.Linear(E, E, bias=bias), ff()
        self.norm1, self.norm2, self.rope, self.attend, self.repeat = norm(E), norm(E), rope, attend, repeat
        self.q_norm, self.k_norm = (qk_norm(D), qk_norm(D)) if qk_norm else (nn.Identity(), nn.Identity())
        self.gamma1, self.gamma2 = (nn.Parameter(torch.rand(E)) if scale else 1 for _ in range(2))

    def attention(self, x):
        q, k, v = self.qkv(x)
        q, k = self.q_norm(q), self.k_norm(k)
        if self.rope:
            q, k = self.rope(q), self.rope(k)
        if self.repeat:
            k, v = self.repeat(k), self.repeat(v)
        return self.out(self.attend(q, k, v).transpose(1, 2).reshape(x.shape))

    def forward(self, x):
        x = x + self.gamma1 * self.attention(self.norm1(x))
        return x + self.gamma2 * self.ff(self.norm2(x))


class PostNorm(Block):
    def forward(self, x):
        x = self.norm1(x + self.attention(x))
        return self.norm2(self.ff(x) + x)


class Net(nn.Module):
    """What is around layers"""

    def __init__(self, *layers, norm=RMSNorm):
        super().__init__()
        self.proj, self.layers, self.norm, self.head = nn.Linear(C, E), nn.ModuleList(layers), norm(E), nn.Linear(E, 3)

    def forward(self, x):
        x = self.proj(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))


def net(kind=Block, n=2, **parts):
    return Net(*(kind(**parts) for _ in range(n)), norm=parts.get("norm", RMSNorm))


def shaken(module):
    """Weights of every part matter"""
    for parameter in module.parameters():
        if parameter.dim() < 2:
            parameter.data.add_(0.3 * torch.randn_like(parameter))
        else:
            parameter.data.normal_(0, 1.5 / parameter.shape[-1] ** 0.5)
    return module.eval()
