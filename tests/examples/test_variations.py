#!/usr/bin/python3
# examples/keyword-spotting: what is done to features in every pass
# SPDX-License-Identifier: LGPL-2.1-or-later
import unittest

from interpreter import keyword_spotting

keyword_spotting("import numpy")

import numpy as np  # noqa: E402

import variations  # noqa: E402
from vocabulary import NEITHER  # noqa: E402

FRAMES = 1000


class Variations(unittest.TestCase):
    def test_labels_and_spans_move_together(self):
        labels = np.full(FRAMES, NEITHER)
        labels[505:525] = 3
        moved = 0
        for seed in range(20):
            rng = np.random.default_rng(seed)
            x = rng.normal(-5, 1, (FRAMES, 40)).astype(np.float32)
            out, where, spans = variations.vary(rng, x, labels, np.array([[480, 505, 530]]), x)
            self.assertEqual(out.shape, x.shape)
            self.assertTrue(np.isfinite(out).all(), seed)
            first = np.flatnonzero(where == 3)[0]
            self.assertAlmostEqual(first, spans[0, 1], delta=1.5, msg="seed %d" % seed)
            moved += first != 505
        self.assertGreater(moved, 5)

    def test_what_is_mild_changes_less(self):
        x, labels, spans = np.full((FRAMES, 40), -5, np.float32), np.full(FRAMES, NEITHER), np.array([[480, 500, 530]])
        frames, moved = {}, {}
        for mild in (False, True):
            outs = [variations.vary(np.random.default_rng(seed), x, labels, spans, x, mild) for seed in range(60)]
            frames[mild] = max(len(np.unique(out.round(2), axis=0)) for out, *_ in outs)
            moved[mild] = max(abs(np.log(where[0, 1] / 500)) for *_, where in outs)
        self.assertLessEqual(frames[True], 4)  # one for each mouth: no noises, no holes
        self.assertGreater(frames[False], 4)
        self.assertLess(moved[True], 0.14)
        self.assertGreater(moved[False], 0.2)

    def test_microphones_differ_in_loudness_and_colour(self):
        bands = np.arange(40)
        gains = np.array([variations.microphone(np.random.default_rng(seed), bands) for seed in range(300)])
        self.assertTrue(gains.mean(1).min() < -3 and gains.mean(1).max() > 2)
        fall = gains[:, :8].mean(1) - gains[:, -8:].mean(1)
        self.assertGreater((fall > 3).mean(), 0.1)  # 13 dB dark
        self.assertLess((fall < -3).mean(), 0.1)

    def test_what_hums_on_comes_after_and_is_low(self):
        for seed in range(20):
            power = np.zeros((60, 40))
            power[20:23] = 1
            variations.hum_on(np.random.default_rng(seed), power)
            self.assertFalse(power[:20].any())
            tail = power[23:]
            self.assertTrue((tail[0] > 0).all() and (np.diff(tail, axis=0) < 0).all(), seed)
            self.assertLess(tail.max(), 3 / 0.3)
            self.assertGreater(tail[5, 0] / tail[0, 0], tail[5, -1] / tail[0, -1], seed)

    def test_small_noises_are_small(self):
        touched = 0
        for seed in range(50):
            power = np.full((FRAMES, 40), 1e-6)
            power[500] = 1
            before = power.copy()
            variations.small_noises(np.random.default_rng(seed), power)
            added = power - before
            self.assertTrue((added >= 0).all())
            touched += (added > 0).any()
            self.assertLess(added.max(), 0.3, seed)  # at least 11 dB below, most of them 30
        self.assertGreater(touched, 30)

    def test_only_ends_are_weakened(self):
        x = np.zeros((FRAMES, 40))
        spans = np.array([[100 * n, 100 * n + 60, 100 * n + 80] for n in range(10)])
        variations.weaken_ends(np.random.default_rng(3), x, spans)
        changed = np.flatnonzero(x.any(1)) % 100
        self.assertTrue(((changed >= 51) & (changed < 62)).all(), changed)
        self.assertTrue(0 < len(changed) < 90)
        self.assertLessEqual(x.max(), 0)


if __name__ == "__main__":
    unittest.main()
