#!/usr/bin/python3
# examples/keyword-spotting: what training is told of the words beside their labels
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import tempfile
import unittest

from interpreter import keyword_spotting

keyword_spotting("import numpy, torch")

import numpy as np  # noqa: E402
import torch  # noqa: E402

import shards  # noqa: E402
import train  # noqa: E402
from vocabulary import NEITHER, PHONES  # noqa: E402

WORDS = {"goat": ["g", "ow", "t"], "go": ["g", "ow"]}


def numbers(phones):
    return [1 + PHONES.index(p) for p in phones.split()]


def clip(label, text):
    return [0, 8000, [(0, 8000, label)], "voice", text]


class Spelling(unittest.TestCase):
    def test_readers_of_english_spell_what_the_dictionary_has(self):
        self.assertEqual(shards.spelling("espeak", clip(NEITHER, "goat go"), WORDS), numbers("g ow t g ow"))
        self.assertEqual(shards.spelling("espeak", clip(NEITHER, "goat xyzzy"), WORDS), [])

    def test_others_spell_keywords_only(self):
        self.assertEqual(shards.spelling("accents", clip(9, "gou"), WORDS), numbers("g ow"))
        self.assertEqual(shards.spelling("accents", clip(NEITHER, "goat"), WORDS), [])

    def test_what_follows_at_once_ends_a_span(self):
        sources = {"espeak": type("Clips", (), {"list": [clip(9, "go")]})}
        alone, = shards.spelled_spans([(16000, 24000, "espeak", 0)], sources, WORDS)
        early, _ = shards.spelled_spans([(16000, 24000, "espeak", 0), (24500, 30000, "espeak", 0)], sources, WORDS)
        self.assertEqual(alone[:3], (62, 93, 112))
        self.assertEqual(early[:3], (62, 93, 100))

    def test_a_right_spelling_costs_least(self):
        scores = torch.zeros(1, 12, 1 + len(PHONES))
        for frame, phone in enumerate([0, 0, *numbers("g g ow ow ow t"), 0, 0, 0, 0]):
            scores[0, frame, phone] = 8
        cost = {p: float(train.misspelled(scores, [(0, 0, 12, np.array(numbers(p)))])) for p in
                ("g ow t", "g ow", "k ow t", "t ow g")}
        self.assertEqual(min(cost, key=cost.get), "g ow t", cost)
        self.assertLess(cost["g ow t"], 0.1)
        self.assertGreater(min(c for p, c in cost.items() if p != "g ow t"), 1, cost)


class HeldOut(unittest.TestCase):
    def test_neither_labels_nor_spellings_of_the_held_out_are_given(self):
        sources = np.full((shards.SCENES, shards.FRAMES), -1, np.int8)
        sources[0, 100:200], sources[0, 300:400] = 1, 2
        labels = np.full(sources.shape, NEITHER, np.int8)
        labels[0, 180:190], labels[0, 380:390] = 4, 5
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "clean-000")
            np.zeros((shards.SCENES * shards.FRAMES, 40), np.float32).tofile(path + ".f32")
            np.savez(path + ".npz", labels=labels, sources=sources, phones=np.array([[7, 8], [9, 0]], np.int8),
                     spans=np.array([[0, 100, 170, 190], [0, 300, 370, 390]]))
            shard = shards.Shard(path, [1])
        self.assertTrue((shard.labels[0, 100:200] == shards.UNKNOWN).all())
        self.assertEqual(list(shard.labels[0, 380:390]), [5] * 10)
        self.assertEqual(shard.spans.tolist(), [[0, 300, 370, 390]])
        _, _, said = shard.scene(np.random.default_rng(0), 0)
        self.assertEqual([list(phones) for *_, phones in said], [[9]])


if __name__ == "__main__":
    unittest.main()
