# flite: a diphone voice (kal) and three statistical ones made from real readers (awb, rms, slt).
# SPDX-License-Identifier: LGPL-2.1-or-later
import io
import os
import subprocess
import wave

import numpy as np

from clips import RATE, bounds, resample
from vocabulary import KEYWORDS, NEITHER, PRONUNCIATIONS


def _run(voice, options, out):
    done = subprocess.run(["flite", "-voice", voice, "-psdur", *options, "-o", out],
                          capture_output=True, text=True, check=True)
    with open(out, "rb") as data, wave.open(io.BytesIO(data.read())) as sound:
        audio = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768.0
        audio = resample(audio, RATE / sound.getframerate())
    ends = []
    for field in done.stdout.split():
        phone, _, end = field.rpartition(":")
        ends.append((phone, float(end)))
    return audio, ends


def speak(voice, speaker, writer, size, scratch):
    rng = speaker.rng
    out = os.path.join(scratch, "flite-%s.wav" % voice)
    for i in range(size):
        manner = ["--setf", "duration_stretch=%.3f" % np.exp(rng.uniform(-0.4, 0.5)),
                  "--setf", "int_f0_target_mean=%.1f" % rng.uniform(80, 240),
                  "--setf", "int_f0_target_stddev=%.1f" % rng.uniform(5, 45)]
        kind = rng.choice(4, p=[0.5, 0.27, 0.11, 0.12])
        if kind == 0 and rng.random() < 0.5:
            word = KEYWORDS[i % 10]
            phones = "pau %s pau" % rng.choice(PRONUNCIATIONS[word])
            audio, _ = _run(voice, manner + ["-p", phones], out)
            writer.add_alone(audio, i % 10, voice, word)
        elif kind < 3:
            text = KEYWORDS[i % 10] if kind == 0 else speaker.other() if kind == 1 else " ".join(speaker.running())
            audio, _ = _run(voice, manner + ["-t", text + str(rng.choice([".", "!", "?", ","]))], out)
            writer.add_alone(audio, i % 10 if kind == 0 else NEITHER, voice, text)
        else:
            said = [(w, speaker.phones(w)) for w in speaker.phrase()]
            said = [(w, p) for w, p in said if p]
            phones = ["pau"] + [p for _, spoken in said for p in spoken] + ["pau"]
            audio, ends = _run(voice, manner + ["-p", " ".join(phones)], out)
            if len(ends) != len(phones):
                continue
            events, at = [], 1
            for word, spoken in said:
                start, end = ends[at - 1][1], ends[at + len(spoken) - 1][1]
                at += len(spoken)
                if word in KEYWORDS:
                    events.append((start * RATE, end * RATE, KEYWORDS.index(word)))
            first, last = bounds(audio)
            events = [(max(0, s - first), min(last - first, e - first), k) for s, e, k in events]
            writer.add(audio[first:last], events, voice, " ".join(w for w, _ in said))
