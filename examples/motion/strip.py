#!/usr/bin/python3
# Draws docs/motion.svg: what the network of examples/motion saw, and what it said.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the picture to standard output. Each row is a run of its own through the pipeline; what is drawn are the very
frames that the network got, every third one, and the label of the last."""
import base64
import os
import subprocess
import struct
import tempfile
import zlib

from features import HERE, PIXELS, setting
from scene import HEIGHT, RATE, WIDTH, Scene

SIZE, SHOWN, APART, ZOOM = 16, 7, 3, 4


def png(grey):
    """A PNG of SIZE * SIZE grey values."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + grey[at : at + SIZE] for at in range(0, SIZE * SIZE, SIZE))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", SIZE, SIZE, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def run(frames):
    """What the network sees of each frame, and the label of the last."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(frames))
        file.flush()
        start = ["gst-launch-1.0", "-q", "filesrc", "location=" + file.name, "!", "rawvideoparse", "format=gray8", "width=%d" % WIDTH,
                 "height=%d" % HEIGHT, "framerate=%d/1" % RATE, "!", *setting("MOTION_FRAMES").split(), "!"]
        seen = subprocess.run([*start, "fdsink"], check=True, stdout=subprocess.PIPE).stdout
        said = subprocess.run([*start, *setting("MOTION_ENCODER").split(), "model-path=" + os.path.join(HERE, "motion.safetensors"),
                               "!", *setting("MOTION_LABELER").split(), "!", "fdsink"],
                              check=True, stdout=subprocess.PIPE, text=True).stdout
    grey = {value: pixel for pixel, value in enumerate(PIXELS)}
    pixels = bytes(grey[v] for v in struct.unpack("<%df" % (len(seen) // 4), seen))
    return [pixels[at : at + SIZE * SIZE] for at in range(0, len(pixels), SIZE * SIZE)], said.splitlines()[-1].split("\t")[1]


def main():
    side = SIZE * ZOOM
    parts, y = [], 0
    for label in ("left", "down", "towards", "away", "still"):
        frames, said = run(Scene(4).frames(label, (SHOWN - 1) * APART + 1, 0.04))
        for i, grey in enumerate(frames[::APART]):
            parts.append('<image x="%d" y="%d" width="%d" height="%d" style="image-rendering:pixelated" '
                         'href="data:image/png;base64,%s"/>' % (
                             i * (side + 4), y, side, side, base64.b64encode(png(grey)).decode()))
        parts.append('<text x="%d" y="%d">%s</text>' % (SHOWN * (side + 4) + 12, y + side / 2 + 7, said))
        y += side + 8
    print('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="20">' % (
        SHOWN * (side + 4) + 110, y - 8))
    print('<rect width="100%" height="100%" fill="white"/>')
    print("\n".join(parts))
    print("</svg>")


if __name__ == "__main__":
    main()
