# What a module is, found by trying it: norms, and the base of rotary positions
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Classes and their attributes have no names to go by: every library, and every user, has a norm of its own."""
import copy
import math

import torch
from torch import nn

from .model import Refused, class_name

# Inputs of which epsilon is nearly all, and some of other sizes
SMALL, SIZES = 1e-12, (1e-3, 1.0, 1e3)


class Norm:
    """kind: layer or rms; gain, bias: (C) in double, or None"""

    def __init__(self, kind, eps, gain, bias):
        self.kind, self.eps, self.gain, self.bias = kind, eps, gain, bias


def nice(value, digits=6):
    """The decimal number that float32 made `value` of, if there is a short one that near"""
    short = float(f"{value:.{digits}g}")
    return short if math.isclose(short, value, rel_tol=2e-6) else value


def centred(x, kind):
    return x - x.mean(-1, keepdim=True) if kind == "layer" else x


def normed(x, kind, eps):
    x = centred(x, kind)
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps)


def norm_of(module, width):
    """The Norm that a module of vectors of `width` features is; None if it is none. Its parameters are not changed."""
    try:
        module = copy.deepcopy(module).cpu().double().eval()
        with torch.no_grad():
            return tried(module, width)
    except Exception:  # whatever it is, it is none
        return None


def tried(module, width):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(8, width, generator=generator, dtype=torch.float64)
    x = x / x.abs().amax(-1, keepdim=True)
    bias = module(torch.zeros_like(x))[0]
    if not bool(bias.any()):
        bias = None

    def without_bias(given):
        y = module(given.clone())
        return (y if bias is None else y - bias).double()

    for kind in ("layer", "rms"):
        large = normed(1e6 * x, kind, 0)
        safe = torch.where(large.abs() > 1e-3, large, torch.ones_like(large))
        ratios = without_bias(1e6 * x) / safe
        gain = ratios.gather(0, large.abs().argmax(0, keepdim=True))[0]  # where the most digits are
        if not bool(gain.any()):
            continue
        eps = epsilon(without_bias, x, kind, gain)
        if eps is None:
            continue
        if all(same(without_bias(size * x), normed(size * x, kind, eps) * gain) for size in SIZES):
            return Norm(kind, eps, None if bool((gain == 1).all()) else gain, bias)
    return None


def epsilon(function, x, kind, gain):
    """From inputs that are small beside it, but not so small that a bias takes their digits"""
    eps, size = None, SMALL
    for _ in range(3):
        c = centred(size * x, kind)
        root = (c * gain) ** 2
        root = root.sum(-1) / (c * gain * function(size * x)).sum(-1)
        eps = (root * root - (c * c).mean(-1)).median().item()
        if not math.isfinite(eps) or not -1e-20 < eps < 1:
            return None
        size = max(SMALL, 0.3 * math.sqrt(max(eps, 0)))
    return nice(eps) if eps > 1e-20 else 0.0


def same(a, b, tolerance=3e-6):
    return a.shape == b.shape and bool((a - b).abs().max() <= tolerance * max(1e-30, b.abs().max().item()))


def theta_of(inv_freq, where):
    """The base whose frequencies base^(-2i/d) are `inv_freq` (d/2)"""
    inv_freq = inv_freq.detach().cpu()
    n = len(inv_freq)
    if n < 2:
        return 10000.0  # one frequency is 1 for any base
    steps = torch.arange(n, dtype=torch.float64) / n
    exact = inv_freq.double()
    theta = nice(math.exp(-(exact[1:].log() * steps[1:]).sum().item() / (steps ** 2).sum().item()), 9)
    theta = nice(theta)
    if not torch.allclose(exact, theta ** -steps, rtol=1e-5, atol=0):
        rounded = "module.half() or module.bfloat16() rounded them: load by from_pretrained(dtype=…), which does not"
        scaled = "scaled rotary positions (linear, dynamic, yarn, longrope, llama3) are not understood"
        raise Refused(f"the frequencies of {where} are not theta^(-2i/d) of any theta: "
                      + (scaled if inv_freq.dtype in (torch.float32, torch.float64) else rounded))
    return theta


def is_norm_class(module):
    named = class_name(module).endswith("Norm") or isinstance(module, nn.LayerNorm)
    return named and all(p.dim() == 1 for p in module.parameters())
