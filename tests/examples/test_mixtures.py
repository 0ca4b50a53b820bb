#!/usr/bin/python3
# examples/keyword-spotting: scenes that are put together while the model learns, and a training that is interrupted
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import tempfile
import unittest

from interpreter import keyword_spotting

keyword_spotting("import numpy, torch")

import numpy as np  # noqa: E402
import torch  # noqa: E402

import mixtures  # noqa: E402
import train  # noqa: E402
from deep import SteadyDropout  # noqa: E402
from vocabulary import KEYWORDS, NEITHER, UNKNOWN  # noqa: E402

HOP = 256


def write(path, voices, labels, level=0.0, seed=0):
    """Takes of 60 frames, each a word from frame 20 to 40; label None: no speech."""
    events = [(n, 20 * HOP, 40 * HOP, k) for n, k in enumerate(labels) if k is not None]
    x = np.random.default_rng(seed).normal(level, 1, (60 * len(voices), 40)).astype(np.float16)
    np.savez(path + ".npz", x=x, starts=np.arange(len(voices) + 1) * 60, events=np.array(events, np.int32).reshape(-1, 4),
             voices=np.array(voices), phones=np.ones((len(voices), 3), np.int8))


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = lambda name: os.path.join(folder.name, name)
        labels = [*range(NEITHER), NEITHER, None] * 2
        write(self.path("takes-plain-000"), ["ann "] * 12 + ["bob ?"] * 12, labels)
        write(self.path("takes-synth-000"), ["espeak"] * 11, [*range(NEITHER), NEITHER], seed=1)
        write(self.path("noises"), ["noise"] * 2, [None] * 2, seed=2)
        self.paths = [self.path("takes-plain-000"), self.path("takes-synth-000")]

    def mixer(self, hold_out=False):
        return mixtures.Mixer(mixtures.Takes(self.paths, hold_out), mixtures.Takes([self.path("noises")], False))


class Scenes(Folder):
    def test_speakers_to_choose_by_are_not_trained_on(self):
        self.assertEqual(len(mixtures.Takes(self.paths, False).takes), 35)
        held = mixtures.Takes(self.paths, True)
        self.assertEqual(len(held.takes), 23)
        self.assertEqual(list(held.plain), ["ann "])
        data = np.load(self.path("takes-plain-000.npz"))
        theirs = data["x"][12 * 60 :].reshape(12, -1)
        for x, _, _ in held.takes:
            self.assertFalse((x.reshape(-1) == theirs).all(1).any())

    def test_every_word_is_labelled_soon_after_its_end(self):
        labels = mixtures.frame_labels([(16000, 24000, 3), (40000, 48000, NEITHER)], 300)
        heard = np.flatnonzero(labels == 3) * HOP + 512
        self.assertGreaterEqual(heard[0], 24000 + 0.08 * 16000)
        self.assertLess(heard[-1], 24000 + 0.34 * 16000)
        self.assertEqual(set(labels), {3, NEITHER, UNKNOWN})
        self.assertTrue((labels[121:] == NEITHER).all())

    def test_what_is_cut_off_a_take_moves_its_events(self):
        x, events = np.arange(60)[:, None], np.array([[20 * HOP, 40 * HOP, 3]])
        for seed in range(30):
            rng = np.random.default_rng(seed)
            part, ((start, end, label),) = mixtures.closely(rng, x, events)
            self.assertEqual(part[start // HOP, 0], 20)
            self.assertEqual((end - start, label), (20 * HOP, 3))
            self.assertTrue(20 <= len(part) <= 28, len(part))
            part, ((start, end, _),) = mixtures.too_late(rng, x, events)
            self.assertTrue(0 <= start < end <= len(part) * HOP)
            if part[0, 0]:  # the begin is missing
                self.assertEqual((start, part[-1, 0]), (0, 59))
                self.assertEqual(part[end // HOP, 0], 40)
            else:
                self.assertEqual(end, len(part) * HOP)
                self.assertTrue(36 <= len(part) <= 40, len(part))

    def test_who_said_much_is_not_heard_as_much_more(self):
        voices = ["ann "] * 16 + ["bob "]
        write(self.path("takes-real-000"), voices, [2] * len(voices))
        takes = mixtures.Takes([self.path("takes-real-000")], False)
        share = np.diff(takes.chances[2], prepend=0) / takes.chances[2][-1]
        self.assertAlmostEqual(share[:16].sum() / share[16], 4)

    def test_scenes_hold_words_and_silence(self):
        mixer, rng, found = self.mixer(), np.random.default_rng(1), set()
        for _ in range(60):
            x, labels, said = mixer.scene(rng)
            self.assertEqual((x.shape, labels.shape), ((mixtures.FRAMES, 40), (mixtures.FRAMES,)))
            self.assertTrue(np.isfinite(x).all())
            self.assertTrue(all(0 <= first < last <= mixtures.FRAMES for first, last, _ in said))
            found |= set(labels)
        self.assertEqual(found, {*range(NEITHER + 1), UNKNOWN})

    def test_synthesizers_alone_will_do(self):
        self.paths = self.paths[1:]
        mixer, rng = self.mixer(), np.random.default_rng(3)
        found = set().union(*(set(mixer.scene(rng)[1]) for _ in range(60)))
        self.assertEqual(found, {*range(NEITHER + 1), UNKNOWN})

    def test_halves_of_two_keywords_make_none(self):
        say = lambda first, second: mixtures.no_word(KEYWORDS.index(first), KEYWORDS.index(second))
        for word in KEYWORDS:
            self.assertFalse(say(word, word), word)
        self.assertTrue(say("left", "stop") and say("right", "yes") and say("stop", "off"))
        self.assertFalse(say("on", "off") or say("off", "on") or say("up", "on"))
        takes, rng = mixtures.Takes(self.paths, False), np.random.default_rng(2)
        for _ in range(20):
            x, events, phones = takes.splice(rng)
            self.assertEqual([e[2] for e in events], [NEITHER])
            self.assertEqual(len(phones), 0)
            self.assertTrue(30 < len(x) < 90)


class Dropout(unittest.TestCase):
    def test_the_same_features_are_left_out_at_every_time(self):
        torch.manual_seed(1)
        dropout, x = SteadyDropout(0.25), torch.ones(40, 30, 50)
        y = dropout(x)
        self.assertTrue((y == y[:, :1]).all())
        self.assertEqual(y.unique().tolist(), [0, torch.tensor(1 / 0.75).item()])
        self.assertAlmostEqual((y == 0).float().mean().item(), 0.25, delta=0.04)
        self.assertTrue((y[0] != y[1]).any())
        self.assertTrue((dropout.eval()(x) == x).all())


class Interrupted(Folder):
    def test_a_training_that_goes_on_ends_with_the_same_weights(self):
        torch.set_num_threads(1)
        shape = {"features": 48, "heads": 2, "hidden": 16, "layers": 1}
        make = lambda: train.Training(self.mixer(), 1, 4, **shape)
        whole, first, second = make(), make(), make()
        whole.run(self.path("whole"), self.path("whole.checkpoint"))
        for _ in range(2):
            first.step()
        first.save(self.path("checkpoint"))
        second.run(self.path("resumed"), self.path("checkpoint"))
        with open(self.path("whole"), "rb") as one, open(self.path("resumed"), "rb") as other:
            self.assertEqual(one.read(), other.read())
        for step in (second.learner.steps, whole.learner.steps):
            self.assertEqual(step, 4)


if __name__ == "__main__":
    unittest.main()
