# Rotary positions, found in the numbers: which features are turned with which, and how fast
# SPDX-License-Identifier: LGPL-2.1-or-later
import math

import torch

from .flow import Unsayable

NOT_ROTARY = ("queries or keys are changed on the way to the attention, and not by a norm of each head, one factor or rotary "
              "positions: those turn pairs of features, neighbours or half a head apart, by the position times theta^(-2i/d)")


class Turn:
    """theta: None without rotary positions; part: how many features of a head are turned; factor: of all; start: angles of
    the first vector (part / 2)"""

    def __init__(self, factor=1.0, theta=None, interleaved=False, part=0, start=None):
        self.factor, self.theta, self.interleaved, self.part, self.start = factor, theta, interleaved, part, start

    def like(self, other):
        """Whether both turn alike, from whatever position on; two estimates of one theta differ in the last digits"""
        if self.theta is None or other.theta is None:
            return self.theta is other.theta
        return (self.interleaved, self.part) == (other.interleaved, other.part) and math.isclose(
            self.theta, other.theta, rel_tol=1e-3)

    def same(self, other):
        """Whether both turn alike from the same position on"""
        return self.like(other) and (self.theta is None or close((self.start - other.start).cos(),
                                                                 torch.ones_like(self.start)))


def close(a, b, tolerance=2e-5):
    return not a.numel() or bool((a - b).abs().max() <= tolerance * max(1.0, b.abs().max().item()))


def factor_of(before, after):
    """The one factor between both, None if it is no factor"""
    factor = ((before * after).sum() / (before * before).sum()).item()
    return factor if close(after, before * factor) and factor > 0 else None


def turn_of(before, after):
    """before, after: (B, T, H, D) in double precision"""
    factor = factor_of(before, after)
    if factor is not None:
        return Turn(1.0 if math.isclose(factor, 1, rel_tol=1e-6) else factor)
    factor = (after.norm() / before.norm()).item()
    factor = 1.0 if math.isclose(factor, 1, rel_tol=1e-5) else factor
    after = after / factor
    size = before.shape[-1]
    kept = [bool((before[..., i] - after[..., i]).abs().max() <= 2e-5 * before[..., i].abs().max()) for i in range(size)]
    part = size
    while part and kept[part - 1]:
        part -= 1
    # the slowest pairs may turn too little to be seen
    for part in [size] + [p for p in range(part, size) if p % 2 == 0]:
        for interleaved in (False, True):
            found = turned(before[..., :part], after[..., :part], interleaved)
            if found is not None and close(before[..., part:], after[..., part:]):
                theta, start = found
                return Turn(factor, theta, interleaved, part, start)
    raise Unsayable(NOT_ROTARY)


def pairs(x, interleaved):
    """(…, part) as complex numbers (…, part / 2)"""
    half = x.shape[-1] // 2
    one, other = (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    return torch.complex(one.contiguous(), other.contiguous())


def turned(before, after, interleaved):
    """theta and the angles of the first vector, or None"""
    if before.shape[-1] % 2 or before.shape[1] < 2:
        return None
    a, b = pairs(before, interleaved), pairs(after, interleaved)
    mean = (b * a.conj()).sum((0, 2)) / (a.abs() ** 2).sum((0, 2))  # (T, part / 2)
    if not close(mean.abs(), torch.ones_like(mean.abs()), 1e-4) or not close(b, a * mean[None, :, None]):
        return None
    speeds = refined(mean, ((mean[1:] * mean[:-1].conj()).mean(0)).angle())
    if not math.isclose(speeds[0].item(), 1, rel_tol=1e-4) or (speeds <= 0).any():
        return None
    n, half = mean.shape
    theta = base_of(speeds, n)
    exact = theta ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.arange(n, dtype=torch.float64)[:, None] * exact
    if not close(mean, mean[:1] * torch.complex(angles.cos(), angles.sin()), 1e-4):
        return None
    return theta, mean[0].angle()


def base_of(speeds, n):
    """theta of the speeds theta^(-i / half): the mean of what each says, weighted by how exactly it does"""
    half = len(speeds)
    if half == 1:
        return 10000.0  # one speed is 1 for any base
    i = torch.arange(1, half, dtype=torch.float64) / half
    says, sure = -speeds[1:].log() / i, (i * speeds[1:] * n) ** 2
    theta = math.exp(((says * sure).sum() / sure.sum()).item())
    short = float(f"{theta:.3g}")
    return short if math.isclose(short, theta, rel_tol=1e-4) else float(f"{theta:.7g}")


def refined(mean, speeds):
    """Speeds (part / 2) by the angle over 2, 4, 8, … steps, for that of one step has few digits"""
    stride = 1
    while 2 * stride < len(mean):
        stride *= 2
        angle = (mean[stride] * mean[0].conj()).angle()
        turns = ((speeds * stride - angle) / (2 * math.pi)).round()
        speeds = (angle + 2 * math.pi * turns) / stride
    return speeds
