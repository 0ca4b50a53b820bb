# What training is fed with: scenes as the element hears them, the label of every frame, and what is said in phones.
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import sys
import time

import numpy as np

import features
from clips import single
from scenes import Studio
from synth import HELD_OUT, SPELLED
from variations import vary
from vocabulary import KEYWORDS, NEITHER, PHONES, PRONUNCIATIONS, UNKNOWN

SECONDS, SCENES = 16, 250
FRAMES = SECONDS * 16000 // features.HOP


def spelling(source, clip, words):
    """The phones of a clip, as numbers from 1; none if they are not known."""
    word, said = single(clip), clip[4].split()
    if word in range(NEITHER):
        phones = PRONUNCIATIONS[KEYWORDS[word]][0].split()
    elif source in SPELLED and all(w in words for w in said):
        phones = [p for w in said for p in words[w]]
    else:
        return []
    return [1 + PHONES.index(p) for p in phones]


def spelled_spans(spoken, sources, words):
    """[(first frame, end, last frame, phones)] of what is said in one scene; the last frame is a while after the end,
    when something else may have begun."""
    spans = []
    for (start, end, name, index), (following, *_) in zip(spoken, spoken[1:] + [(SECONDS * 16000,)]):
        phones = spelling(name, sources[name].list[index], words)
        last = min(end + 0.3 * 16000, max(end, following) + 0.08 * 16000)
        if phones and end < SECONDS * 16000:
            spans.append((*(min(FRAMES, int(at) // features.HOP) for at in (start, end, last)), phones))
    return spans


def frame_labels(events, spoken, names):
    """Labels (FRAMES,) and sources (FRAMES,) of one scene. A word is to be named soon after its end and for a
    while; during its end, and when the while is over, either answer will do."""
    heard = features.heard_by(np.arange(FRAMES)) / 16000
    labels = np.full(FRAMES, NEITHER)
    for start, end, label in events:
        if label != NEITHER:
            start, end = start / 16000, end / 16000
            near = (heard >= start + 0.4 * (end - start)) & (heard < end + 0.46)
            labels[near & (labels == NEITHER)] = UNKNOWN
    for start, end, label in events:
        if label != NEITHER:
            labels[(heard >= end / 16000 + 0.08) & (heard < end / 16000 + 0.34)] = label
    sources = np.full(FRAMES, -1)
    for start, end, name, _ in spoken:
        sources[(heard * 16000 >= start) & (heard * 16000 < end + 8000)] = names.index(name)
    return labels, sources


def make_shard(cache, shard, sources, names, words):
    """250 scenes: features, labels, whose words they are, and their phones. Its name says the manner of the scenes."""
    path = os.path.join(cache, shard)
    if os.path.exists(path + ".npz"):
        return
    manner, _, index = shard.partition("-")
    began = time.time()
    babblers = {n: c for n, c in sources.items() if n not in HELD_OUT}
    relatives = {n: c for n, c in babblers.items() if n in SPELLED}
    seed = {"harsh": 1000, "clean": 1100, "plain": 1200}[manner] + int(index)
    studio = Studio(sources, seed, babblers, manner, relatives)
    rows, spans = [], []
    with open(path + ".pcm", "wb") as pcm:
        for number in range(SCENES):
            audio, events, spoken = studio.scene(SECONDS)
            pcm.write(audio.tobytes())
            rows.append(frame_labels(events, spoken, names))
            spans += [(number, *span) for span in spelled_spans(spoken, sources, words)]
        pcm.write(bytes(2 * features.HOP))  # so that the last scene has as many frames
    features.extract(path + ".pcm", path + ".f32")
    os.unlink(path + ".pcm")
    labels, sources_of = (np.array(r).astype(np.int8) for r in zip(*rows))
    phones = np.zeros((len(spans), max(len(s[-1]) for s in spans)), np.int8)
    for row, (*_, spelled) in zip(phones, spans):
        row[: len(spelled)] = spelled
    np.savez(path + ".npz", labels=labels, sources=sources_of, spans=np.array([s[:-1] for s in spans]), phones=phones)
    print("%s took %.0f s" % (shard, time.time() - began), file=sys.stderr, flush=True)


class Shard:
    """What make_shard made, but for what the sources in `hold_out` (numbers) say."""

    def __init__(self, path, hold_out):
        self.x = np.memmap(path + ".f32", np.float32, "r")[: SCENES * FRAMES * 40].reshape(SCENES, FRAMES, 40)
        data = np.load(path + ".npz")
        self.labels = data["labels"].astype(np.int64)
        self.labels[np.isin(data["sources"], hold_out)] = UNKNOWN
        scene, first = data["spans"][:, :2].T
        kept = ~np.isin(data["sources"][scene, first], hold_out)
        self.spans, self.phones = data["spans"][kept], data["phones"][kept]

    def scene(self, rng, index):
        """One scene, varied: features, labels, and [(first frame, last frame, phones)]."""
        mine = self.spans[:, 0] == index
        x, labels, spans = vary(rng, self.x[index], self.labels[index], self.spans[mine, 1:],
                                self.x[rng.integers(SCENES)])
        return x, labels, [(first, last, spelled[spelled > 0])
                           for (first, _, last), spelled in zip(spans, self.phones[mine]) if last <= FRAMES]
