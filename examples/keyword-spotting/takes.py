# What training is fed with: utterances as the element hears them, each spoken by somebody else in another room.
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import sys
import time

import numpy as np

import channel
import features
from clips import RATE, single
from morph import morph
from recordings import choosing
from scenes import Turns, shares
from synth import HELD_OUT, SPELLED
from vocabulary import KEYWORDS, NEITHER, PHONES, PRONUNCIATIONS, SIMILAR
from voice_effects import disguise

REAL = "real"
SIZE = 2000  # takes in a file
TAIL = RATE // 4  # the room after the word


def spelling(source, clip, words):
    """The phones of a clip, as numbers from 1; none if they are not known."""
    _, _, events, _, text = clip
    label = events[0][2] if len(events) == 1 else None
    if label in range(NEITHER) and " " not in text:
        phones = PRONUNCIATIONS[KEYWORDS[label]][0].split()
    elif text and source in SPELLED | {REAL} and all(w in words for w in text.split()):
        phones = [p for w in text.split() for p in words[w]]
    else:
        return []
    return [1 + PHONES.index(p) for p in phones]


class Cast:
    """Who may speak: all sources but those that are held out. Says everything a bit differently each time."""

    def __init__(self, sources, seed):
        self.rng = np.random.default_rng(seed)
        self.sources = {n: c for n, c in sources.items() if n not in HELD_OUT}
        self.turns, self.same = Turns(self.rng, self.sources), {}
        for name in self.sources:
            if name in SPELLED | {REAL}:
                for index, clip in enumerate(self.sources[name].list):
                    self.same.setdefault(self.word(name, clip), []).append((name, index))
        self.same.pop(None, None)

    def word(self, name, clip):
        """What two people both have to say if one is to be mixed with the other. Those to choose by stay among
        themselves."""
        if name != REAL:
            return (single(clip), False) if single(clip) is not None else None
        label = clip[2][0][2]
        return (clip[4] if label == NEITHER else label, choosing(clip[3])) if clip[4] else None

    def other(self, name, clip):
        """The audio of somebody else who says the same; None if nobody does. Real people are mixed with real people only,
        a synthesizer half of the time."""
        same = [s for s in self.same.get(self.word(name, clip), []) if s[0] != name or name == REAL]
        real = [s for s in same if s[0] == REAL]
        same = real if name == REAL or real and self.rng.random() < 0.6 else same
        if not same:
            return None
        source, index = same[self.rng.integers(len(same))]
        audio, events = self.sources[source].audio(index), self.sources[source].list[index][2]
        return audio[events[0][0] : events[0][1]] if source == REAL else audio

    def take(self, name, plain=False):
        """The next take of a source: audio, its events and the number of the clip. `plain`: as it was recorded."""
        rng, index = self.rng, self.turns.next(name)
        clip = self.sources[name].list[index]
        if name != REAL and clip[4] in SIMILAR and rng.random() < 0.5:  # some near misses teach, too many deafen
            return self.take(name, plain)
        audio, events = self.sources[name].audio(index).astype(np.float64), clip[2]
        if not plain:
            other = self.other(name, clip) if rng.random() < 0.5 else None
            if other is not None and len(other) > RATE // 10:
                audio = morph(rng, audio, other)
            if rng.random() < 0.8:
                audio, events = disguise(rng, audio, events, rng.uniform(0.3, 1))
        # A recording already has its microphone's noise around the word; a synthesizer's clip gets silence there, for the
        # reverberation.
        audio = audio if name == REAL else np.concatenate([np.zeros(RATE // 20), audio, np.zeros(TAIL)])
        events = events if name == REAL else [(s + RATE // 20, e + RATE // 20, k) for s, e, k in events]
        if not plain:
            if rng.random() < 0.5:
                audio = channel.room(rng, audio, rng.choice([-3, 3, 6]))
            if rng.random() < 0.6:
                audio = channel.microphone(rng, audio)
            if rng.random() < 0.12:
                audio = channel.codec(rng, audio)
            if rng.random() < 0.12:
                audio = channel.distort(rng, audio)
        return audio / (np.abs(audio).max() + 1e-9) * 0.7, events, index


def write(path, pieces):
    """pieces: [(audio, events, voice, phones)] -> PATH.npz: features of all of them, and which rows are whose."""
    frames = [len(audio) // features.HOP - 1 for audio, *_ in pieces]
    with open(path + ".pcm", "wb") as pcm:
        for audio, *_ in pieces:
            padded = np.concatenate([audio, np.zeros(-len(audio) % features.HOP + 2 * features.HOP)])
            pcm.write(np.round(np.clip(padded, -1, 1) * 32767).astype("<i2").tobytes())
    features.extract(path + ".pcm", path + ".f32")
    x = features.read(path + ".f32")
    at, rows = 0, []
    for (audio, *_), count in zip(pieces, frames):
        rows.append(x[at : at + count])
        at += -(-len(audio) // features.HOP) + 2
    phones = np.zeros((len(pieces), max(1, max(len(p[-1]) for p in pieces))), np.int8)
    for row, (*_, spelled) in zip(phones, pieces):
        row[: len(spelled)] = spelled
    events = [(n, *map(int, e)) for n, (_, some, *_) in enumerate(pieces) for e in some]
    np.savez(path + ".part.npz", x=np.concatenate(rows).astype(np.float16), starts=np.cumsum([0] + frames),
             events=np.array(events, np.int32).reshape(-1, 4), voices=np.array([p[2] for p in pieces]), phones=phones)
    for name in (path + ".pcm", path + ".f32"):
        os.unlink(name)
    os.rename(path + ".part.npz", path + ".npz")


def made(path):
    return os.path.exists(path + ".npz")


def report(path, began):
    print("%s took %.0f s" % (os.path.basename(path), time.time() - began), file=sys.stderr, flush=True)


def make_takes(cache, kind, index, sources, words):
    """A file of takes. kind: "plain", real recordings as they are, a part of them; "real", the same by other people in
    other rooms; "synth", the synthesizers and people who say something else. Returns its path."""
    path = os.path.join(cache, "takes-%s-%03d" % (kind, index))
    if made(path):
        return path
    began = time.time()
    chosen = {n: c for n, c in sources.items() if (n == REAL) != (kind == "synth") and n not in HELD_OUT}
    cast = Cast(sources, {"plain": 1000, "real": 2000, "synth": 3000}[kind] + (0 if kind == "plain" else index))
    names, weights = list(chosen), shares(chosen)
    pieces, count = [], SIZE
    if kind == "plain":  # this file's part of them, each once
        part = np.random.default_rng(1).permutation(len(chosen[REAL].list))[index * SIZE : (index + 1) * SIZE]
        cast.turns.queues[REAL], count = list(part), len(part)
    while len(pieces) < count:
        name = names[cast.rng.choice(len(names), p=weights)]
        audio, events, at = cast.take(name, kind == "plain")
        clip = chosen[name].list[at]
        voice = "%s %s" % (clip[3], "?" if choosing(clip[3]) else "") if name == REAL else name
        pieces.append((audio, events if clip[4] else [], voice, spelling(name, clip, words)))
    write(path, pieces)
    report(path, began)
    return path


def make_noises(cache, seconds=400):
    """Noises of 8 s each: what is heard besides a speaker."""
    path = os.path.join(cache, "noises")
    if not made(path):
        began, rng = time.time(), np.random.default_rng(4000)
        pieces = []
        for _ in range(seconds // 8):
            sound = channel.noises(rng, 8 * RATE, lambda count: channel._coloured(rng, count))
            pieces.append((sound / np.abs(sound).max() * 0.7, [], "noise", []))
        write(path, pieces)
        report(path, began)
    return path
