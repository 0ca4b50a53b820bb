# PyTorch as a peer: the whole window at each vector, and the step with cached keys as one would write it by hand
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch
from torch.nn import functional as F

POSITIONS = 1 << 14  # whose angles are in a table


class SlidingWindow:
    """@encode: (1, n, C) to rows of which @row answers"""

    def __init__(self, encode, n, n_inputs, row=-1):
        self.encode, self.state, self.row = encode, torch.zeros(1, n, n_inputs), row

    def __call__(self, x):
        self.state = torch.cat([self.state[:, 1:], torch.from_numpy(x)[None]], 1)
        return self.encode(self.state)[self.row][None]

    def fill(self, x):
        self.state = torch.from_numpy(x[-self.state.shape[1]:])[None]


def tensors(part):
    return part and [None if a is None else torch.from_numpy(a.copy()) for a in vars(part).values()]


class Layer:
    def __init__(self, net, layer, rows):
        self.net, self.n, self.right, self.t = net, layer.cached + 1, layer.right, 0
        self.qkv, self.out, self.up, self.down = map(tensors, (layer.qkv, layer.out, layer.up, layer.down))
        self.norm1, self.norm2 = tensors(layer.norm1), tensors(layer.norm2)
        H, D, E = net.n_heads, net.head_size, net.d_model
        self.k, self.v = torch.zeros(1, H, self.n, D), torch.zeros(1, H, self.n, D)
        if not rows:
            self.q, self.h = torch.zeros(1, H, self.n, D), torch.zeros(self.n, E)
        if self.right:
            self.held_q, self.held_h = torch.zeros(self.right, 1, H, 1, D), torch.zeros(self.right, 1, E)

    def norm(self, x, part):
        return F.layer_norm(x, (self.net.d_model,), *part, self.net.eps)

    def rotated(self, x, angles):
        """@x: (n, heads, D)"""
        cos, sin = angles
        a, b = x.chunk(2, -1)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    def projected(self, h, angles):
        """(1, H, n, D) each"""
        net = self.net
        qkv = F.linear(self.norm(h, self.norm1) if net.norm_first else h, *self.qkv).view(len(h), 3, net.n_heads, net.head_size)
        q, k, v = qkv.unbind(1)
        if angles is not None:
            q, k = self.rotated(torch.cat([q, k], 1), angles).chunk(2, 1)
        return (part.transpose(0, 1)[None] for part in (q, k, v))

    def attended(self, q, k, v):
        """The queries are scaled."""
        if hasattr(F, "scaled_dot_product_attention"):  # since PyTorch 2.1
            context = F.scaled_dot_product_attention(q, k, v, scale=1.0)
        else:
            context = torch.softmax(q @ k.transpose(2, 3), -1) @ v
        return context.transpose(1, 2).reshape(q.shape[2], -1)

    def after_attention(self, h, context):
        first = self.net.norm_first
        h = h + F.linear(context, *self.out)
        if not first:
            h = self.norm(h, self.norm1)
        h = h + F.linear(F.gelu(F.linear(self.norm(h, self.norm2) if first else h, *self.up)), *self.down)
        return h if first else self.norm(h, self.norm2)

    def take(self, h, angles):
        """Puts the newest row into the rings; returns its slot, and its query"""
        slot = self.t % self.n
        self.t += 1
        q, k, v = self.projected(h, angles)
        self.k[:, :, slot:slot + 1], self.v[:, :, slot:slot + 1] = k, v
        return slot, q

    def row(self, h, angles):
        """A row to a row"""
        held = self.t % self.right if self.right else 0
        _, q = self.take(h, angles)
        if self.right:
            newest = q, h
            q, h = self.held_q[held].clone(), self.held_h[held].clone()
            self.held_q[held], self.held_h[held] = newest
        return self.after_attention(h, self.attended(q, self.k, self.v))

    def window(self, h, last):
        """A row to the rows of the window, in the order of the ring; or to the newest alone"""
        slot, q = self.take(h, None)
        if last:
            return self.after_attention(h, self.attended(q, self.k, self.v))
        self.q[:, :, slot:slot + 1], self.h[slot] = q, h[0]
        return self.after_attention(self.h, self.attended(self.q, self.k, self.v))

    def recomputed(self, h, last):
        """Rows to rows, or to the one at @last"""
        q, k, v = self.projected(h, None)
        if last is not None:
            q, h = q[:, :, last:last + 1], h[last:last + 1]
        return self.after_attention(h, self.attended(q, k, v))


class Step:
    """The step with keys and values in preallocated rings"""

    def __init__(self, net):
        self.net, self.t = net, 0
        self.layers = [Layer(net, layer, net.rows or i > 0) for i, layer in enumerate(net.layers)]
        self.embed, self.norm, self.head = map(tensors, (net.embed, net.norm, net.head))
        if net.theta:
            self.table = torch.stack([torch.from_numpy(a) for a in net.angles(range(POSITIONS))])

    def __call__(self, x):
        h = torch.from_numpy(x)
        if self.embed:
            h = F.linear(h, *self.embed)
        angles = self.table[:, self.t % POSITIONS, None] if self.net.theta else None
        if self.net.rows:
            for layer in self.layers:
                h = layer.row(h, angles)
        else:
            slot = self.t % self.layers[0].n
            h = self.layers[0].window(h, len(self.layers) == 1)
            for layer in self.layers[1:]:
                h = layer.recomputed(h, slot if layer is self.layers[-1] else None)
        self.t += 1
        if self.norm:
            h = F.layer_norm(h, (self.net.d_model,), *self.norm, self.net.eps)
        return F.linear(h, *self.head) if self.head else h
