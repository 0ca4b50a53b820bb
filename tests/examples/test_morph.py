#!/usr/bin/python3
# examples/keyword-spotting: voices between two speakers of the same word
# SPDX-License-Identifier: LGPL-2.1-or-later
import unittest

from interpreter import keyword_spotting

keyword_spotting("import numpy")

import numpy as np  # noqa: E402

from clips import single  # noqa: E402
from morph import align, morph  # noqa: E402
from recordings import choosing  # noqa: E402
from takes import Cast  # noqa: E402
from vocabulary import NEITHER  # noqa: E402
from voice_effects import envelopes, stft  # noqa: E402

RATE = 16000


def vowels(pitch, *spoken):
    """A voice of `pitch` Hz: spoken [(seconds, Hz of its one formant)]."""
    hertz = np.concatenate([np.full(int(s * RATE), f) for s, f in spoken])
    phase = 2 * np.pi * pitch * np.arange(len(hertz)) / RATE
    partials = np.arange(1, int(7000 / pitch))[:, None]
    return (np.sin(partials * phase) * (0.1 + np.exp(-((partials * pitch - hertz) / 350) ** 2))).sum(0) * 0.1


def formants(audio, seconds):
    """Logarithm of the envelope at a time, from 200 to 4000 Hz."""
    return envelopes(stft(audio))[int(seconds * RATE / 128) + 2, 6:128]


class Align(unittest.TestCase):
    def test_each_frame_finds_what_says_the_same(self):
        a = np.eye(4)[[0, 1, 1, 2, 3]]
        b = np.eye(4)[[0, 0, 0, 1, 2, 2, 3, 3]]
        first, last = align(a, b)
        self.assertEqual(first.tolist()[:2] + first.tolist()[3:], [0, 3, 4, 6])
        self.assertEqual(last.tolist()[0:1] + last.tolist()[2:], [2, 3, 5, 7])


class Morph(unittest.TestCase):
    mine = vowels(100, (0.3, 700), (0.3, 2200))
    theirs = vowels(170, (0.15, 1300), (0.5, 3200))

    def test_formants_go_towards_the_other_at_the_same_sound(self):
        for at, same in ((0.2, 0.1), (0.45, 0.4)):
            mine, way = formants(self.mine, at), formants(self.theirs, same) - formants(self.mine, at)
            shares = []
            for seed in range(40):
                out = formants(morph(np.random.default_rng(seed), self.mine, self.theirs), at) - mine
                shares.append(out @ way / (way @ way))
            self.assertLess(min(shares), 0.25, shares)
            self.assertGreater(max(shares), 0.75, shares)

    def test_length_and_pitch_stay(self):
        for seed in range(10):
            out = morph(np.random.default_rng(seed), self.mine, self.theirs)
            self.assertEqual(len(out), len(self.mine))
            piece = out[1000:4000]
            lags = np.correlate(piece, piece, "full")[len(piece):]
            self.assertAlmostEqual(np.argmax(lags[60:250]) + 61, 160, delta=1, msg="seed %d" % seed)

    def test_with_oneself_nothing_changes(self):
        out = morph(np.random.default_rng(1), self.mine, self.mine)
        self.assertLess(np.abs(out - self.mine)[600:-600].max(), 1e-6)

    def test_with_oneself_spoken_slowly_formants_stay(self):
        slowly = vowels(100, (0.6, 700), (0.75, 2200))
        moved = [np.abs(envelopes(stft(morph(np.random.default_rng(seed), self.mine, slowly)))
                        - envelopes(stft(self.mine)))[4:78, 6:128].mean() for seed in range(6)]
        self.assertLess(np.mean(moved), 0.03, moved)


class Clips:
    def __init__(self, *said):
        self.list = [[0, 4000, [[0, 4000, label]], "voice", text] for label, text in said]
        self.sounds = [vowels(120, (0.25, 500 + 400 * n)) for n in range(len(said))]

    def audio(self, index):
        return self.sounds[index]


class Mixed(unittest.TestCase):
    def test_one_word_is_what_one_clip_says(self):
        one, two = [0, 9, [[0, 9, 3]], "v", "down"], [0, 9, [[4, 9, 3]], "v", "go down"]
        self.assertEqual(single(one), 3)
        self.assertIsNone(single(two))
        self.assertIsNone(single([0, 9, [[4, 9, 3]], "v", "down"]))
        self.assertEqual(single([0, 9, [[0, 9, NEITHER]], "v", "town"]), "town")
        self.assertIsNone(single([0, 9, [[0, 9, NEITHER]], "v", "a town"]))

    def test_whoever_says_the_same_is_found(self):
        me = Clips((0, "yes"), (NEITHER, "table"), (NEITHER, "other"))
        you = Clips((NEITHER, "table"), (0, "yes"), (1, "no"))
        cast = Cast({"kal": me, "awb": you}, 1)
        self.assertIs(cast.other("kal", me.list[0]), you.sounds[1])
        self.assertIs(cast.other("kal", me.list[1]), you.sounds[0])
        self.assertIsNone(cast.other("kal", me.list[2]))

    def test_speakers_to_choose_by_are_mixed_among_themselves(self):
        names = ["%d" % n for n in range(60)]
        people = Clips(*[(0, "yes")] * len(names))
        people.sounds = [np.full(4000, n) for n in range(len(names))]
        for clip, name in zip(people.list, names):
            clip[3] = name
        cast = Cast({"real": people}, 1)
        for clip, name in zip(people.list, names):
            for _ in range(5):
                other = cast.other("real", clip)
                self.assertEqual(choosing(names[other[0]]), choosing(name))


if __name__ == "__main__":
    unittest.main()
