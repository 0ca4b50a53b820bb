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
import ctypes
import json
import os
import sys
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # the features are made by many small products

import numpy as np
import torch
from torch.nn import functional as F

import features
import model
import recordings
import takes
from clips import Clips
from learning import Learner
from mixtures import Mixer, Takes
from synth import synthesize
from vocabulary import LABELS, NEITHER, PHONES, UNKNOWN, lexicon

SCENES = 8   # in a step
EVERY = 100  # steps from one checkpoint to the next
SHARE = 0.4  # of what the synthesizers could say: all else is made of it


def say(text, *values):
    print(text % values, file=sys.stderr, flush=True)


def batch(mixer, rng, size=SCENES):
    """x (size, FRAMES, mels), labels (size, FRAMES), phase (size,), and what is said: a list of (scene, first frame,
    last frame, phones)."""
    x, labels, said = zip(*(mixer.scene(rng) for _ in range(size)))
    said = [(row, *span) for row, spans in enumerate(said) for span in spans]
    return (torch.from_numpy(np.stack(x)), torch.from_numpy(np.stack(labels)),
            torch.from_numpy(rng.integers(0, 10**6, size)), said)


def misspelled(scores, said):
    """How badly scores (B, FRAMES, 1 + PHONES) spell what is said, per phone: connectionist temporal classification of
    Graves et al. (2006). Words that were never heard are told apart by their sounds, too."""
    if not said:
        return scores.sum() * 0
    parts = [scores[row, first:last] for row, first, last, _ in said]
    phones = [torch.from_numpy(p.astype(np.int64)) for *_, p in said]
    sizes, lengths = ([len(p) for p in some] for some in (phones, parts))
    likely = torch.nn.utils.rnn.pad_sequence(parts).log_softmax(-1)
    return F.ctc_loss(likely, torch.cat(phones), lengths, sizes, reduction="sum", zero_infinity=True) / sum(sizes)


def standardize(mixer):
    """Mean (mels,) and deviation (mels,). Lets the first layer see features of mean 0 and deviation 1: constants that
    its weights absorb at the end."""
    rng = np.random.default_rng(0)
    x = np.concatenate([mixer.scene(rng)[0] for _ in range(200)])
    return torch.from_numpy(x.mean(0)), torch.from_numpy(x.std(0))


def absorb(state, mean, deviation):
    """The state dict of a model that takes features as they are."""
    state = dict(state)
    weight = state["0.weight"] / deviation
    state["0.bias"] = state["0.bias"] - weight @ mean
    state["0.weight"] = weight
    return state


def keep_memory():
    """Lets the C library keep what a step frees for the next one, rather than give it back to the system: a third of the
    time was spent on clearing pages. Does nothing where the library is not glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    for option, value in ((-1, 1 << 30), (-2, 1 << 27), (-3, 1 << 25)):  # trim, top pad, largest part of the heap
        mallopt(option, value)


def half_precision():
    """Products of 16 bit floats if the processor has them: twice as fast, and the weights stay 32 bit floats."""
    try:
        with open("/proc/cpuinfo") as lines:
            return "avx512_bf16" in lines.read()
    except OSError:
        return False


class Training:
    """A model on its way. Saves all it needs, its dice included, so that a run that was interrupted ends with the
    weights of one that was not."""

    def __init__(self, mixer, seed, steps, start=None, peak=1.5e-3, **shape):
        torch.manual_seed(seed)
        self.mixer, self.rng, self.steps = mixer, np.random.default_rng(seed), steps
        self.spotter = model.Spotter(40, LABELS, **shape)
        self.mean, self.deviation = standardize(mixer)
        if start:
            self.spotter.load_state_dict(absorb(model.load(start)[0], -self.mean / self.deviation, 1 / self.deviation))
        self.speller = torch.nn.Linear(self.spotter[4].in_features, 1 + len(PHONES))  # for training only
        self.learner = Learner(self.spotter, [self.speller], peak, 0.05, 0.999)
        self.weights = torch.ones(len(LABELS))
        self.weights[NEITHER] = 0.3  # there is so much more of it
        self.half = half_precision()

    def step(self):
        x, labels, phase, said = batch(self.mixer, self.rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            inner = self.spotter.inner((x - self.mean) / self.deviation, phase)
            scores, spelled = self.spotter[4](inner).float(), self.speller(inner).float()
        loss = F.cross_entropy(scores.reshape(-1, len(LABELS)), labels.reshape(-1), self.weights,
                               ignore_index=UNKNOWN, label_smoothing=0.05)
        self.learner.step(loss + 0.3 * misspelled(spelled, said), self.learner.steps / self.steps)
        self.learner.remember()
        words = (labels >= 0) & (labels != NEITHER)
        right = ((scores.argmax(-1) == labels) & words).sum().item() / max(1, words.sum().item())
        return loss.item(), right

    def save(self, path):
        # Tensors and plain numbers alone: what torch.load() reads without running anything of the file
        before = self.mixer.before
        torch.save({"model": self.spotter.state_dict(), "speller": self.speller.state_dict(),
                    "learner": self.learner.state(), "numpy": self.rng.bit_generator.state,
                    "torch": torch.get_rng_state(),
                    "before": None if before is None else torch.from_numpy(before)}, path + ".part")
        os.rename(path + ".part", path)

    def load(self, path):
        state = torch.load(path)
        self.spotter.load_state_dict(state["model"])
        self.speller.load_state_dict(state["speller"])
        self.learner.restore(state["learner"])
        self.rng.bit_generator.state = state["numpy"]
        torch.set_rng_state(state["torch"])
        self.mixer.before = None if state["before"] is None else state["before"].numpy()

    def write(self, out):
        model.save(out + ".part", absorb(self.learner.average, self.mean, self.deviation), self.spotter.metadata())
        os.rename(out + ".part", out)

    def run(self, out, checkpoint):
        """Trains to the end, from the checkpoint if there is one, and writes the model `out`."""
        if os.path.exists(checkpoint):
            self.load(checkpoint)
            say("going on at step %d of %d", self.learner.steps, self.steps)
        began, shown = time.time(), []
        while self.learner.steps < self.steps:
            shown.append(self.step())
            if self.learner.steps % EVERY == 0 or self.learner.steps == self.steps:
                loss, right = np.mean(shown, 0)
                say("step %d of %d: loss %.3f, frames of words right %.3f, %.0f s", self.learner.steps, self.steps, loss,
                    right, time.time() - began)
                shown = []
                self.save(checkpoint)
                self.write(out)
        self.write(out)


def prepare(cache, folder, counts, without_test=False):
    """What training needs, in `cache`; what is there already is kept. Returns the paths of all takes, and of noises."""
    clips = os.path.join(cache, "clips")
    names = synthesize(clips, SHARE)
    if folder:
        path = os.path.join(clips, takes.REAL)
        if not os.path.exists(path + ".json"):
            recordings.collect(folder, path, without_test)
        names.append(takes.REAL)
    sources = {n: Clips(os.path.join(clips, n)) for n in names}
    words = lexicon()
    plain = min(counts["plain"], -(-len(sources[takes.REAL].list) // takes.SIZE)) if folder else 0
    kinds = [("plain", plain), ("real", counts["real"] if folder else 0), ("synth", counts["synth"])]
    paths = [takes.make_takes(cache, kind, i, sources, words) for kind, count in kinds for i in range(count)]
    return paths, takes.make_noises(cache)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", help="a directory for what takes long; a second run goes on where the first ended")
    parser.add_argument("--recordings", metavar="DIR", help="real people's words, laid out as Google's Speech Commands")
    parser.add_argument("--without-test-partition", action="store_true",
                        help="leave out the speakers whom Speech Commands has to test with, to be tested with them afterwards")
    parser.add_argument("--out", default=os.path.join(features.HERE, "words.safetensors"))
    parser.add_argument("--steps", type=int, default=7000, help="of the first training; the second has half as many")
    parser.add_argument("--start", help="a model to go on from")
    parser.add_argument("--peak", type=float, default=1.5e-3, help="the highest learning rate")
    parser.add_argument("--only", choices=["data", "choosing", "all"],
                        help="stop after making data; train without the speakers to choose by; train with all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shape", type=json.loads, default={}, help='such as {"layers": 5}')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_memory()
    paths, noises = prepare(options.cache, options.recordings, {"plain": 30, "real": 10, "synth": 6},
                            options.without_test_partition)
    if options.only == "data":
        return
    # First without a fifth of the speakers, who tell how well it hears people it does not know; then with them.
    chosen = os.path.join(options.cache, "choosing.safetensors")
    stages = [("choosing", chosen, options.steps, options.start, options.peak),
              ("all", options.out, options.steps // 2, chosen, options.peak / 2)]
    for stage, out, steps, start, peak in stages if options.recordings else stages[:1]:
        if options.only in (None, stage):
            mixer = Mixer(Takes(paths, stage == "choosing"), Takes([noises], False))
            Training(mixer, len(stage), steps, start, peak, **options.shape).run(
                out if options.recordings else options.out, os.path.join(options.cache, stage + ".checkpoint"))


if __name__ == "__main__":
    main()
