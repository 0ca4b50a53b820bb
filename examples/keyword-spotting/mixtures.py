# Scenes of a few seconds, put together from takes: a new one for every step, in no time, since powers of sounds add up.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy as np

import features
from vocabulary import KEYWORDS, NEITHER, UNKNOWN
from variations import OFFSET, vary

FRAMES = 500
MILD = 0.5  # the share of scenes that are hardly varied
KINDS = ["keyword", "other", "splice", "synth", "hush"]
SHARES = [0.5, 0.16, 0.07, 0.25, 0.02]  # the probability of each kind of take
PLAIN = 8  # a recording as it is counts as often as this many of its variations

# What is left of two keywords when the first half of one meets the second half of another.
_ONSETS = dict(zip(KEYWORDS, ["y", "n", "", "d", "l", "r", "", "", "st", "g"]))
_CODAS = dict(zip(KEYWORDS, ["s", "", "p", "n", "ft", "t", "n", "f", "p", ""]))


def no_word(first, second):
    """Whether the first half of a keyword and the second half of another, as labels, make none of the keywords."""
    a, b = KEYWORDS[first], KEYWORDS[second]
    return all((_ONSETS[a], _CODAS[b]) != (_ONSETS[k], _CODAS[k]) for k in KEYWORDS)


def frame_labels(events, frames=FRAMES):
    """Labels (frames,) of a scene with events (start, end, label) in samples. A word is to be named soon after its end
    and for a while; during its end, and when the while is over, either answer will do."""
    heard = features.heard_by(np.arange(frames)) / 16000
    labels = np.full(frames, NEITHER)
    words = [(s / 16000, e / 16000, k) for s, e, k in events if k != NEITHER]
    for start, end, _ in words:
        near = (heard >= start + 0.4 * (end - start)) & (heard < end + 0.46)
        labels[near & (labels == NEITHER)] = UNKNOWN
    for _, end, label in words:
        labels[(heard >= end + 0.08) & (heard < end + 0.34)] = label
    return labels


def spelled_spans(spoken, frames=FRAMES):
    """[(first frame, end, last frame, phones)] of what is said, from (start, end, phones) in samples; the last frame is
    a while after the end, when something else may have begun."""
    spans = []
    for (start, end, phones), (following, *_) in zip(spoken, spoken[1:] + [(frames * features.HOP, 0, 0)]):
        last = min(end + 0.3 * 16000, max(end, following) + 0.08 * 16000)
        if len(phones) and end < frames * features.HOP:
            spans.append((*(min(frames, int(at) // features.HOP) for at in (start, end, last)), phones))
    return spans


def cut(x, events, first, last):
    """The frames from `first` to `last` of a take; an event that is cut off ends where it is."""
    first, last = max(0, first), min(len(x), last)
    moved = np.array(events)
    moved[:, :2] = np.clip(events[:, :2] - first * features.HOP, 0, (last - first) * features.HOP)
    return x[first:last], moved


def closely(rng, x, events):
    """A take without the quiet around what is said."""
    first, last = events[0, 0] // features.HOP, -(-events[-1, 1] // features.HOP)
    return cut(x, events, first - rng.integers(0, 4), last + rng.integers(0, 5))


def too_late(rng, x, events):
    """A take of somebody who began to speak too late, or too early: the file does not have the whole word."""
    (start, end, _), = events // (features.HOP, features.HOP, 1)
    part = (end - start) * rng.uniform(0, 0.2)
    return cut(x, events, 0, int(end - part)) if rng.random() < 0.7 else cut(x, events, int(start + part * 0.5), len(x))


class Takes:
    """What takes.py made, without those of speakers to choose by, if `hold_out`."""

    def __init__(self, paths, hold_out):
        self.takes, self.plain = [], {}
        self.kinds = {k: [] for k in [*KINDS, "talk", "people"]}  # talk: a synthesizer's other words
        self.keywords = [[] for _ in KEYWORDS]
        speakers = {}  # of each keyword: whose takes
        for path in paths:
            data = np.load(path + ".npz")
            x, starts, voices, phones = (data[n] for n in ("x", "starts", "voices", "phones"))
            parts = np.split(data["events"][:, 1:], np.searchsorted(data["events"][:, 0], np.arange(1, len(voices))))
            real, plain = "synth" not in path, "plain" in path
            for index, (voice, events) in enumerate(zip(voices, parts)):
                if real and hold_out and voice.endswith("?"):
                    continue
                number = len(self.takes)
                said = phones[index][phones[index] > 0]
                self.takes.append((x[starts[index] : starts[index + 1]], events, said))
                word = real and len(events) and events[0][2] != NEITHER
                kind = "synth" if not real else "hush" if not len(events) else "keyword" if word else "other"
                self.kinds[kind] += [number] * (PLAIN if plain else 1)
                if not real and len(events) and all(e[2] == NEITHER for e in events):
                    self.kinds["people" if voice == "people" else "talk"].append(number)
                if word:
                    count = PLAIN if plain else 1
                    self.keywords[events[0][2]] += [number] * count
                    speakers.setdefault(events[0][2], []).extend([voice] * count)
                    if plain:
                        self.plain.setdefault(voice, []).append(number)
        self.several = [v for v, n in self.plain.items() if len(n) > 3]
        weights = np.array([s * bool(self.kinds[k] or (k == "splice" and self.several)) for k, s in zip(KINDS, SHARES)])
        self.shares = weights / weights.sum()
        # Who said much is heard more often than others, but not as much more as there is of him.
        self.chances = []
        for keyword in range(len(KEYWORDS)):
            _, which, counts = np.unique(speakers.get(keyword, []), return_inverse=True, return_counts=True)
            self.chances.append(np.cumsum(counts[which] ** -0.5))
        self.other = [k for k in ("other", "splice", "talk", "people") if self.kinds[k] or (k == "splice" and self.several)]

    def splice(self, rng):
        """Half of one keyword and half of another by one person: no word, but by a real voice."""
        mine = self.plain[self.several[rng.integers(len(self.several))]]
        for _ in range(10):
            (a, (first,), _), (b, (second,), _) = (self.takes[mine[rng.integers(len(mine))]] for _ in range(2))
            if no_word(first[2], second[2]):
                break
        else:
            return self.any(rng, "other")
        here, there = (int(e[0] + (e[1] - e[0]) * rng.uniform(0.35, 0.65)) // features.HOP for e in (first, second))
        here, there = np.clip(here, 3, len(a) - 3), np.clip(there, 3, len(b) - 3)
        match = a[here - 3 : here].mean(dtype=np.float32) - b[there : there + 3].mean(dtype=np.float32)
        x = np.concatenate([a[:here], b[there:] + np.float16(match * rng.uniform(0.5, 1))])
        return x, np.array([[first[0], second[1] + (here - there) * features.HOP, NEITHER]]), ()

    def any(self, rng, kind=None):
        kind = kind or KINDS[rng.choice(len(KINDS), p=self.shares)]
        if kind == "splice":
            return self.splice(rng)
        if kind == "keyword":
            keyword = rng.integers(len(KEYWORDS))
            chances = self.chances[keyword]
            return self.takes[self.keywords[keyword][np.searchsorted(chances, rng.random() * chances[-1])]]
        return self.takes[self.kinds[kind][rng.integers(len(self.kinds[kind]))]]


def power(x):
    return np.maximum(np.exp(x.astype(np.float32)) - OFFSET, 0)


class Mixer:
    """Makes scenes of takes and noises."""

    def __init__(self, takes, noises):
        self.takes = takes
        self.noises = [x for x, *_ in noises.takes] + [takes.takes[n][0] for n in takes.kinds["hush"]]
        self.long = len(noises.takes)
        self.before = None

    def noise(self, rng, count):
        """Something that is heard all the time (count, mels), of mean 1: a made noise, a real one, or other people."""
        kind = rng.random()
        if kind < 0.15:
            out = np.zeros((count, 40), np.float32)
            for _ in range(rng.integers(2, 5)):
                at, gain = 0, np.exp(rng.normal(0, 0.7))
                while at < count:
                    part = power(self.takes.any(rng, str(rng.choice(self.takes.other)))[0])[: count - at]
                    out[at : at + len(part)] += part * gain / (part.mean() + 1e-9)
                    at += len(part) + rng.integers(0, 20)
        else:
            made = kind < 0.65 or len(self.noises) == self.long
            index = rng.integers(self.long) if made else rng.integers(self.long, len(self.noises))
            some = power(self.noises[index])
            out = some[(rng.integers(len(some)) + np.arange(count)) % len(some)]
        return out / (out.mean() + 1e-9)

    def sitting(self, rng, room):
        """Somebody, or several, by one microphone: power (n, mels), events and what is said, in samples. Either files
        played one after the other, with nothing at all between them, or a microphone that stays on."""
        files, talks = rng.random() < 0.5, rng.random() < 0.2  # talks: somebody who goes on, without a keyword
        close = rng.random() < (0.8 if talks else 0.25)  # words follow each other as in a sentence
        pieces, events, spoken, at = [], [], [], 0
        for _ in range(rng.integers(4, 9) if talks or close else rng.integers(1, 6)):
            kind = talks or close and rng.random() < 0.4
            x, said, phones = self.takes.any(rng, str(rng.choice(self.takes.other)) if kind else None)
            if close and len(said):
                x, said = closely(rng, x, said)
            elif len(said) == 1 and rng.random() < 0.08:
                x, said = too_late(rng, x, said)
            x = power(x) * np.exp(rng.normal(0, 0.4))
            if files and rng.random() < 0.4:
                x = x + self.noise(rng, len(x)) * x.mean() * np.exp(-rng.uniform(2, 9))
            pieces.append(x)
            events += [(at * features.HOP + s, at * features.HOP + e, k) for s, e, k in said]
            if len(said) and len(phones):
                spoken.append((at * features.HOP + said[0][0], at * features.HOP + said[-1][1], phones))
            gap = rng.choice(rng.integers((1, 8, 25), (8, 30, 80)), p=(0.2, 0.4, 0.4) if files else (0.3, 0.4, 0.3))
            gap = rng.integers(0, 6) if close else gap
            pieces.append(np.zeros((gap, 40), np.float32))
            at += len(x) + gap
            if at > room:
                break
        out = np.concatenate(pieces)
        if not files:
            loud = out.mean() * len(out) / max(1, sum(map(len, pieces[::2])))
            out += self.noise(rng, len(out)) * loud * np.exp(-rng.uniform(1.5, 10))
        if rng.random() < 0.2:  # a telephone
            out[:, rng.integers(27, 39) :] *= np.exp(-rng.uniform(2, 9))
            out[:, : rng.integers(0, 5)] *= np.exp(-rng.uniform(1, 5))
        return out, events, spoken

    def scene(self, rng):
        """Features (FRAMES, mels), labels (FRAMES,), and [(first frame, last frame, phones)]."""
        out, events, spoken = np.zeros((FRAMES, 40), np.float32), [], []
        at = int(rng.integers(0, 50))
        while at < FRAMES:
            if rng.random() < 0.06:  # nobody there
                some, said, spelled = self.noise(rng, int(rng.integers(20, 150))) * np.exp(rng.uniform(-9, 1)), [], []
            else:
                some, said, spelled = self.sitting(rng, FRAMES - at)
                some = some * np.exp(rng.uniform(-5, 0.5))
            out[at : at + len(some)] = some[: FRAMES - at]
            shift = at * features.HOP
            events += [(s + shift, e + shift, k) for s, e, k in said]
            spoken += [(s + shift, e + shift, p) for s, e, p in spelled]
            at += len(some) + (int(rng.integers(3, 60)) if rng.random() < 0.4 else 0)
        spans = spelled_spans(spoken)
        x = np.log(out + OFFSET)
        other = x if self.before is None else self.before
        self.before = x
        where = np.array([s[:3] for s in spans], int).reshape(-1, 3)
        x, labels, where = vary(rng, x, frame_labels(events), where, other, rng.random() < MILD)
        return x, labels, [(first, last, span[3]) for (first, _, last), span in zip(where, spans)
                           if last <= FRAMES and last - first > len(span[3])]
