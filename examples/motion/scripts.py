# What happens in a clip, frame by frame, and what the right answers are.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy as np

from labels import AWAY, DOWN, LEFT, RIGHT, STILL, TOWARDS, UNKNOWN, UP

FRAMES, SIZE = 40, 16
NEAR = 1.1  # the logarithm of the largest scale, and of the smallest below 0
SLOWEST, FASTEST = 0.05, 2.5  # pixels of SIZE per frame
_FAIR = [LEFT, RIGHT, UP, DOWN, TOWARDS, TOWARDS, AWAY, AWAY, STILL, STILL]  # as zooming can't go on for long
_WAYS = {LEFT: (0, -1), RIGHT: (0, 1), UP: (-1, 0), DOWN: (1, 0)}  # y, x


class Script:
    """shift (FRAMES, 2): how far it has moved on the screen at each frame, y and x, in pixels; zoom (FRAMES,): the
    logarithm of its scale; labels (FRAMES,). `straight` allows no way but exactly left and right."""

    def __init__(self, rng, straight=False):
        velocity = np.zeros((FRAMES, 2))
        rate = np.zeros(FRAMES)
        self.labels = np.full(FRAMES, UNKNOWN)
        size = rng.uniform(-0.5, 0.5)
        start, at = size, 0
        while at < FRAMES:
            lasts = int(rng.integers(6, 45))
            label = int(rng.choice([LEFT, RIGHT, STILL] if straight else _FAIR))
            speed = np.exp(rng.uniform(np.log(SLOWEST), np.log(FASTEST))) if label != STILL else 0
            if label in (TOWARDS, AWAY):
                way = 1 if label == TOWARDS else -1
                speed = min(speed, 0.6)
                lasts = min(lasts, int((NEAR - way * size) / (speed / (SIZE / 2))))
                if lasts < 6:
                    continue
            end = min(FRAMES, at + lasts)
            pace = speed * self._unsteady(rng, end - at)
            if label in _WAYS:
                turn = 0 if straight else np.clip(rng.normal(0, 0.15), -0.4, 0.4)
                y, x = _WAYS[label]
                velocity[at:end] = pace[:, None] * [y * np.cos(turn) + x * np.sin(turn),
                                                    x * np.cos(turn) - y * np.sin(turn)]
                rate[at:end] = 0 if straight else pace * rng.normal(0, 0.1) / (SIZE / 2)
            elif label != STILL:
                rate[at:end] = way * pace / (SIZE / 2)
                velocity[at:end] = pace[:, None] * rng.normal(0, 0.1, 2)
            size += rate[at:end].sum()
            self._answer(label, speed, at, end)
            at = end
        if not straight and rng.random() < 0.15:  # an unsteady hand
            velocity += np.diff(rng.normal(0, rng.uniform(0, 0.08), (FRAMES + 1, 2)), axis=0)
        self.shift, self.zoom = velocity.cumsum(0), start + rate.cumsum()
        if rng.random() < 0.08:  # a camera with half the rate
            self._hold(2)

    @staticmethod
    def _unsteady(rng, frames):
        if rng.random() < 0.5:
            return np.ones(frames)
        wave = np.sin(np.arange(frames) * rng.uniform(0.1, 0.8) + rng.uniform(0, 7))
        return 1 + rng.uniform(0, 0.4) * wave

    def _answer(self, label, speed, at, end):
        """It takes some frames to see what happens now, and more if it is slow. In the meantime anything will do."""
        frames = np.arange(1, end - at + 1)
        plain = frames >= 5 if label == STILL else (frames >= 4) & ((frames * speed >= 0.6) | (frames >= 12))
        self.labels[at:end][plain] = label

    def _hold(self, times):
        kept = np.arange(FRAMES) // times * times
        self.shift, self.zoom = self.shift[kept], self.zoom[kept]
