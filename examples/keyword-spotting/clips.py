# Clips of speech: raw samples and what is said in them when.
# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import os

import numpy as np

from vocabulary import NEITHER

RATE = 16000


def resample(audio, ratio):
    """Band-limited change of the number of samples by `ratio`, by way of the spectrum."""
    if len(audio) == 0 or ratio == 1:
        return audio
    pad = 400  # what wraps around lands in the padding
    padded = np.concatenate([audio, np.zeros(pad + (-len(audio) - pad) % 1024)])
    size = max(2, int(round(len(padded) * ratio)))
    spectrum = np.fft.rfft(padded)
    keep = min(len(spectrum), size // 2 + 1)
    full = np.zeros(size // 2 + 1, complex)
    full[:keep] = spectrum[:keep]
    return np.fft.irfft(full, size)[: int(len(audio) * ratio)] * ratio


def bounds(audio, below=45, margin=0.015):
    """First and last sample that matter: within `below` dB of the loudest 10 ms."""
    hop = RATE // 100
    count = len(audio) // hop
    if count == 0:
        return 0, 0
    energy = (audio[: count * hop].reshape(count, hop).astype(np.float64) ** 2).mean(1)
    if energy.max() < 1e-7:
        return 0, 0
    loud = np.flatnonzero(energy > energy.max() * 10 ** (-below / 10))
    edge = int(margin * RATE)
    return max(0, loud[0] * hop - edge), min(len(audio), (loud[-1] + 1) * hop + edge)


class ClipWriter:
    """Appends clips to NAME.pcm (16 bit) and writes NAME.json when closed, so that a half-made one is known."""

    def __init__(self, path):
        self.path = path
        self.pcm = open(path + ".pcm", "wb")
        self.clips = []
        self.samples = 0

    def add(self, audio, events, voice, text):
        """audio (n,) in -1..1 at RATE; events [(start, end, label)] in samples, one per word that matters."""
        peak = np.abs(audio).max(initial=0)
        if len(audio) < RATE // 20 or peak < 1e-3:
            return
        scaled = np.round(audio * (0.9 / peak) * 32767).astype("<i2")
        self.pcm.write(scaled.tobytes())
        self.clips.append([self.samples, len(scaled), [list(map(int, e)) for e in events], voice, text])
        self.samples += len(scaled)

    def add_alone(self, audio, label, voice, text):
        """A clip in which one thing is said: cut to where it can be heard."""
        first, last = bounds(audio)
        self.add(audio[first:last], [(0, last - first, label)], voice, text)

    def close(self):
        self.pcm.close()
        with open(self.path + ".json.part", "w") as out:
            json.dump(self.clips, out)
        os.rename(self.path + ".json.part", self.path + ".json")


def whole(clip):
    """Whether one thing is said from a clip's beginning to its end: a word, or running speech."""
    _, length, events, _, _ = clip
    return len(events) == 1 and tuple(events[0][:2]) == (0, length)


def single(clip):
    """What a clip says if it is one word: a keyword's label, another word's text; else None."""
    _, _, events, _, text = clip
    if " " in text or not whole(clip):
        return None
    return text if events[0][2] == NEITHER else events[0][2]


class Clips:
    """What a ClipWriter wrote."""

    def __init__(self, path):
        self.pcm = np.memmap(path + ".pcm", "<i2", "r")
        with open(path + ".json") as clips:
            self.list = json.load(clips)

    def audio(self, index):
        start, length = self.list[index][:2]
        return self.pcm[start : start + length].astype(np.float32) / 32768
