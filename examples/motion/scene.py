# Grey frames of a made-up picture that moves: for tests and for README.md's picture, in plain Python.
# SPDX-License-Identifier: LGPL-2.1-or-later
import math
import random

WIDTH, HEIGHT, RATE = 160, 120, 30
SIDE = 400
WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1), "still": (0, 0)}


def picture(seed):
    """SIDE rows of SIDE grey values: boxes on top of each other, without an end in any direction."""
    rng = random.Random(seed)
    rows = [bytearray([rng.randrange(60, 200)]) * SIDE for _ in range(SIDE)]
    for size in sorted((rng.uniform(4, 60) for _ in range(260)), reverse=True):
        wide, high, left, top = int(size * rng.uniform(0.5, 2)), int(size), rng.randrange(SIDE), rng.randrange(SIDE)
        shade = rng.randrange(20, 235)
        for y in range(top, top + high):
            for x in range(left, left + wide):
                rows[y % SIDE][x % SIDE] = shade
    return rows


class Scene:
    """A camera over a picture. `frames` goes on where the last call ended."""

    def __init__(self, seed=1):
        self.rows, self.x, self.y, self.scale = picture(seed), 0.0, 0.0, 1.0

    def frames(self, label, count=40, speed=0.03):
        """`count` frames in which everything moves this way. `speed`: the part of the width that passes in a frame; at
        the edges, for towards and away. Where that takes it too near or too far it is put back first."""
        grow = math.exp(2 * speed * {"towards": 1, "away": -1}.get(label, 0))
        if grow != 1:
            self.scale = 0.5 if grow > 1 else 2.0
        way = WAYS.get(label, (0, 0))
        out = []
        for _ in range(count):
            self.scale *= grow
            self.x -= way[0] * speed * WIDTH
            self.y -= way[1] * speed * WIDTH
            xs = [int(self.x + (i - WIDTH / 2) / self.scale) % SIDE for i in range(WIDTH)]
            ys = [int(self.y + (i - HEIGHT / 2) / self.scale) % SIDE for i in range(HEIGHT)]
            out.append(b"".join(bytes(map(self.rows[y].__getitem__, xs)) for y in ys))
        return out
