#!/usr/bin/python3
# How well motion is seen: in clips like those of the training, and in what the training knows nothing of.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything goes through the pipeline of README.md. A number is a share of frames with the right label; the first
frames of a clip, and those after something changed, are left out, as it takes some frames to see what happens."""
import argparse
import collections
import glob
import os
import random
import subprocess
import tempfile

from labels import LABELS
from watch import FLIPS, MODEL, RATE, file_picture, flipped, pan, watch

FIRST = 10
PATTERNS = ["smpte", "smpte75", "smpte100", "circular", "pinwheel", "spokes", "bar", "gamut", "zone-plate kx2=20 ky2=20"]


class Count:
    """Frames by right answer and by the answer given; runs by whether most of their frames were right."""

    def __init__(self, title):
        self.title, self.frames, self.runs = title, collections.Counter(), collections.Counter()

    def add(self, right, seen):
        """One run: the right labels (None: anything will do) and those that were seen."""
        pairs = [(r, s) for r, s in zip(right, seen) if r]
        self.frames.update(pairs)
        if pairs:
            self.runs[2 * sum(r == s for r, s in pairs) > len(pairs)] += 1

    def share(self, label=None):
        some = {pair: n for pair, n in self.frames.items() if label in (None, pair[0])}
        return 100 * sum(n for pair, n in some.items() if pair[0] == pair[1]) / max(1, sum(some.values()))

    def show(self, table=False):
        print("%s: %.1f %% of %d frames; most frames right in %d of %d runs" % (
            self.title, self.share(), sum(self.frames.values()), self.runs[True], sum(self.runs.values())), flush=True)
        if table:
            print("%9s" % "is" + "".join("%9s" % label for label in LABELS) + "    right")
            for label in LABELS:
                if any(right == label for right, _ in self.frames):
                    print("%9s" % label + "".join("%9s" % (self.frames[label, seen] or ".") for seen in LABELS)
                          + "%8.1f%%" % self.share(label))


def generated(model, number, seed=1000):
    """Clips of the training's kind, of textures and movements that it did not have."""
    import numpy as np
    import torch

    import clips

    torch.set_num_threads(1)
    studio, rng = clips.Studio(seed), np.random.default_rng(seed)
    count = Count("generated clips")
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(number):
            x, labels = studio.clip()
            clips.develop(rng, x).tofile(file.name)
            seen = watch("filesrc location=%s blocksize=65536 ! rawvideoparse format=gray8 width=%d height=%d framerate=%d/1"
                         % (file.name, clips.SIZE, clips.SIZE, RATE), model=model)
            count.add([LABELS[i] if i >= 0 else None for i in labels], [label for _, label, _ in seen])
    count.show(table=True)


def patterns(model, frames=60):
    """videotestsrc, whose horizontal-speed moves a pattern left; turned by videoflip."""
    total = Count("videotestsrc patterns")
    for pattern in PATTERNS:
        count = Count("  " + pattern)
        for speed in (2, 4, 8, 16, 0):
            for flip in FLIPS:
                right = [None] * FIRST + [flipped("left", flip) if speed else "still"] * (frames - FIRST)
                seen = [label for _, label, _ in watch(
                    "videotestsrc pattern=%s horizontal-speed=%d num-buffers=%d "
                    "! video/x-raw,format=I420,width=320,height=240,framerate=%d/1 ! videoflip video-direction=%s" % (
                        pattern, speed, frames, RATE, flip), model=model)]
                count.add(right, seen)
                total.add(right, seen)
        count.show()
    total.show(table=True)


def ball(model, frames=300):
    """videotestsrc's ball goes round; where it goes is measured in the picture itself."""
    import numpy as np

    source = "videotestsrc pattern=ball motion=%s num-buffers=%d ! video/x-raw,format=GRAY8,width=320,height=240,framerate=%d/1"
    count = Count("videotestsrc's ball")
    for motion in ("wavy", "sweep", "hsweep"):
        line = source % (motion, frames, RATE)
        raw = subprocess.run(["gst-launch-1.0", "-q", *line.split(), "!", "fdsink"], check=True, capture_output=True).stdout
        light = np.frombuffer(raw, np.uint8).reshape(frames, 240, 320).astype(float)
        at = np.stack([(light.sum(axis) @ np.arange(light.sum(axis).shape[1])) / light.sum((1, 2)) for axis in (1, 2)], 1)
        right = []
        for t in range(frames):
            steps = np.diff(at[t - FIRST : t + 1], axis=0) if t >= FIRST else np.zeros((1, 2))
            x, y = steps.T
            # One way for the whole window, and fast enough to be seen.
            ways = [(steps @ way > np.maximum(0.7, 1.2 * abs(steps[:, ::-1] @ way))).all() for way in
                    ((-1, 0), (1, 0), (0, -1), (0, 1))]
            right.append(LABELS[ways.index(True)] if any(ways) else None)
        count.add(right, [label for _, label, _ in watch(line, model=model)])
    count.show(table=True)


def pictures(model, paths, seed=1):
    """A view moves over a photograph, as it is and turned by videoflip."""
    rng = random.Random(seed)
    total = Count("views of %d pictures" % len(paths))
    by_speed = {speed: Count("  %.3f of the view's width in a frame" % speed) for speed in (0.01, 0.03, 0.08)}
    by_flip = [Count("  as it is"), Count("  turned")]
    for path in paths:
        count = Count("  " + os.path.basename(path))
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            subprocess.run(["gst-launch-1.0", "-q", *file_picture(path).split(), "!", "videoscale", "method=bilinear2", "!",
                            "video/x-raw,format=RGB,width=1280,pixel-aspect-ratio=1/1", "!", "pngenc", "snapshot=true", "!", "filesink",
                            "location=" + file.name], check=True)
            for label in LABELS:
                for speed, each in by_speed.items():
                    for flip in ("identity", rng.choice([f for f in FLIPS if f != "identity"])):
                        seen = [s for _, s, _ in pan(file_picture(file.name), label, speed, 60, flip,
                                                     (rng.random(), rng.random()), model)]
                        right = [None] * FIRST + [flipped(label, flip)] * (len(seen) - FIRST)
                        for counter in (total, count, each, by_flip[flip != "identity"]):
                            counter.add(right, seen)
        count.show()
    for counter in (*by_speed.values(), *by_flip):
        counter.show()
    total.show(table=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=["generated", "patterns", "ball", "pictures", []], default=[])
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--clips", type=int, default=400, help="generated")
    parser.add_argument("--pictures", nargs="+", help="files; by default those of Debian's mate-backgrounds",
                        default=sorted(glob.glob("/usr/share/backgrounds/mate/nature/*.jpg")))
    options = parser.parse_args()
    wanted = options.what or ["generated", "patterns", "ball", "pictures"]
    if "generated" in wanted:
        generated(options.model, options.clips)
    if "patterns" in wanted:
        patterns(options.model)
    if "ball" in wanted:
        ball(options.model)
    if "pictures" in wanted:
        pictures(options.model, options.pictures)


if __name__ == "__main__":
    main()
