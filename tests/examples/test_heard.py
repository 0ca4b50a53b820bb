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
from clips import Clips  # noqa: E402

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

    def test_speakers_are_listed_with_the_worst_first(self):
        audios = {"yes": [np.zeros(RATE)] * 3, "cat": [np.zeros(RATE)], "_silence_": [np.zeros(RATE)]}
        answers = heard.play(audios, lambda audio: [(1.5, "yes"), (4.25, "no")])
        speakers = heard.by_speaker(answers, {"yes": ["ann", "bob", "bob"], "cat": ["ann"]})
        self.assertEqual(list(speakers.items()), [("bob", (2, 2)), ("ann", (0, 1))])


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

    def test_the_tenth_to_test_with_is_that_of_the_published_lists(self):
        for name in ("022cd682", "03401e93", "0487ba9b", "0aad3227", "0acc1ac5"):  # in testing_list.txt of v0.02
            self.assertTrue(recordings.testing(name), name)
        for name in ("026290a7", "02e42bed", "060cd039", "067f61e2", "07de53d3"):  # in validation_list.txt
            self.assertFalse(recordings.testing(name), name)

    def test_speakers_to_test_with_can_be_left_out(self):
        names = ["%08x" % n for n in range(60)]
        for name in names:
            self.write("yes/%s_nohash_0.wav" % name, np.random.default_rng(0).normal(0, 0.1, RATE))
        found = []
        for without in (False, True):
            path = os.path.join(self.dir, "clips-%d" % without)
            recordings.collect(self.dir, path, without)
            found.append([clip[3] for clip in Clips(path).list])
        self.assertEqual(found[0], names)
        self.assertEqual(found[1], [n for n in names if not recordings.testing(n)])
        self.assertTrue(0 < len(names) - len(found[1]) < 15)

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
