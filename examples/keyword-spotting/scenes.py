# Scenes: half a minute of takes, each with its own speaker, room, noise and microphone, and what is said when.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy as np

import channel
from clips import RATE
from vocabulary import SIMILAR
from voice_effects import disguise


# English voices made from people count double: that is what the words are to sound like. Two are one reader's.
WEIGHTS = {"awb": 2, "rms": 2, "slt": 2, "kal": 2, "ked": 2, "espeak": 1.3, "rh-alan": 2, "rh-bdl": 2, "rh-clb": 2,
           "rh-slt": 1, "pico-us": 2, "pico-gb": 2, "people": 2}


def shares(sources):
    """How often each source speaks. It counts by the root of its size: the small ones are other people, too."""
    weights = np.array([WEIGHTS.get(n, 1) * len(clips.list) ** 0.5 for n, clips in sources.items()])
    return weights / weights.sum()


class Turns:
    """The clips of some sources in random order, each once before any is used again."""

    def __init__(self, rng, sources):
        self.rng, self.sources, self.queues = rng, sources, {}

    def next(self, name):
        """The number of the next clip of a source."""
        if not self.queues.get(name):
            self.queues[name] = list(self.rng.permutation(len(self.sources[name].list)))
        return self.queues[name].pop()


class Studio:
    """Makes scenes from the clips of some sources."""

    def __init__(self, sources, seed, babblers, manner="harsh"):
        """sources: {name: Clips}, who speaks; babblers: likewise, who may be heard in the background; manner:
        "clean", the voices as they are and hardly any noise; "plain", other people on usable microphones;
        "harsh", what a person can just about follow."""
        self.rng = np.random.default_rng(seed)
        self.sources, self.babblers, self.manner = sources, babblers, manner
        self.turns = Turns(self.rng, sources)
        self.names, self.weights = list(sources), shares(sources)

    def speech(self, name):
        """The next clip of a source: audio, events and its number."""
        clips, index = self.sources[name], self.turns.next(name)
        if clips.list[index][4] in SIMILAR and self.rng.random() < 0.6:  # some near misses teach, too many deafen
            return self.speech(name)
        audio, events = clips.audio(index).astype(np.float64), clips.list[index][2]
        if self.manner == "clean":
            return audio, events, index
        return *disguise(self.rng, audio, events, 1 if self.manner == "harsh" else 0.65), index

    def babble(self, count):
        out = np.zeros(count)
        for _ in range(self.rng.integers(2, 7)):
            clips, at = self.babblers[str(self.rng.choice(list(self.babblers)))], 0
            while at < count:
                audio = clips.audio(self.rng.integers(len(clips.list)))[: count - at]
                out[at : at + len(audio)] += audio * np.exp(self.rng.normal(0, 0.5))
                at += len(audio) + self.rng.integers(1, RATE // 2)
        return channel.room(self.rng, out)

    def record(self, audio, loud):
        """What a microphone makes of speech of a loudness `loud`."""
        rng, harsh = self.rng, self.manner == "harsh"
        if self.manner == "clean":
            ratio, level = rng.uniform(25, 50), rng.uniform(-20, 0)
        elif harsh:
            ratio = rng.uniform(3, 25) if rng.random() < 0.55 else rng.uniform(20, 55)
        else:
            ratio = rng.uniform(12, 45)
        if self.manner != "clean" and rng.random() < 0.6:
            audio = channel.room(rng, audio, -3 if harsh else 6)
        audio = audio + channel.noises(rng, len(audio), self.babble) * loud * 10 ** (-ratio / 20)
        if self.manner != "clean":
            if rng.random() < 0.85:
                audio = channel.microphone(rng, audio)
            if rng.random() < (0.2 if harsh else 0.1):
                audio = channel.codec(rng, audio)
            if rng.random() < (0.25 if harsh else 0.1):
                audio = channel.distort(rng, audio)
            level = rng.uniform(-36, 0)
        return audio / (np.abs(audio).max() + 1e-9) * 10 ** (level / 20)

    def take(self, name):
        """A few utterances of a source by one microphone. Returns audio, events, and [(start, end, source, clip)]."""
        rng = self.rng
        pieces, events, spoken, at = [], [], [], 0

        def rest(seconds):
            nonlocal at
            pieces.append(np.zeros(int(seconds * RATE)))
            at += len(pieces[-1])

        rest(rng.uniform(0, 0.6))
        for _ in range(rng.integers(1, 6)):
            audio, said, index = self.speech(name)
            spoken.append((at, at + len(audio), name, index))
            pieces.append(audio / (np.abs(audio).max() + 1e-9) * np.exp(rng.normal(0, 0.25)))
            events += [(at + s, at + e, k) for s, e, k in said]
            at += len(audio)
            gaps = rng.uniform((0.02, 0.15, 0.5), (0.15, 0.5, 1.5))
            rest(gaps[2] if self.manner == "clean" else rng.choice(gaps, p=[0.3, 0.4, 0.3]))
        audio = np.concatenate(pieces)
        return self.record(audio, np.sqrt((audio[np.abs(audio) > 0.02] ** 2).mean())), events, spoken

    def scene(self, seconds):
        """Takes one after the other, some with digital silence between them, some cut hard. Returns audio
        (seconds * RATE,) as int16, events [(start, end, label)], and who says what: [(start, end, source, clip)]."""
        rng = self.rng
        count = int(seconds * RATE)
        out, events, spoken, at = np.zeros(count), [], [], 0
        if rng.random() < 0.5:
            at = int(rng.uniform(0, 1.5) * RATE)
        while at < count:
            if rng.random() < 0.06:  # nobody there
                audio = channel.noises(rng, int(rng.uniform(0.5, 3) * RATE), self.babble)
                audio = audio / np.abs(audio).max() * 10 ** (rng.uniform(-60, 0) / 20)
                said, uttered = [], []
            else:
                name = self.names[rng.choice(len(self.names), p=self.weights)]
                audio, said, uttered = self.take(name)
            audio = audio[: count - at]
            out[at : at + len(audio)] = audio
            events += [(int(at + s), int(at + e), k) for s, e, k in said if at + e < count]
            spoken += [(at + s, min(count, at + e), *what) for s, e, *what in uttered if at + s < count]
            at += len(audio) + (int(rng.uniform(0.05, 1) * RATE) if rng.random() < 0.4 else 0)
        return np.clip(np.round(out * 32767), -32768, 32767).astype("<i2"), events, spoken
