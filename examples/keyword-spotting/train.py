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
from scenes import Studio
from synth import SOURCES, synthesize
from vocabulary import LABELS, NEITHER

# Never trained on: what evaluate.py reports is about these.
HELD_OUT = ["rms", "ked"]
SECONDS, SCENES = 16, 250
FRAMES = SECONDS * 16000 // features.HOP
UNKNOWN = -100  # frames without a right answer


def say(text, *values):
    print(text % values, file=sys.stderr, flush=True)


def frame_labels(events, takes, names):
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
    for start, end, name in takes:
        sources[(heard * 16000 >= start) & (heard * 16000 < end + 8000)] = names.index(name)
    return labels, sources


def make_shard(cache, shard, sources, names):
    """250 scenes: features, labels, and whose words they are. Its name says the manner of the scenes."""
    path = os.path.join(cache, shard)
    if os.path.exists(path + ".npz"):
        return
    manner, _, index = shard.partition("-")
    began = time.time()
    babblers = {n: c for n, c in sources.items() if n not in HELD_OUT}
    studio = Studio(sources, {"harsh": 1000, "clean": 1100, "plain": 1200}[manner] + int(index), babblers, manner)
    rows = []
    with open(path + ".pcm", "wb") as pcm:
        for _ in range(SCENES):
            audio, events, takes = studio.scene(SECONDS)
            pcm.write(audio.tobytes())
            rows.append(frame_labels(events, takes, names))
        pcm.write(bytes(2 * features.HOP))  # so that the last scene has as many frames
    features.extract(path + ".pcm", path + ".f32")
    os.unlink(path + ".pcm")
    labels, sources_of = (np.array(r).astype(np.int8) for r in zip(*rows))
    np.savez(path + ".npz", labels=labels, sources=sources_of)
    say("%s took %.0f s", shard, time.time() - began)


def vary(rng, x, labels, other):
    """What can be done to features (FRAMES, mels) in no time, anew in every pass: pace, loudness, colour and length of
    the vocal tract, some of another scene in the background, and holes. Returns features and labels."""
    if rng.random() < 0.7:
        at = np.clip(np.arange(FRAMES) * np.exp(rng.uniform(-0.12, 0.12)), 0, FRAMES - 1.001)
        base, part = at.astype(int), (at % 1).astype(np.float32)[:, None]
        labels = np.where(at < FRAMES - 1.01, labels[base], UNKNOWN)
        x = x[base] * (1 - part) + x[base + 1] * part
    out = np.empty_like(x)
    bands = np.arange(40)
    for piece in np.array_split(np.arange(FRAMES), rng.integers(1, 5)):
        at = bands * np.exp(rng.uniform(-0.09, 0.09)) + rng.uniform(-0.5, 0.5)
        warp = np.maximum(0, 1 - np.abs(np.clip(at, 0, 39)[None] - bands[:, None])).astype(np.float32)
        colour = np.interp(bands, np.linspace(0, 39, 7), rng.normal(0, 0.4, 7)) + rng.uniform(-2.5, 2.5)
        out[piece] = x[piece] @ warp + colour
    power = np.maximum(np.exp(out) - 1e-5, 0)
    if rng.random() < 0.15:
        power += np.exp(other + rng.uniform(-6, -2) + (out.mean() - other.mean()))
    x = np.log(power + 1e-5).astype(np.float32)
    middle = x.mean()
    for _ in range(rng.integers(0, 3)):
        low = rng.integers(0, 36)
        x[:, low : low + rng.integers(1, 8)] = middle
    for _ in range(rng.integers(0, 16)):
        at = rng.integers(0, FRAMES - 6)
        x[at : at + rng.integers(1, 5)] = middle
    return x, labels


def batches(cache, shards, rng, size, hold_out, names):
    """One pass over the shards: x (size, FRAMES, mels), labels (size, FRAMES), phase (size,)."""
    dropped = [names.index(n) for n in hold_out]
    for shard in rng.permutation(shards):
        path = os.path.join(cache, shard)
        x = features.read(path + ".f32")[: SCENES * FRAMES].reshape(SCENES, FRAMES, -1)
        data = np.load(path + ".npz")
        labels = data["labels"].astype(np.int64)
        labels[np.isin(data["sources"], dropped)] = UNKNOWN
        order = rng.permutation(SCENES)
        for first in range(0, SCENES - size + 1, size):
            some = order[first : first + size]
            pairs = [vary(rng, x[i], labels[i], x[rng.integers(SCENES)]) for i in some]
            part, wanted = (np.stack(p) for p in zip(*pairs))
            yield torch.from_numpy(part), torch.from_numpy(wanted), torch.from_numpy(rng.integers(0, 10**6, size))


def standardize(cache):
    """Mean (mels,) and deviation (mels,). Lets the first layer see features of mean 0 and deviation 1: constants that its weights absorb at the end."""
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
    decay = [p for n, p in spotter.named_parameters() if p.requires_grad and p.ndim > 1]
    rest = [p for n, p in spotter.named_parameters() if p.requires_grad and p.ndim == 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0}], peak,
                                  betas=(0.9, 0.98))
    steps = sum(map(len, plan)) * (SCENES // size)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min(1, (s + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * min(1, s / steps))) + 1e-3)
    weights = torch.ones(len(LABELS))
    weights[NEITHER] = 0.3  # there is so much more of it
    average = {n: t.clone() for n, t in spotter.state_dict().items()}
    step, shown, right, began = 0, 0.0, 0.0, time.time()
    for some in plan:
        for x, labels, phase in batches(cache, some, rng, size, hold_out, names):
            scores = spotter((x - mean) / deviation, phase)
            loss = F.cross_entropy(scores.reshape(-1, len(LABELS)), labels.reshape(-1), weights,
                                   ignore_index=UNKNOWN, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(spotter.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            keep = min(0.999, step / (step + 10))
            with torch.no_grad():
                for name, tensor in spotter.state_dict().items():
                    average[name].mul_(keep).add_(tensor, alpha=1 - keep)
                words = (labels >= 0) & (labels != NEITHER)
                right += ((scores.argmax(-1) == labels) & words).sum().item() / max(1, words.sum().item())
            shown += loss.item()
            if step % 100 == 0:
                say("step %d of %d: loss %.3f, frames of words right %.3f, %.0f s", step, steps, shown / 100,
                    right / 100, time.time() - began)
                shown = right = 0.0
                model.save(out, absorb(average, mean, deviation), spotter.metadata())
    model.save(out, absorb(average, mean, deviation), spotter.metadata())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", help="a directory for what takes long; a second run goes on where the first ended")
    parser.add_argument("--out", default=os.path.join(features.HERE, "words.safetensors"))
    parser.add_argument("--passes", type=int, default=3, help="over the scenes of the last stage")
    parser.add_argument("--start", help="a model to take through the last stage once more")
    parser.add_argument("--hold-out", default=",".join(HELD_OUT), help="sources not to train on")
    parser.add_argument("--only", choices=["clips", "shards"], help="stop after this")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shape", type=json.loads, default={}, help='such as {"layers": 3}')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clips = os.path.join(options.cache, "clips")
    names = list(SOURCES)
    sources = {n: Clips(os.path.join(clips, n)) for n in synthesize(clips)}
    if options.only == "clips":
        return
    shards = {m: ["%s-%03d" % (m, i) for i in range(n)] for m, n in (("clean", 4), ("plain", 20), ("harsh", 16))}
    for shard in sum(shards.values(), []):
        make_shard(options.cache, shard, sources, names)
    if options.only == "shards":
        return
    clean, plain, harsh = shards.values()
    # Clean voices at first, else it takes long to find out what matters; then the worst; at last what is likely.
    stages = [[clean] * 3 + [clean + harsh], [clean + plain[:8] + harsh[:4]] * 4, [clean + plain] * options.passes]
    start = options.start
    stages = stages[2:] if start else stages
    for number, plan in enumerate(stages):
        last = number == len(stages) - 1
        out = options.out if last else os.path.join(options.cache, "stage-%d.safetensors" % number)
        train(options.cache, out, plan, [n for n in options.hold_out.split(",") if n], names, start, **options.shape)
        start = out


if __name__ == "__main__":
    main()
