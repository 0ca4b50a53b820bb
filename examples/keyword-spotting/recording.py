#!/usr/bin/python3
# Makes recording.flac, which the demo plays, and recording.tsv: when each keyword in it ends.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: recording.py CACHE [SEED]. Two voices that the model was not trained on, in a noisy room."""
import os
import subprocess
import sys

import numpy as np

import channel
from clips import RATE, Clips
from evaluate import Alone
from features import HERE
from vocabulary import KEYWORDS

SCRIPT = [("rms", "yes happy stop left seven go"), ("ked", "up marvin right no visual down off on")]


def main():
    cache, rng = os.path.join(sys.argv[1], "clips"), np.random.default_rng(int((*sys.argv, 1)[2]))
    pieces, said, at = [], [], 0
    for source, words in SCRIPT:
        alone = Alone(Clips(os.path.join(cache, source)))
        part = [np.zeros(RATE // 2)]
        for word in words.split():
            takes = [i for i, clip in enumerate(alone.list) if clip[4] == word]
            if not takes:
                sys.exit("%s does not say '%s'" % (source, word))
            audio = alone.audio(takes[int(rng.integers(len(takes)))])
            start = at + sum(map(len, part))
            if word in KEYWORDS:
                said.append(((start + len(audio)) / RATE, word))
            part += [audio / np.abs(audio).max(), np.zeros(int(RATE * rng.uniform(0.2, 0.4)))]
        speech = channel.microphone(rng, channel.room(rng, np.concatenate(part)))
        pieces.append(speech / np.abs(speech).max())
        at += len(speech)
    audio = np.concatenate(pieces)
    noise = channel._coloured(rng, len(audio))
    audio += noise / np.sqrt((noise**2).mean()) * 0.012
    with open(os.path.join(HERE, "recording.tsv"), "w") as out:
        out.writelines("%.2f\t%s\n" % line for line in said)
    pcm = np.round(audio / np.abs(audio).max() * 24000).astype("<i2").tobytes()
    subprocess.run(["gst-launch-1.0", "-q", "fdsrc", "!", "rawaudioparse", "format=pcm", "pcm-format=s16le",
                    "sample-rate=16000", "num-channels=1", "!", "flacenc", "quality=8", "!", "filesink",
                    "location=" + os.path.join(HERE, "recording.flac")], input=pcm, check=True)


if __name__ == "__main__":
    main()
