# SVOX Pico: statistical voices made from six real readers, two of whom read English.
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import subprocess
import wave

import numpy as np

from clips import RATE, resample
from vocabulary import KEYWORDS, NEITHER, respelled


def _say(language, text, speed, pitch, out):
    text = '<speed level="%d"><pitch level="%d">%s</pitch></speed>' % (speed, pitch, text)
    if subprocess.run(["pico2wave", "-l", language, "-w", out, text], stderr=subprocess.DEVNULL).returncode:
        return np.zeros(0)
    with wave.open(out) as sound:
        audio = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768.0
        return resample(audio, RATE / sound.getframerate())


def speak(language, speaker, writer, size, scratch):
    """`size` utterances. Those who do not read English see the words as written for them."""
    rng = speaker.rng
    foreign = {tag: (keywords, others) for tag, keywords, others in respelled()}.get(language.split("-")[0])
    keywords, others = foreign or (KEYWORDS, [])
    out = os.path.join(scratch, "pico.wav")
    for i in range(size):
        kind = rng.choice(3, p=[0.55, 0.33, 0.12])
        if kind == 0:
            text = keywords[i % 10]
        elif foreign and rng.random() < 0.7:
            text = " ".join(rng.choice(others, 1 if kind == 1 else 5))
        else:
            text = speaker.other() if kind == 1 else " ".join(speaker.running())
        speed, pitch = 100 * np.exp(rng.uniform((-0.45, -0.3), (0.45, 0.35)))
        audio = _say(language, text + str(rng.choice([".", "!", "?", ","])), speed, pitch, out)
        writer.add_alone(audio, i % 10 if kind == 0 else NEITHER, language, text)
