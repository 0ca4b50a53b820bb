# A person whom the keyword spotter never heard: the recorded announcements of a telephone exchange.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's packages asterisk-core-sounds-en and asterisk-core-sounds-en-wav: half an hour of one speaker at 8 kHz, and what
she says. For evaluation only."""
import glob
import gzip
import os
import re
import wave

import numpy as np

from clips import RATE, resample
from vocabulary import KEYWORDS

SOUNDS = "/usr/share/asterisk/sounds/en_US_f_Allison"
TEXTS = "/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"


def announcements():
    """Audio (n,) as int16 and [(start, end, keywords)]: which are said between two samples. Nothing if a package is
    missing."""
    if not (os.path.exists(TEXTS) and glob.glob(SOUNDS + "/*.wav")):
        return np.zeros(0, "<i2"), []
    pieces, spans, at = [], [], 0
    with gzip.open(TEXTS, "rt", encoding="latin-1") as lines:
        for line in lines:
            name, _, text = line.strip().partition(": ")
            path = os.path.join(SOUNDS, name + ".wav")
            if not text or line.startswith(";") or not os.path.exists(path):
                continue
            with wave.open(path) as sound:
                audio = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
                audio = resample(audio, RATE / sound.getframerate())
            pieces += [audio, np.zeros(RATE // 2)]
            end = at + len(audio) + RATE // 2
            spans.append((at, end, re.findall(r"\b(%s)\b" % "|".join(KEYWORDS), text.lower())))
            at = end
    return np.round(np.concatenate(pieces) * 20000).astype("<i2"), spans
