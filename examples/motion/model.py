# The network that sees motion.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where something moves is not in any one frame. The network starts as what is known to see motion in eyes and
machines, a motion energy model, and learns from there:

- the embedding holds small waves, each in two phases, some upright, some lying, in several places and of several lengths;
- half of the first layer's heads look at the newest frame, half at one some frames before it;
- its feed-forward adds a wave now and the same wave then, shifted a quarter: large if the picture moved one way, small
  if it moved the other way;
- the second layer makes up its mind over some more frames."""
import os
import sys

import numpy as np
import torch
from torch import nn

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "training"))
import deep

from scripts import SIZE

# Of each group of waves: how long they are, in pixels, and how many frames it looks back.
GROUPS = [(8, 1), (4.5, 1), (4.5, 3), (6.5, 6)]
# Of each wave of a group: where it is, in pixels from the centre, and whether it lies.
PLACES = [((0, -4), 0), ((0, 0), 0), ((0, 4), 0), ((-4, 0), 1), ((0, 0), 1), ((4, 0), 1), ((0, 0), 0.5)]
PHASES = 3


class Watcher(deep.Deep):
    waves = [1, 2, 3, 4, 5, 6, 7]

    def __init__(self, inputs, labels, features=128, heads=8, hidden=168, layers=2, window=8, dropout=0.0):
        super().__init__(inputs, labels, features, heads, hidden, layers, window, dropout)
        with torch.no_grad():
            self._small_waves()
            self._compare()
        self.forget_brightness()

    def back(self, layer, head):
        return head if layer else [0, GROUPS[head % len(GROUPS)][1]][head // len(GROUPS)]

    @property
    def _now(self):
        return 2 * len(self.waves)  # the first feature of the waves in the newest frame

    @property
    def _then(self):
        return self._now + 2 * len(GROUPS) * len(PLACES)

    def _small_waves(self):
        y, x = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
        weight = self[0].weight
        weight[self._now :] = 0
        for group, (length, _) in enumerate(GROUPS):
            for place, (middle, lies) in enumerate(PLACES):
                along, across = x - middle[1], y - middle[0]
                if lies:
                    along, across = across * lies + along * (1 - lies), along * lies - across * (1 - lies)
                bell = np.exp(-0.5 * ((along / (0.45 * length)) ** 2 + (across / (0.6 * length)) ** 2))
                wave = bell * np.exp(2j * np.pi * along / length)
                row = self._now + 2 * (group * len(PLACES) + place)
                for part in (wave.real, wave.imag):
                    weight[row] = torch.from_numpy((part - part.mean()) / np.linalg.norm(part)).flatten()
                    row += 1

    def _look_back(self, attention, layer):
        super()._look_back(attention, layer)
        if layer:
            return
        features, size, period = attention.embed_dim, attention.head_dim, 2 * self.window - 1
        nn.init.normal_(attention.in_proj_weight, 0, 0.02)
        nn.init.normal_(attention.out_proj.weight, 0, 0.02)
        query, key, value = attention.in_proj_weight.view(3, features, features)
        for head in range(attention.num_heads):
            for slot, wave in enumerate(self.waves):
                row, turn = head * size + 2 * slot, 2 * np.pi * wave * self.back(0, head) / period
                query[row : row + 2, 2 * slot : 2 * slot + 2] += 3 * torch.tensor(
                    [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
                key[row : row + 2, 2 * slot : 2 * slot + 2] += 3 * torch.eye(2)
            of = 2 * (head % len(GROUPS)) * len(PLACES)
            to = (self._then if head // len(GROUPS) else self._now) + of
            for each in range(2 * len(PLACES)):
                value[head * size + each, self._now + of + each] += 1
                attention.out_proj.weight[to + each, head * size + each] += 2

    def _compare(self):
        weight = self[2].layers[0].linear1.weight
        nn.init.normal_(weight, 0, 0.02)
        unit = 0
        for pair in range(len(GROUPS) * len(PLACES)):
            for way in (1, -1):
                for phase in 2 * np.pi * np.arange(PHASES) / PHASES:
                    for first, turn in ((self._now, phase), (self._then, phase - way * np.pi / 2)):
                        at = first + 2 * pair
                        weight[unit, at : at + 2] += 0.8 * torch.tensor([np.cos(turn), np.sin(turn)])
                    unit += 1

    def forget_brightness(self):
        """Takes the mean out of the first layer's weights: light that changes everywhere then changes nothing."""
        with torch.no_grad():
            self[0].weight -= self[0].weight.mean(1, keepdim=True)
