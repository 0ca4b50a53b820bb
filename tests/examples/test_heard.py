#!/usr/bin/python3
# examples/keyword-spotting: how recordings are read, split and counted
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import tempfile
import unittest

import sounds
from interpreter import keyword_spotting

keyword_spotting("import numpy")

import numpy as np  # noqa: E402

import heard  # noqa: E402
import recordings  # noqa: E402

RATE = sounds.RATE
NOTHING, SEVERAL = heard.HEARD.index("nothing"), heard.HEARD.index("several")


class Answers(unittest.TestCase):
    def test_a_recording_stands_between_silences(self):
        audio, spans = heard.played([np.full(RATE, 0.5), np.full(RATE // 2, 0.25)])
        self.assertEqual(spans, [(1, 2), (3.75, 4.25)])
        self.assertEqual(len(audio), 5 * RATE)
        self.assertFalse(audio[:RATE].any() or audio[2 * RATE : 3 * RATE + 12000].any() or audio[-12000:].any())
        self.assertTrue(audio[RATE : 2 * RATE].all())

    def test_exactly_its_word_from_its_begin_to_a_while_after_its_end(self):
        spans = [(1, 2), (3.75, 4.75)]
        answer = lambda *named: heard.answers(named, spans)
        self.assertEqual(answer((0.9, "yes"), (2.7, "yes"), (3.7, "yes")), [NOTHING, NOTHING])
        self.assertEqual(answer((1.0, "yes"), (5.35, "go")), [0, 9])
        self.assertEqual(answer((1.5, "yes"), (2.6, "yes")), [SEVERAL, NOTHING])
        self.assertEqual(answer((1.5, "yes"), (1.6, "no")), [SEVERAL, NOTHING])

    def test_a_table_counts_keywords_others_and_silence(self):
        audios = {"yes": [np.zeros(RATE)] * 2, "cat": [np.zeros(RATE)], "_silence_": [np.zeros(RATE)]}
        table = heard.count(audios, lambda audio: [(1.5, "yes")])
        self.assertEqual(table.sum(), 4)
        self.assertEqual(heard.summary(table), "keywords 1 of 2 (50.0 %), other words 0 of 1 (0.0 %), silence 0 of 1 "
                         "(0.0 %); mean of 3 classes 16.7 %")


class Recordings(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name

    def write(self, name, audio):
        path = os.path.join(self.dir, name)
        sounds.write(path, np.round(audio * 32767).astype("<i2").tobytes())
        return path

    def test_the_name_tells_the_speaker_and_the_speaker_the_fifth(self):
        self.assertEqual(recordings.speaker("/a/yes/03401e93_nohash_0.flac"), "03401e93")
        fifth = [n for n in range(5000) if recordings.choosing("%08x" % n)]
        self.assertEqual(fifth, [n for n in range(5000) if recordings.choosing("%08x" % n)])
        self.assertTrue(900 < len(fifth) < 1150, len(fifth))

    def test_flac_files_are_read_as_what_they_were_made_from(self):
        rng, paths, waves = np.random.default_rng(1), [], []
        for number, size in enumerate((RATE, RATE // 2, 12345)):
            waves.append(self.write("yes/%d.wav" % number, rng.normal(0, 0.1, size)))
            paths.append(sounds.flac(waves[-1]))
        for one, other in zip(recordings.decode(paths), recordings.decode(waves)):
            np.testing.assert_array_equal(one, other)

    def test_the_word_is_found_in_its_noise(self):
        rng = np.random.default_rng(2)
        for noise in (0.0001, 0.003, 0.02):
            audio = rng.normal(0, noise, RATE)
            audio[5000:8000] += rng.normal(0, 0.2, 3000)
            audio[9500:10000] += rng.normal(0, 0.1, 500)  # a burst after a closure
            first, last = recordings.spoken(audio)
            self.assertAlmostEqual(first, 5000, delta=500)
            self.assertAlmostEqual(last, 10000, delta=500)


if __name__ == "__main__":
    unittest.main()
