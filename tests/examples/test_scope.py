#!/usr/bin/python3
# examples/scope and the line in docs/tensorscope.md, run as their readers run them
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
RECORDING = "filesrc location=examples/keyword-spotting/recording.flac ! flacparse ! flacdec"


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def run(script, **variables):
    result = subprocess.run(["bash", "-euc", script], cwd=ROOT, capture_output=True, timeout=300, env={**os.environ, **variables})
    if result.returncode or result.stderr:
        raise AssertionError(result.stderr.decode())
    return result.stdout


def line():
    """The pipeline of docs/tensorscope.md, which is that of the film"""
    text = re.search(r"^    \. examples/keyword.*?autovideosink$", read("docs", "tensorscope.md"), re.M | re.S)[0]
    return re.sub("^    ", "", text, flags=re.M).replace("gst-launch-1.0", "gst-launch-1.0 -q")


class Line(unittest.TestCase):
    WIDTH, SIZE = 640, 640 * 528

    @classmethod
    def setUpClass(cls):
        script = line().replace("autoaudiosrc", RECORDING).replace("autovideosink", "video/x-raw,format=GRAY8 ! fdsink")
        cls.frames = run(script)
        cls.wordless = run(script.replace("$KWS_LABELER", "$KWS_LABELER threshold=1"))

    def test_every_frame(self):
        """25 in a second of the recording"""
        with open(os.path.join(ROOT, "examples", "keyword-spotting", "recording.flac"), "rb") as file:
            head = file.read(26)
        samples = int.from_bytes(head[18:26], "big") & 0xFFFFFFFFF
        self.assertEqual(len(self.frames) % self.SIZE, 0)
        self.assertAlmostEqual(len(self.frames) // self.SIZE, 25 * samples / 16000, delta=1)

    def test_every_part_is_drawn(self):
        last = self.frames[-self.SIZE:]
        for name, top, bottom in (("mel", 0, 200), ("attention", 220, 304), ("scores", 308, 528)):
            with self.subTest(part=name):
                self.assertGreater(len(set(last[self.WIDTH * top:self.WIDTH * bottom])), 8)

    def test_words_are_written(self):
        """The corner where they are differs from that without them, while they are heard."""
        corner = self.WIDTH * 120
        self.assertEqual(len(self.frames), len(self.wordless))
        written = [self.frames[at:at + corner] != self.wordless[at:at + corner] for at in range(0, len(self.frames), self.SIZE)]
        said = [float(row.split("\t")[0]) for row in read("examples", "keyword-spotting", "recording.tsv").splitlines()]
        heard = sum(any(written[int(25 * s):int(25 * (s + 0.6))]) for s in said)
        self.assertGreaterEqual(heard, 0.7 * len(said))
        self.assertFalse(any(written[:20]))


class Film(unittest.TestCase):
    def test_film(self):
        with tempfile.TemporaryDirectory() as folder:
            # Without what installs and builds
            script = read("examples", "scope", "film")
            script = re.sub(r'"\$top/scripts/setup".*?export GST_PLUGIN_PATH=[^\n]*\n', "", script, flags=re.S)
            script = re.sub(r"^top=.*$", f"top={ROOT}", script, flags=re.M)
            path, film, picture = (os.path.join(folder, name) for name in ("film", "a ! b.avi", "c.png"))
            with open(path, "w", encoding="utf-8") as file:
                file.write(script)
            run(f'bash {path} "{film}"; bash {path} --picture 6.1 {picture}')
            with open(film, "rb") as file:
                head = file.read(64)
            self.assertEqual(head[:4], b"RIFF")
            self.assertEqual(struct.unpack("<I", head[32:36])[0], 40000, "microseconds per frame")
            with open(picture, "rb") as file:
                made = file.read()
            self.assertEqual(struct.unpack(">2I", made[16:24]), (640, 528))


if __name__ == "__main__":
    unittest.main(verbosity=2)
