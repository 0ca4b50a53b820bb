#!/usr/bin/python3
# examples/keyword-spotting: what training is told of the words beside their labels
# SPDX-License-Identifier: LGPL-2.1-or-later
import unittest

from interpreter import keyword_spotting

keyword_spotting("import numpy, torch")

import numpy as np  # noqa: E402
import torch  # noqa: E402

import mixtures  # noqa: E402
import takes  # noqa: E402
import train  # noqa: E402
from vocabulary import NEITHER, PHONES  # noqa: E402

WORDS = {"goat": ["g", "ow", "t"], "go": ["g", "ow"]}


def numbers(phones):
    return [1 + PHONES.index(p) for p in phones.split()]


def clip(label, text):
    return [0, 8000, [(0, 8000, label)], "voice", text]


class Spelling(unittest.TestCase):
    def test_readers_of_english_spell_what_the_dictionary_has(self):
        self.assertEqual(takes.spelling("espeak", clip(NEITHER, "goat go"), WORDS), numbers("g ow t g ow"))
        self.assertEqual(takes.spelling("espeak", clip(NEITHER, "goat xyzzy"), WORDS), [])

    def test_others_spell_keywords_only(self):
        self.assertEqual(takes.spelling("accents", clip(9, "gou"), WORDS), numbers("g ow"))
        self.assertEqual(takes.spelling("accents", clip(NEITHER, "goat"), WORDS), [])

    def test_real_people_spell_what_the_dictionary_has(self):
        self.assertEqual(takes.spelling("real", clip(NEITHER, "goat"), WORDS), numbers("g ow t"))
        self.assertEqual(takes.spelling("real", clip(NEITHER, ""), WORDS), [])

    def test_what_follows_at_once_ends_a_span(self):
        phones = numbers("g ow")
        alone, = mixtures.spelled_spans([(16000, 24000, phones)])
        early, _ = mixtures.spelled_spans([(16000, 24000, phones), (24500, 30000, phones)])
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


if __name__ == "__main__":
    unittest.main()
