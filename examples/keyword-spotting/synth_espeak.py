# espeak-ng: formant synthesis, a hundred variants of every voice. Called as a library: no process per word.
# SPDX-License-Identifier: LGPL-2.1-or-later
import ctypes
import ctypes.util

import numpy as np

from clips import RATE, resample
from vocabulary import KEYWORDS, NEITHER, respelled

ACCENTS = ["en", "en-us", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd",
           "en-029", "en-us-nyc"]
# The robots, the demons and the whisperers that nobody would talk like.
VARIANTS = """Alex Alicia Andrea Andy Annie AnxiousAndy Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario
    Michael Mike Nguyen Storm adam anika announcer antonio aunty belinda benjamin boris caleb croak david ed
    edward edward2 f1 f2 f3 f4 f5 grandma grandpa gustave iven iven2 iven3 iven4 john kaukovalta klatt klatt2
    klatt3 klatt4 klatt5 klatt6 linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo max michel miguel norbert pablo paul pedro
    quincy rob robert sandro shelby steph steph2 steph3 travis victor whisper whisperf zac""".split()
SYNCHRONOUS, RATE_PARAM, PITCH, RANGE, UTF8 = 2, 1, 3, 4, 1


class Espeak:
    def __init__(self):
        self.lib = ctypes.CDLL(ctypes.util.find_library("espeak-ng"))
        self.rate = self.lib.espeak_Initialize(SYNCHRONOUS, 0, None, 1 << 15)
        self.chunks = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = kind(self._heard)  # kept: the library does not
        self.lib.espeak_SetSynthCallback(self.callback)

    def _heard(self, wav, count, _events):
        if wav and count > 0:
            self.chunks.append(np.ctypeslib.as_array(wav, (count,)).copy())
        return 0

    def voice(self, name):
        return self.lib.espeak_SetVoiceByName(name.encode()) == 0

    def say(self, text, speed, pitch, span):
        for parameter, value in ((RATE_PARAM, speed), (PITCH, pitch), (RANGE, span)):
            self.lib.espeak_SetParameter(parameter, int(value), 0)
        self.chunks = []
        data = text.encode() + b"\0"
        self.lib.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, UTF8, None, None)
        if not self.chunks:
            return np.zeros(0)
        return resample(np.concatenate(self.chunks) / 32768.0, RATE / self.rate)


def _manner(rng):
    return rng.integers(95, 250), rng.integers(5, 95), rng.integers(15, 100)


def english(speaker, writer, size):
    """`size` clips by English voices, each with another variant, pace, pitch and melody."""
    espeak, rng = Espeak(), speaker.rng
    for i in range(size):
        name = "%s+%s" % (rng.choice(ACCENTS), rng.choice(VARIANTS))
        if not espeak.voice(name):
            continue
        end = str(rng.choice(["", ".", "!", "?", ","]))
        kind = rng.choice(3, p=[0.56, 0.32, 0.12])
        if kind == 0:
            text = KEYWORDS[i % 10]
        else:
            text = speaker.other() if kind == 1 else " ".join(speaker.running())
        label = i % 10 if kind == 0 else NEITHER
        writer.add_alone(espeak.say(text + end, *_manner(rng)), label, name, text)


def accented(speaker, writer, size):
    """`size` clips by the voices of other languages, which read the words as written for them."""
    espeak, rng = Espeak(), speaker.rng
    languages = list(respelled())
    for i in range(size):
        language, keywords, others = languages[rng.integers(len(languages))]
        name = "%s+%s" % (language, rng.choice(VARIANTS))
        if not espeak.voice(name):
            continue
        kind = rng.choice(3, p=[0.55, 0.3, 0.15])
        if kind == 0:
            text = keywords[i % 10]
        elif kind == 1:
            text = str(rng.choice(others)) if rng.random() < 0.5 else speaker.other()
        else:
            text = " ".join(rng.choice(others, 5))
        label = i % 10 if kind == 0 else NEITHER
        writer.add_alone(espeak.say(text, *_manner(rng)), label, name, text)
