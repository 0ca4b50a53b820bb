# Clips of things that move, or don't.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A clip is rendered in two steps: what moves how, once (`Studio`), and how a camera shows it, anew at every use
(`develop`)."""
import numpy as np
import torch
from torch.nn import functional as F

from labels import MIRRORED, STILL, TRANSPOSED, UNKNOWN, UPSIDE_DOWN
from scripts import FRAMES, SIZE, Script
from textures import SIDE, Bank

FINE = 2 * SIZE  # rendered with four samples a pixel
STEADY = np.ones(1), np.zeros((1, 2))


_AT = (torch.arange(FINE) + 0.5) / 2 - SIZE / 2  # in pixels from the centre
_SCREEN = torch.stack(torch.meshgrid(_AT, _AT, indexing="ij"), -1).reshape(-1, 2)  # y, x


class Studio:
    """A view is what part of a plane is seen in each of T frames: (scale (T,), offset (T, 2)), which takes a point of
    the screen to point * scale + offset."""

    def __init__(self, seed, **bank):
        self.rng = np.random.default_rng(seed)
        self.bank = Bank(self.rng, **bank)

    def _look(self, view, striped=False):
        """(T, FINE, FINE): a texture of the bank, turned and scaled at random, as seen in this view."""
        rng = self.rng
        scale, offset = view
        texture = torch.from_numpy(self.bank.draw(rng, striped))
        turn = rng.uniform(0, 2 * np.pi) * (not striped)
        turn = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        turn *= np.exp(rng.uniform(np.log(1.2), np.log(3.5)))  # samples of the texture for a pixel
        by = torch.from_numpy((scale[:, None, None] * turn).transpose(1, 0, 2).reshape(2, -1)).float()
        to = torch.from_numpy((offset @ turn + rng.uniform(0, SIDE, 2)).reshape(-1)).float()
        at = torch.addmm(to, _SCREEN, by).remainder_(SIDE).mul_(2 / SIDE).sub_(1).view(1, FINE * FINE, -1, 2)
        joined = F.pad(texture[None, None], (0, 1, 0, 1), "circular")
        seen = F.grid_sample(joined.transpose(2, 3), at, align_corners=True)
        return seen[0, 0].t().reshape(-1, FINE, FINE)

    def _mask(self, centre, radius):
        """(T, FINE, FINE): 1 where a random shape lies, 0 elsewhere, between at its edge."""
        rng = self.rng
        power = rng.choice([1, 2, 2, 8])
        away = (_AT.numpy() - centre[..., None]) / (radius[:, None, None] * np.exp(rng.normal(0, 0.25, 2))[:, None])
        y, x = torch.from_numpy(abs(away) ** power).float().transpose(0, 1)
        far = (y[:, :, None] + x[:, None]) ** (1 / power)
        return torch.sigmoid((1 - far) * 6)

    def _whole(self, script, striped):
        """Everything moves, as when the camera does; perhaps not some spot on the lens."""
        rng = self.rng
        scale = np.exp(-script.zoom)
        steps = np.diff(script.shift, axis=0, prepend=0) * scale[:, None]
        centre = np.clip(rng.normal(0, 0 if striped else 1.5, 2), -3, 3)
        picture = self._look((scale, -centre * scale[:, None] - steps.cumsum(0)), striped)
        if rng.random() < 0.15:
            spot = self._mask(rng.uniform(-8, 8, (1, 2)), rng.uniform(1, 4, 1))
            picture = picture * (1 - spot) + spot * (rng.normal() + 0.3 * self._look(STEADY))
        return picture, np.ones(FRAMES, bool)

    def _thing(self, script):
        """A thing moves over a ground that doesn't. When it leaves the picture it comes in again at the other side."""
        rng = self.rng
        radius = np.exp(rng.uniform(np.log(1.2), np.log(5.5)) + script.zoom)
        reach = SIZE / 2 + radius.max() * 1.3
        centre = (rng.uniform(-SIZE / 2.5, SIZE / 2.5, 2) + script.shift + reach) % (2 * reach) - reach
        seen = (abs(centre) < SIZE / 2 - 0.5).all(1)
        mask = self._mask(centre, radius)
        thing, ground = rng.normal(), _AT[:, None] * rng.normal(0, 0.03) + _AT * rng.normal(0, 0.03)
        if rng.random() < 0.5:
            scale = np.exp(-script.zoom)
            thing = thing + rng.uniform(0.3, 1) * self._look((scale, -centre * scale[:, None]))
        if rng.random() < 0.7:
            ground = ground + rng.uniform(0.05, 0.8) * self._look(STEADY)
        ground = ground - ground.mean() + np.mean(thing if isinstance(thing, float) else thing.numpy())
        return (ground + rng.choice([-1, 1]) * rng.uniform(0.7, 2.5)) * (1 - mask) + thing * mask, seen

    def clip(self):
        """x (FRAMES, SIZE, SIZE) of mean 0 and deviation 1, labels (FRAMES,)."""
        rng = self.rng
        if rng.random() < 0.03:  # the lens is covered
            return np.zeros((FRAMES, SIZE, SIZE), np.float32), np.full(FRAMES, STILL)
        kind = rng.random()
        striped = kind > 0.92
        script = Script(rng, striped)
        picture, seen = self._thing(script) if kind < 0.35 else self._whole(script, striped)
        if len(picture) == 1:
            picture = picture.expand(FRAMES, -1, -1)
        sampling = rng.random()
        if sampling < 0.15:
            x = picture[:, ::2, ::2]
        else:
            x = F.avg_pool2d(picture[:, None], 2)
            if sampling > 0.75:
                x = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), "replicate"), 3, 1) * 0.6 + 0.4 * x
            x = x[:, 0]
        x = x.numpy()
        x = (x - x.mean()) / max(x.std(), 0.02)
        before = x[np.maximum(np.arange(FRAMES) - 8, 0)]
        changed = np.sqrt(((x - before) ** 2).mean((1, 2)))
        labels = script.labels.copy()
        labels[(labels != STILL) & ((changed < 0.15) | ~seen)] = UNKNOWN
        labels[(labels == STILL) & ~seen & (changed > 0.02)] = UNKNOWN
        return x, labels


def turned(rng, x, labels):
    """The clip mirrored, upside down, transposed, or as it is."""
    for turn, becomes in ((lambda x: x[:, :, ::-1], MIRRORED), (lambda x: x[:, ::-1], UPSIDE_DOWN),
                          (lambda x: x.transpose(0, 2, 1), TRANSPOSED)):
        if rng.random() < 0.5:
            x, labels = turn(x), np.where(labels == UNKNOWN, UNKNOWN, np.array(becomes)[np.maximum(labels, 0)])
    return x, labels


def _lighting(rng):
    """Gain (FRAMES,): steady, flickering, fading or switched."""
    t = np.arange(FRAMES)
    kind = rng.random()
    gain = np.ones(FRAMES)
    if kind < 0.12:
        gain += rng.normal(0, rng.uniform(0, 0.1), FRAMES)
    elif kind < 0.24:
        gain += rng.uniform(0, 0.2) * np.sin(t * rng.uniform(0.05, 3) + rng.uniform(0, 7))
    elif kind < 0.36:
        gain = np.exp(np.linspace(0, rng.uniform(-1, 1), FRAMES))
    elif kind < 0.44:
        gain[rng.integers(FRAMES) :] *= np.exp(rng.uniform(-0.7, 0.7))
    return np.maximum(gain, 0.05)


def develop(rng, x):
    """uint8 frames of a clip, as some camera in some light would show it."""
    contrast = np.exp(rng.uniform(np.log(0.03), np.log(0.35)))
    light = _lighting(rng)[:, None, None]
    y = light * (rng.uniform(0.15, 0.85) + contrast * x)
    if rng.random() < 0.2:
        y = y + 0.3 * (_lighting(rng)[:, None, None] - 1)
    if rng.random() < 0.15:
        across = np.linspace(-1, 1, SIZE)
        y = y * (1 - rng.uniform(0, 0.5) * (across[:, None] ** 2 + across[None] ** 2) / 2)
    if rng.random() < 0.08:
        edge = rng.integers(1, 4)
        y[:, :edge] = y[:, -edge:] = rng.choice([0, 0, 1])
    noise = rng.choice([0, 0.003, 0.01, 0.02]) + (rng.random() < 0.3) * rng.uniform(0, 0.3) * contrast
    y = y + noise * rng.standard_normal(y.shape, np.float32)
    return np.clip(np.rint(y * 255), 0, 255).astype(np.uint8)
