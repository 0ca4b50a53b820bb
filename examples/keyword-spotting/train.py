#!/usr/bin/python3
# Trains the keyword spotter from nothing: speaks the words, disturbs them, hears them, learns them.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Needs these Debian packages, and the plugin built (GST_PLUGIN_PATH):
  python3-torch python3-numpy libopenblas0-pthread gstreamer1.0-tools gstreamer1.0-plugins-base
  espeak-ng flite festival festlex-cmu festlex-poslex festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts
  festvox-italp16k festvox-itapc16k festvox-ca-ona-hts festvox-czech-dita festvox-czech-krb festvox-czech-machac
  festvox-czech-ph festvox-suopuhe-lj festvox-suopuhe-mv festival-hi festvox-hi-nsk
More voices, left out when they are missing, are in Debian's non-free component, since their data came without what it
was made from or since some voices beside the ones that are used here are not free:
  libttspico-utils librhvoice5 rhvoice-english rhvoice-russian rhvoice-ukrainian rhvoice-kyrgyz rhvoice-esperanto
  rhvoice-brazilian-portuguese
Likewise, people who say something else (--no-install-recommends leaves the telephone exchange out):
  asterisk-core-sounds-fr asterisk-core-sounds-fr-wav asterisk-core-sounds-it asterisk-core-sounds-it-wav
  asterisk-core-sounds-ru asterisk-core-sounds-ru-wav tuxpaint-stamps-default gstreamer1.0-plugins-good"""
import argparse
import json
import os
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

import features
import model
from clips import Clips
from learning import Learner
from shards import SCENES, Shard, make_shard
from synth import HELD_OUT, SOURCES, synthesize
from vocabulary import LABELS, NEITHER, PHONES, UNKNOWN, lexicon


def say(text, *values):
    print(text % values, file=sys.stderr, flush=True)


def batches(cache, shards, rng, size, hold_out, names):
    """One pass over the shards: x (size, FRAMES, mels), labels (size, FRAMES), phase (size,), and what is said: a
    list of (scene, first frame, last frame, phones)."""
    dropped = [names.index(n) for n in hold_out]
    for name in rng.permutation(shards):
        shard = Shard(os.path.join(cache, name), dropped)
        order = rng.permutation(SCENES)
        for first in range(0, SCENES - size + 1, size):
            x, labels, said = zip(*(shard.scene(rng, i) for i in order[first : first + size]))
            said = [(row, *span) for row, spans in enumerate(said) for span in spans]
            yield (torch.from_numpy(np.stack(x)), torch.from_numpy(np.stack(labels)),
                   torch.from_numpy(rng.integers(0, 10**6, size)), said)


def misspelled(scores, said):
    """How badly scores (B, FRAMES, 1 + PHONES) spell what is said, per phone: connectionist temporal classification of
    Graves et al. (2006). Words that were never heard are told apart by their sounds, too."""
    parts = [scores[row, first:last] for row, first, last, _ in said]
    phones = [torch.from_numpy(p.astype(np.int64)) for *_, p in said]
    sizes, lengths = ([len(p) for p in some] for some in (phones, parts))
    likely = torch.nn.utils.rnn.pad_sequence(parts).log_softmax(-1)
    return F.ctc_loss(likely, torch.cat(phones), lengths, sizes, reduction="sum", zero_infinity=True) / sum(sizes)


def standardize(cache):
    """Mean (mels,) and deviation (mels,). Lets the first layer see features of mean 0 and deviation 1: constants that
    its weights absorb at the end."""
    x = features.read(os.path.join(cache, "harsh-000.f32"))
    return torch.from_numpy(x.mean(0)), torch.from_numpy(x.std(0))


def absorb(state, mean, deviation):
    """The state dict of a model that takes features as they are."""
    state = dict(state)
    weight = state["0.weight"] / deviation
    state["0.bias"] = state["0.bias"] - weight @ mean
    state["0.weight"] = weight
    return state


def train(cache, out, plan, hold_out, names, start=None, size=4, peak=1.2e-3, **shape):
    """plan: a list of lists of shards, one pass each; start: a model to go on with."""
    torch.manual_seed(1)
    rng = np.random.default_rng(len(plan))
    spotter = model.Spotter(40, LABELS, **shape)
    mean, deviation = standardize(cache)
    if start:
        spotter.load_state_dict(absorb(model.load(start)[0], -mean / deviation, 1 / deviation))
    speller = torch.nn.Linear(spotter[4].in_features, 1 + len(PHONES))  # for training only
    learner = Learner(spotter, [speller], peak, 0.05, 0.999)
    steps = sum(map(len, plan)) * (SCENES // size)
    weights = torch.ones(len(LABELS))
    weights[NEITHER] = 0.3  # there is so much more of it
    shown, right, began = 0.0, 0.0, time.time()
    for some in plan:
        for x, labels, phase, said in batches(cache, some, rng, size, hold_out, names):
            inner = spotter.inner((x - mean) / deviation, phase)
            scores = spotter[4](inner)
            loss = F.cross_entropy(scores.reshape(-1, len(LABELS)), labels.reshape(-1), weights,
                                   ignore_index=UNKNOWN, label_smoothing=0.05)
            learner.step(loss + 0.3 * misspelled(speller(inner), said), learner.steps / steps)
            learner.remember()
            words = (labels >= 0) & (labels != NEITHER)
            right += ((scores.argmax(-1) == labels) & words).sum().item() / max(1, words.sum().item())
            shown += loss.item()
            if learner.steps % 100 == 0:
                say("step %d of %d: loss %.3f, frames of words right %.3f, %.0f s", learner.steps, steps, shown / 100,
                    right / 100, time.time() - began)
                shown = right = 0.0
                model.save(out, absorb(learner.average, mean, deviation), spotter.metadata())
    model.save(out, absorb(learner.average, mean, deviation), spotter.metadata())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", help="a directory for what takes long; a second run goes on where the first ended")
    parser.add_argument("--out", default=os.path.join(features.HERE, "words.safetensors"))
    parser.add_argument("--passes", type=int, default=3, help="over the scenes of the last stage")
    parser.add_argument("--start", help="a model to take through the last stage once more")
    parser.add_argument("--hold-out", default=",".join(HELD_OUT), help="sources not to train on")
    parser.add_argument("--only", choices=["clips", "shards"], help="stop after this")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shape", type=json.loads, default={}, help='such as {"dropout": 0.1}')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clips = os.path.join(options.cache, "clips")
    names = list(SOURCES)
    sources = {n: Clips(os.path.join(clips, n)) for n in synthesize(clips)}
    if options.only == "clips":
        return
    shards = {m: ["%s-%03d" % (m, i) for i in range(n)] for m, n in (("clean", 16), ("plain", 24), ("harsh", 8))}
    words = lexicon()
    for shard in sum(shards.values(), []):
        make_shard(options.cache, shard, sources, names, words)
    if options.only == "shards":
        return
    clean, plain, harsh = shards.values()
    # Clean voices at first, else it takes long to find out what matters; then the worst; at last what is likely.
    stages = [[clean] * 3, [clean + plain + harsh] * 3, [clean + plain] * options.passes]
    start = options.start
    stages = stages[2:] if start else stages
    for number, plan in enumerate(stages):
        last = number == len(stages) - 1
        out = options.out if last else os.path.join(options.cache, "stage-%d.safetensors" % number)
        train(options.cache, out, plan, [n for n in options.hold_out.split(",") if n], names, start, **options.shape)
        start = out


if __name__ == "__main__":
    main()
