#!/usr/bin/python3
# examples/motion: its model in its pipelines, run as its readers run them
# SPDX-License-Identifier: LGPL-2.1-or-later
import collections
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

from interpreter import python_with_gi

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
MOTION = os.path.join(ROOT, "examples", "motion")
sys.path.insert(0, MOTION)
import features
import scene

FIRST = 12  # frames in which nothing has to be known yet
FLIPS = {  # what turning the picture over makes of left, right, up and down
    "horiz": ("right", "left", "up", "down"),
    "vert": ("left", "right", "down", "up"),
    "90r": ("up", "down", "right", "left"),
    "90l": ("down", "up", "left", "right"),
    "180": ("right", "left", "down", "up"),
}
WATCH = (*features.setting("MOTION_FRAMES").split(), "!", *features.setting("MOTION_ENCODER").split(),
         "model-path=" + os.path.join(MOTION, "motion.safetensors"))
LABELER = features.setting("MOTION_LABELER").split()


def launch(*elements):
    run = subprocess.run(["gst-launch-1.0", "-q", *elements], capture_output=True, timeout=120)
    if run.returncode or run.stderr:
        raise AssertionError(run.stderr.decode())
    return run.stdout


def watch(*source):
    """The label of each frame."""
    lines = launch(*source, "!", *WATCH, "!", *LABELER, "!", "fdsink").decode().splitlines()
    return [line.split("\t")[1] for line in lines]


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def raw(self, frames, width=scene.WIDTH, height=scene.HEIGHT, format="gray8"):
        """Frames as the beginning of a pipeline."""
        path = os.path.join(self.dir.name, "frames")
        with open(path, "wb") as file:
            file.writelines(frames)
        return ("filesrc", "location=" + path, "!", "rawvideoparse", "format=" + format, f"width={width}", f"height={height}",
                f"framerate={scene.RATE}/1")

    def check(self, labels, expected, frames):
        self.assertEqual(len(labels), frames)
        counts = collections.Counter(labels[FIRST:])
        self.assertGreaterEqual(counts[expected], 0.75 * (frames - FIRST), f"expected {expected}, found {counts}")


class Labels(Case):
    def test_scene(self):
        for label in ("left", "right", "up", "down", "towards", "away", "still"):
            with self.subTest(label=label):
                frames = 22 if label in ("towards", "away") else 40
                self.check(watch(*self.raw(scene.Scene(5).frames(label, frames))), label, frames)

    def test_turned_over(self):
        for way, label in enumerate(("left", "right", "up", "down")):
            source = self.raw(scene.Scene(6).frames(label))
            for flip, becomes in FLIPS.items():
                with self.subTest(label=label, flip=flip):
                    self.check(watch(*source, "!", "videoconvert", "!", "videoflip", "video-direction=" + flip),
                               becomes[way], 40)

    def test_patterns(self):
        for pattern in ("smpte75", "circular", "spokes", "bar"):
            for speed, label in ((6, "left"), (-6, "right"), (0, "still")):
                with self.subTest(pattern=pattern, label=label):
                    self.check(watch("videotestsrc", "pattern=" + pattern, f"horizontal-speed={speed}", "num-buffers=40",
                                     "!", "video/x-raw,width=320,height=240,framerate=30/1"), label, 40)

    def test_light_is_no_motion(self):
        still = scene.Scene(7).frames("still", 40)[0]
        frames = [still.translate(bytes(int(v * (1 - 0.015 * t)) for v in range(256))) for t in range(40)]
        self.check(watch(*self.raw(frames)), "still", 40)

    def test_one_frame_says_nothing(self):
        """The same frames the other way round are the other motion: what is seen is in their order."""
        frames = scene.Scene(8).frames("left")
        self.check(watch(*self.raw(frames)), "left", 40)
        self.check(watch(*self.raw(frames[::-1])), "right", 40)


class Pipelines(Case):
    def test_label_stays_with_its_frame(self):
        """Every frame under its label and no other: the label is written on a black strip, so that what the strip
        looks like depends on the label alone."""
        view, strip = scene.Scene(9), 40
        frames = sum((view.frames(label, 25) for label in ("left", "still", "down", "right")), [])
        source = self.raw(frames)
        labels = watch(*source)
        self.assertGreaterEqual(len(set(labels)), 4)
        out = launch(*source, "!", "tee", "name=seen", "!", "queue", "!", "videobox", f"top=-{strip}", "!", "textoverlay",
                     "name=shown", "valignment=top", "ypad=2", "!", "videoconvert", "!", "video/x-raw,format=GRAY8", "!",
                     "fdsink", "seen.", "!", "queue", "!", *WATCH, "!", *LABELER, "format=text", "!", "shown.text_sink")
        size = scene.WIDTH * (scene.HEIGHT + strip)
        self.assertEqual(len(out), size * len(frames))
        looks = []
        for t, frame in enumerate(frames):
            shown = out[t * size:(t + 1) * size]
            self.assertEqual(shown[scene.WIDTH * strip:], frame, f"frame {t}")
            looks.append(shown[:scene.WIDTH * strip])
        by_label = {}
        for t, (label, look) in enumerate(zip(labels, looks, strict=True)):
            self.assertEqual(by_label.setdefault(label, look), look, f"frame {t} is {label}")
        self.assertEqual(len(set(by_label.values())), len(by_label))

    def test_pixels(self):
        """What training computes is what the element computes, of grey pixels and of a camera's luma from 16 to 235."""
        grey = features.setting("MOTION_FRAMES").replace("luma=true", "").split()
        values = launch(*self.raw([bytes(range(256))], 16, 16), "!", *grey, "!", "fdsink")
        self.assertEqual(struct.unpack("<256f", values), tuple(features.PIXELS))
        luma = bytes(range(256)) + 128 * b"\x80"
        values = launch(*self.raw([luma], 16, 16, "i420"), "!", *features.setting("MOTION_FRAMES").split(), "!", "fdsink")
        values = struct.unpack("<256f", values)
        self.assertEqual((values[16], values[235]), (features.PIXELS[0], features.PIXELS[255]))
        for v in range(16, 236):
            self.assertAlmostEqual(values[v], ((v - 16) / 219 - 0.5) / 0.25, places=6)

    def test_readme(self):
        with open(os.path.join(MOTION, "README.md"), encoding="utf-8") as file:
            lines = re.search(r"^    (\. examples/motion/pipeline\.sh\n(?:    .*\n)*?    .*avimux.*\n(?:    .*\n)*)", file.read(), re.M)[1]
        os.symlink(os.path.join(ROOT, "examples"), os.path.join(self.dir.name, "examples"))
        run = subprocess.run(["bash", "-euc", re.sub("^    ", "", lines, flags=re.M)], cwd=self.dir.name, capture_output=True,
                             timeout=120)
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        with open(os.path.join(self.dir.name, "motion.avi"), "rb") as file:
            self.assertEqual(file.read(4), b"RIFF")

    def test_watch(self):
        python = python_with_gi()
        if not python:
            self.skipTest("PyGObject for GStreamer is missing: scripts/setup motion")
        picture = os.path.join(self.dir.name, "picture.png")
        rows = scene.picture(3)
        launch(*self.raw(rows, scene.SIDE, scene.SIDE), "!", "pngenc", "!", "filesink", "location=" + picture)
        for label, flip, becomes in (("left", "identity", "left"), ("left", "90r", "up"), ("towards", "horiz", "towards"),
                                     ("away", "identity", "away")):
            with self.subTest(label=label, flip=flip):
                run = subprocess.run([python, "-B", os.path.join(MOTION, "watch.py"), picture, label, "--flip", flip,
                                      "--frames", "40"], capture_output=True, text=True, timeout=120)
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                lines = [line.split("\t") for line in run.stdout.splitlines()]
                self.check([seen for _, seen, _ in lines], becomes, 23 if label in ("towards", "away") else 40)
                for t, (time, _, _) in enumerate(lines):
                    self.assertAlmostEqual(float(time), t / 30, delta=0.002)


if __name__ == "__main__":
    unittest.main(verbosity=2)
