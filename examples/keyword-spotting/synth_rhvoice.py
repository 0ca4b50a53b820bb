# RHVoice: statistical voices made from real readers. Called as a library, which tells when each word is said.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Only the voices that may be used for anything are here: those of Alan, BDL, CLB and SLT, who read English, and nine
who read another language. The others' licences forbid commercial use or derived works."""
import ctypes
import os

import numpy as np

from clips import RATE, bounds, resample
from vocabulary import KEYWORDS, NEITHER, respelled

# name: the language whose spelling it reads
VOICES = {"Alan": "en", "Bdl": "en", "Clb": "en", "Slt": "en", "Aleksandr": "ru", "Anna": "ru", "Elena": "ru",
          "Irina": "ru", "Anatol": "uk", "Natalia": "uk", "Azamat": "ru", "Nazgul": "ru", "Spomenka": "eo",
          "Letícia-F123": "pt-br"}
LIBRARY, DATA = "libRHVoice.so.5", "/usr/share/RHVoice/voices"
_P = ctypes.c_void_p
_RATE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, _P)
_PLAY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_uint, _P)
_WORD = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint, _P)


class _Callbacks(ctypes.Structure):
    _fields_ = [("rate", _RATE), ("play", _PLAY), ("mark", _P), ("word_starts", _WORD), ("word_ends", _WORD),
                ("sentence_starts", _P), ("sentence_ends", _P), ("play_audio", _P), ("done", _P)]


class _Init(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("config", ctypes.c_char_p), ("resources", _P), ("callbacks", _Callbacks),
                ("options", ctypes.c_uint)]


class _Manner(ctypes.Structure):
    _fields_ = [("profile", ctypes.c_char_p)] \
        + [(n, ctypes.c_double) for n in ("rate0", "pitch0", "volume0", "rate", "pitch", "volume")] \
        + [("punctuation", ctypes.c_int), ("list", ctypes.c_char_p), ("capitals", ctypes.c_int), ("flags", ctypes.c_int)]


def installed():
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return all(os.path.isdir(os.path.join(DATA, v.lower() if v != "Letícia-F123" else "Leticia-F123")) for v in VOICES)


class RHVoice:
    def __init__(self):
        self.lib = ctypes.CDLL(LIBRARY)
        self.lib.RHVoice_new_tts_engine.restype = self.lib.RHVoice_new_message.restype = _P
        self.lib.RHVoice_new_message.argtypes = [_P, ctypes.c_char_p, ctypes.c_uint, ctypes.c_int,
                                                 ctypes.POINTER(_Manner), _P]
        self.lib.RHVoice_speak.argtypes = self.lib.RHVoice_delete_message.argtypes = [_P]
        self.callbacks = _Callbacks(_RATE(self._rate), _PLAY(self._play), None, _WORD(self._starts),
                                    _WORD(self._ends), None, None, None, None)
        self.engine = self.lib.RHVoice_new_tts_engine(ctypes.byref(_Init(None, None, None, self.callbacks, 0)))
        if not self.engine:
            raise OSError("RHVoice has no voices")

    def _rate(self, rate, _):
        self.rate = rate
        return 1

    def _play(self, samples, count, _):
        self.chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        self.heard += count
        return 1

    def _starts(self, position, length, _):
        self.words.append([self.heard, None])
        return 1

    def _ends(self, position, length, _):
        self.words[-1][1] = self.heard
        return 1

    def say(self, voice, text, rate, pitch):
        """Audio (n,) at RATE, and the (start, end) of each word in samples."""
        self.chunks, self.words, self.heard, self.rate = [], [], 0, RATE
        data = text.encode()
        manner = _Manner(voice.encode(), 0, 0, 0, rate, pitch, 1, 0, None, 0, 0)
        message = self.lib.RHVoice_new_message(self.engine, data, len(data), 0, ctypes.byref(manner), None)
        if message:
            self.lib.RHVoice_speak(message)
            self.lib.RHVoice_delete_message(message)
        if not self.chunks:
            return np.zeros(0), []
        scale = RATE / self.rate
        return resample(np.concatenate(self.chunks) / 32768.0, scale), \
            [(s * scale, e * scale) for s, e in self.words if e is not None]


def speak(voice, speaker, writer, size):
    """`size` utterances. Those who do not read English see the words as written for them."""
    rng, engine = speaker.rng, RHVoice()
    foreign = {tag: (keywords, others) for tag, keywords, others in respelled()}.get(VOICES[voice])
    keywords, others = foreign or (KEYWORDS, None)
    for i in range(size):
        kind = rng.choice(4, p=[0.5, 0.27, 0.11, 0.12])
        if kind == 0:
            said = [keywords[i % 10]]
        elif foreign:
            said = [str(w) for w in rng.choice(others, (1, 1, 5, 3)[kind])]
            for word in rng.choice(keywords, 2 if kind == 3 else 0):
                said.insert(rng.integers(len(said) + 1), str(word))
        else:
            said = [speaker.other()] if kind == 1 else speaker.running() if kind == 2 else speaker.phrase()
        text = " ".join(said)
        rate, pitch = np.exp(rng.uniform((-0.4, -0.25), (0.45, 0.3)))
        audio, spans = engine.say(voice, text + str(rng.choice([".", "!", "?", ","])), rate, pitch)
        if kind < 3:
            writer.add_alone(audio, i % 10 if kind == 0 else NEITHER, voice, text)
        elif len(spans) == len(said):
            first, last = bounds(audio)
            events = [(max(0, s - first), min(last - first, e - first), keywords.index(w))
                      for w, (s, e) in zip(said, spans) if w in keywords]
            writer.add(audio[first:last], events, voice, text)
