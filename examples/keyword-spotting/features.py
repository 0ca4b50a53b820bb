# Mel frames, by the very element that the finished model will hear through.
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import re
import subprocess

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
HOP, WINDOW = 256, 512  # as pipeline.sh says


def setting(name):
    """A variable of pipeline.sh."""
    with open(os.path.join(HERE, "pipeline.sh")) as lines:
        return re.search(r'^%s="(.*)"$' % name, lines.read(), re.M).group(1)


def pipeline(pcm, *elements):
    """Runs 16 bit samples at 16 kHz, in the file `pcm`, through elements; returns what they write to stdout."""
    return subprocess.run(["gst-launch-1.0", "-q", "filesrc", "location=" + pcm, "blocksize=262144", "!", "rawaudioparse",
                           "format=pcm", "pcm-format=s16le", "sample-rate=16000", "num-channels=1", "!", "audioconvert",
                           "dithering=none", "!", *elements], check=True, stdout=subprocess.PIPE).stdout


def extract(pcm, out):
    """Writes the path `out`, float32 (frames, mels)."""
    pipeline(pcm, *setting("KWS_MEL").split(), "!", "filesink", "location=" + out + ".part")
    os.rename(out + ".part", out)


def decode(path):
    """Any audio file (n,), mono at 16 kHz. Empty if it cannot be decoded."""
    done = subprocess.run(["gst-launch-1.0", "-q", "filesrc", "location=" + path, "!", "decodebin", "!", "audioconvert",
                           "!", "audioresample", "!", "audio/x-raw,format=S16LE,channels=1,rate=16000", "!", "fdsink"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return np.frombuffer(done.stdout[: len(done.stdout) // 2 * 2], "<i2") / 32768.0


def read(path, mels=40):
    return np.fromfile(path, np.float32).reshape(-1, mels)


def heard_by(frame):
    """The number of samples that have been heard when a frame comes out."""
    return frame * HOP + WINDOW
