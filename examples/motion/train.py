#!/usr/bin/python3
# Trains the network that sees motion, on clips that are made meanwhile.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Needs Debian's python3-torch and python3-numpy. One core is enough; OPENBLAS_NUM_THREADS=1 keeps it to one."""
import argparse
import os
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

import clips
import model
from features import normalize
from labels import LABELS, UNKNOWN
from learning import Learner
from model import deep

HERE = os.path.dirname(os.path.abspath(__file__))
POOL, BATCH, NEW = 2400, 16, 5  # clips kept, clips of a step, clips made for each step


class Clips:
    """Rendered clips, some of them replaced at every step: each is seen a few times, in another light each time."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.studio = clips.Studio(seed)
        self.kept = [self._render() for _ in range(10 * BATCH)]

    def _render(self):
        x, labels = self.studio.clip()
        return x.astype(np.float16), labels

    def batch(self):
        """x (BATCH, FRAMES, SIZE * SIZE), labels (BATCH, FRAMES), phase (BATCH,)."""
        rng = self.rng
        for index in rng.integers(0, POOL, NEW):
            self.kept[index:index + 1] = [self._render()]  # at the end, until there are so many
        some = [clips.turned(rng, *self.kept[i]) for i in rng.integers(0, len(self.kept), BATCH)]
        frames = np.stack([clips.develop(rng, x.astype(np.float32)) for x, _ in some])
        labels = np.stack([labels for _, labels in some])
        return (torch.from_numpy(normalize(frames)), torch.from_numpy(labels),
                torch.from_numpy(rng.integers(0, 10**6, BATCH)))


def train(out, minutes, within, start=None, seed=1, peak=2e-3, **shape):
    """Trains for some minutes of this process on a core, or what it gets of a core within a time, whatever number of
    steps that makes."""
    torch.manual_seed(seed)
    source = Clips(seed)
    print("made the first clips, %.0f s" % time.process_time(), file=sys.stderr, flush=True)
    watcher = model.Watcher(clips.SIZE**2, LABELS, **shape)
    if start:
        watcher.load_state_dict(deep.load(start)[0])
    learner = Learner(watcher, (), peak, 0.02, 0.997)
    shown, right, began = [], [], time.time()
    while (done := max(time.process_time() / minutes, (time.time() - began) / within) / 60) < 1:
        x, labels, phase = source.batch()
        scores = watcher(x, phase).reshape(-1, len(LABELS))
        labels = labels.reshape(-1)
        loss = F.cross_entropy(scores, labels, ignore_index=UNKNOWN, label_smoothing=0.03)
        learner.step(loss, done)
        watcher.forget_brightness()
        learner.remember()
        shown.append(loss.item())
        right.append((scores.argmax(-1) == labels)[labels >= 0].float().mean().item())
        if learner.steps % 100 == 0:
            print("step %d: loss %.3f, right %.3f, %.0f s" % (learner.steps, np.mean(shown), np.mean(right),
                                                              time.process_time()), file=sys.stderr, flush=True)
            shown, right = [], []
            deep.save(out, learner.average, watcher.metadata())
    deep.save(out, learner.average, watcher.metadata())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=os.path.join(HERE, "motion.safetensors"))
    parser.add_argument("--minutes", type=float, default=20, help="of a core")
    parser.add_argument("--within", type=float, default=600, help="minutes by the clock, on a machine that is shared")
    parser.add_argument("--start", help="a model to go on with")
    parser.add_argument("--peak", type=float, default=2e-3, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=1, help="another one gives other clips")
    options = parser.parse_args()
    torch.set_num_threads(1)
    train(options.out, options.minutes, options.within, options.start, options.seed, options.peak)


if __name__ == "__main__":
    main()
