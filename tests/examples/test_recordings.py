#!/usr/bin/python3
# examples/keyword-spotting/evaluate.py --recordings: a folder of words, counted
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import re
import subprocess
import sys
import tempfile
import unittest

import sounds
from interpreter import python_with

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SPOTTER = os.path.join(ROOT, "examples", "keyword-spotting")
PYTHON = python_with("import numpy, torch")  # evaluate.py needs them


def evaluate(folder):
    return subprocess.run([PYTHON, "-B", os.path.join(SPOTTER, "evaluate.py"), "--recordings", folder,
                           "--threads", "1"], capture_output=True, text=True, timeout=120)


class Recordings(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        raw = subprocess.run(["gst-launch-1.0", "-q", "filesrc", "location=" + os.path.join(SPOTTER, "recording.flac"),
                              "!", "flacparse", "!", "flacdec", "!", "audioconvert", "!",
                              "audio/x-raw,format=S16LE,channels=1", "!", "fdsink"], check=True, capture_output=True)
        self.samples = raw.stdout
        with open(os.path.join(SPOTTER, "recording.tsv")) as lines:
            self.words = [line.split() for line in lines]

    def cut(self, folder, name, end):
        """What the recording holds around a word that is over at `end`."""
        sounds.write(os.path.join(self.dir.name, folder, name),
                     self.samples[max(0, 2 * int((end - 0.55) * sounds.RATE)) : 2 * int((end + 0.1) * sounds.RATE)])

    def count(self):
        """{kind: (right, of)} and what was printed."""
        run = evaluate(self.dir.name)
        self.assertEqual(run.returncode, 0, run.stderr)
        line = re.search(r"^recordings: (.*); mean of \d+ classes [\d.]+ %$", run.stdout, re.M)
        self.assertTrue(line, run.stdout)
        return {kind: (int(right), int(of)) for kind, right, of in re.findall(
            r"([a-z ]+?) (\d+) of (\d+) \([\d.]+ %\)(?:, )?", line[1])}, run.stdout

    def test_words_are_heard_in_their_folders(self):
        for end, word in self.words:
            self.cut(word, "1.wav", float(end))
        counts, text = self.count()
        right, of = counts["keywords"]
        self.assertEqual((of, counts["other words"], counts["silence"]), (len(self.words), (0, 0), (0, 0)))
        self.assertGreaterEqual(right, of / 2, text)

    def test_flac_counts_as_wav(self):
        for end, word in self.words:
            self.cut(word, "1.wav", float(end))
        before = self.count()
        for _, word in self.words:
            path = os.path.join(self.dir.name, word, "1.wav")
            sounds.flac(path)
            os.unlink(path)
        self.assertEqual(self.count(), before)

    def test_a_keyword_in_the_folder_of_another_word_is_wrong(self):
        for end, word in self.words:
            if word in ("yes", "stop", "left"):
                self.cut("nothing", word + ".wav", float(end))
        counts, text = self.count()
        right, of = counts["other words"]
        self.assertEqual((of, counts["keywords"]), (3, (0, 0)))
        self.assertLess(right, 2, text)

    def test_background_is_silence(self):
        self.cut("yes", "1.wav", float(self.words[0][0]))
        self.cut("_background_noise_", "1.wav", float(self.words[1][0]))
        counts, _ = self.count()
        self.assertEqual((counts["keywords"][1], counts["other words"][1], counts["silence"][1]), (1, 0, 1))

    def test_a_file_without_audio_is_named(self):
        os.makedirs(os.path.join(self.dir.name, "yes"))
        path = os.path.join(self.dir.name, "yes", "1.wav")
        with open(path, "w") as file:
            file.write("no audio")
        run = evaluate(self.dir.name)
        self.assertEqual(run.returncode, 1)
        self.assertIn(path + ": expected audio", run.stderr)

    def test_a_folder_without_words_is_told(self):
        run = evaluate(self.dir.name)
        self.assertEqual(run.returncode, 1)
        self.assertIn("expected folders named after words", run.stderr)


if __name__ == "__main__":
    if not PYTHON:
        sys.exit(77)
    unittest.main()
