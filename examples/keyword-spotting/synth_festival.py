# festival: voices cut from recordings of thirteen people, most of whom never spoke English.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Diphone voices are given phones, durations and pitch outright, so that every utterance has another melody and
rhythm, and Italians, Czechs, Finns and Indians can say English words in their own sounds. Statistical and
unit-selection voices read text."""
import os
import subprocess
import wave

import numpy as np

from clips import RATE, bounds, resample
from vocabulary import KEYWORDS, NEITHER

# English phones in the sounds of another language; unlisted ones are the same, an empty one falls silent.
ITALIAN = {"iy": "i1", "ih": "i", "eh": "E1", "ae": "E1", "ah": "a1", "ax": "a", "aa": "a1", "ao": "O1",
           "ow": "o1 u", "uh": "u", "uw": "u1", "ay": "a1 i", "aw": "a1 u", "ey": "e1 i", "oy": "O1 i", "er": "E1 r",
           "th": "t", "dh": "d", "sh": "S", "zh": "S", "ch": "tS", "jh": "dZ", "ng": "n g", "y": "j", "hh": ""}
CZECH = {"iy": "i:", "ih": "i", "eh": "e", "ae": "e", "ah": "a", "ax": "e", "aa": "a:", "ao": "o:", "ow": "o u",
         "uh": "u", "uw": "u:", "ay": "a j", "aw": "a u", "ey": "e j", "oy": "o j", "er": "e r", "th": "t", "dh": "d",
         "sh": "s~", "zh": "z~", "ch": "c~", "jh": "dz~", "ng": "n g", "w": "v", "y": "j", "hh": "h"}
FINNISH = {"iy": "i:", "ih": "i", "eh": "e", "ae": "&", "ah": "a", "ax": "e", "aa": "a:", "ao": "o:", "ow": "o u",
           "uh": "u", "uw": "u:", "ay": "a i", "aw": "a u", "ey": "e i", "oy": "o i", "er": "7 r", "th": "t",
           "dh": "d", "sh": "s", "z": "s", "zh": "s", "ch": "t s", "jh": "d s", "ng": "N", "w": "v", "y": "j",
           "hh": "h"}
INDIAN = {"ae": "eh", "ah": "a", "ax": "a", "ao": "oo", "ow": "oo", "ey": "ee", "oy": "oo ih", "ay": "aa ih",
          "aw": "aa uh", "er": "a r", "t": "T", "d": "D", "z": "j", "zh": "j", "jh": "j", "ng": "n g", "w": "v",
          "hh": "h"}
# name: (map, silence, pitch of the one who was recorded)
DIPHONES = {
    "kal_diphone": ({}, "pau", 105), "ked_diphone": ({}, "pau", 105),
    "lp_diphone": (ITALIAN, "#", 190), "pc_diphone": (ITALIAN, "#", 120),
    "czech_dita": (CZECH, "#", 220), "czech_krb": (CZECH, "#", 230), "czech_machac": (CZECH, "#", 115),
    "czech_ph": (CZECH, "#", 110), "hy_fi_mv_diphone": (FINNISH, "#", 110), "suo_fi_lj_diphone": (FINNISH, "#", 190),
    "hindi_NSK_diphone": (INDIAN, "pau", 130),
}
# Milliseconds in running speech, by the kind of sound.
_SECONDS = {}
for _ms, _names in ((150, "ay aw ow ey oy aa ao ae"), (125, "iy uw eh ah er"), (95, "ih uh"), (60, "ax"),
                    (105, "s f sh th ch"), (75, "z v dh zh jh hh"), (85, "p t k"), (70, "b d g"), (70, "m n ng"),
                    (70, "l r"), (65, "y w")):
    _SECONDS.update({name: _ms / 1000 for name in _names.split()})
_VOWELS = set("ay aw ow ey oy aa ao ae iy uw eh ah er ih uh ax".split())


def _segments(rng, voice, said):
    """Festival's list of segments, and the time at which each word starts and ends."""
    mapping, silence, usual = DIPHONES[voice]
    pace = np.exp(rng.uniform(-0.35, 0.45))
    pitch = usual * np.exp(rng.uniform(-0.25, 0.3))
    fall, wobble = rng.uniform(-0.5, 0.2), rng.uniform(0.02, 0.12)
    total = sum(len(p) for _, p in said)
    out, spans, now, count = ["(%s 0.1)" % silence], [], 0.1, 0
    for index, (word, phones) in enumerate(said):
        start = now
        lengthen = rng.uniform(1.1, 1.7) if index == len(said) - 1 else rng.uniform(0.85, 1.2)
        last_vowel = max([i for i, p in enumerate(phones) if p in _VOWELS], default=0)
        for i, phone in enumerate(phones):
            count += 1
            length = _SECONDS.get(phone, 0.08) * pace * np.exp(rng.normal(0, 0.15))
            length *= lengthen if i >= last_vowel else 1
            native = mapping.get(phone, phone).split()
            for j, sound in enumerate(native):
                share = length * ((0.6, 0.4)[j] if len(native) == 2 else 1)
                f0 = pitch * np.exp(fall * count / total + rng.normal(0, wobble))
                out.append("(%s %.3f (%.3f %.0f))" % (sound, share, share / 2, f0))
                now += share
        spans.append((start, now))
        if index < len(said) - 1 and rng.random() < 0.15:
            rest = rng.uniform(0.05, 0.3)
            out.append("(%s %.3f)" % (silence, rest))
            now += rest
    out.append("(%s 0.15)" % silence)
    return "(%s)" % " ".join(out), spans


def _load(path):
    if os.path.getsize(path) == 0:  # it failed while saving
        return np.zeros(0)
    with wave.open(path) as sound:
        audio = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768.0
        return resample(audio, RATE / sound.getframerate())


def _festival(script, cwd):
    """Runs Scheme that saves NUMBER.wav files; one that fails leaves none."""
    path = os.path.join(cwd, "script.scm")
    with open(path, "w", encoding="utf-8") as out:
        out.write(script)
    subprocess.run(["festival", "-b", path], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def speak(voice, speaker, writer, size, scratch, batch=100):
    """`size` utterances of a diphone voice."""
    rng = speaker.rng
    cwd = os.path.join(scratch, voice)
    os.makedirs(cwd, exist_ok=True)
    for first in range(0, size, batch):
        jobs, script = [], ["(voice_%s)" % voice]
        for i in range(first, min(size, first + batch)):
            kind = rng.choice(4, p=[0.5, 0.27, 0.11, 0.12])
            words = ([KEYWORDS[i % 10]], [speaker.other()], None, None)[kind]
            words = words or (speaker.running() if kind == 2 else speaker.phrase())
            said = [(w, p) for w, p in ((w, speaker.phones(w)) for w in words) if p]
            if not said:
                continue
            segments, spans = _segments(rng, voice, said)
            script.append("(unwind-protect (begin (set! u (eval (list 'Utterance 'Segments '%s))) (utt.synth u)"
                          " (utt.save.wave u \"%d.wav\" 'riff)) nil)" % (segments, len(jobs)))
            jobs.append((said, spans, kind, i % 10))
        _festival("\n".join(script), cwd)
        for number, (said, spans, kind, keyword) in enumerate(jobs):
            path = os.path.join(cwd, "%d.wav" % number)
            if not os.path.exists(path):
                continue
            audio, text = _load(path), " ".join(w for w, _ in said)
            os.unlink(path)
            if kind < 3:
                writer.add_alone(audio, keyword if kind == 0 else NEITHER, voice, text)
                continue
            cut, last = bounds(audio)
            events = [(max(0, s * RATE - cut), min(last - cut, e * RATE - cut), KEYWORDS.index(w))
                      for (w, _), (s, e) in zip(said, spans) if w in KEYWORDS]
            writer.add(audio[cut:last], events, voice, text)


def read(voice, speaker, writer, texts, scratch):
    """A voice that reads: texts [(text, label)]."""
    cwd = os.path.join(scratch, voice)
    os.makedirs(cwd, exist_ok=True)
    script = ["(voice_%s)" % voice]
    for number, (text, _) in enumerate(texts):
        script.append("(unwind-protect (begin (set! u (eval (list 'Utterance 'Text \"%s\"))) (utt.synth u)"
                      " (utt.save.wave u \"%d.wav\" 'riff)) nil)" % (text, number))
    _festival("\n".join(script), cwd)
    for number, (text, label) in enumerate(texts):
        path = os.path.join(cwd, "%d.wav" % number)
        if os.path.exists(path):
            writer.add_alone(_load(path), label, voice, text)
            os.unlink(path)
