#!/usr/bin/python3
# How well the keyword spotter hears voices that it was not trained on.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uses the clips in train.py's cache. Says how many single words were heard right: as the synthesizers speak them
("clean"), as other people with usable microphones would ("plain"), and as one can just about follow ("harsh"). Then
plays words, phrases and talk through the demo's own pipeline, and what a person says (prompts.py), if it is installed.
With --recordings, plays real people's words instead, as heard.py says: DIR/WORD/*.flac or .wav, as Google's Speech
Commands are laid out. When a WORD is said that is not a keyword, or in a folder whose name begins with _, nothing is to be
named. --choosing leaves only the fifth of the speakers whom train.py chooses by; --settings tries many thresholds."""
import argparse
import os
import tempfile

import numpy as np
import torch

import decide
import features
import heard
import model
import prompts
from clips import RATE, Clips, whole
from scenes import Studio
from synth import HELD_OUT
from vocabulary import COMMANDS, KEYWORDS, LABELS, NEITHER, SIMILAR


# What is said: rows of the tables.
SAID = KEYWORDS + ["commands", "near", "other"]
ENCODER = features.setting("KWS_ENCODER").split()


class Alone:
    """The clips of a source that hold one thing only: single words, or running speech."""

    def __init__(self, clips, running=False):
        self.clips = clips
        self.list = [c for c in clips.list if whole(c) and (" " in c[4]) == running]

    def audio(self, index):
        start, length = self.list[index][:2]
        return self.clips.pcm[start : start + length].astype(np.float32) / 32768


def listen(spotter, audio, smoothing=decide.SMOOTHING):
    """Smoothed probabilities for 16 bit audio: the element's features, the network over all of them."""
    with tempfile.TemporaryDirectory() as scratch:
        pcm, out = os.path.join(scratch, "a.pcm"), os.path.join(scratch, "a.f32")
        audio.tofile(pcm)
        features.extract(pcm, out)
        x = features.read(out)
    with torch.no_grad():
        return decide.smooth(spotter(torch.from_numpy(x)[None])[0].numpy(), smoothing)


def row(label, text):
    return label if label != NEITHER else NEITHER + (0 if text in COMMANDS else 1 if text in SIMILAR else 2)


def confusion(spotter, clips, babblers, manner, minutes, seed=77):
    """Matrix (said, heard) over `minutes` of single words."""
    alone = Alone(clips)
    studio = Studio({"it": alone}, seed, babblers, manner)
    table = np.zeros((len(SAID), len(LABELS)), int)
    for _ in range(minutes):
        audio, _, spoken = studio.scene(60)
        events = [(start, end, row(alone.list[clip][2][0][2], alone.list[clip][4]))
                  for start, end, _, clip in spoken if end < 60 * RATE]
        for event, answer in zip(events, decide.judge(listen(spotter, audio), events)):
            table[event[2], answer] += 1
    return table


def named(path, audio):
    """[(seconds, word)] that the demo's own pipeline names in 16 bit audio."""
    with tempfile.NamedTemporaryFile() as pcm:
        audio.tofile(pcm)
        pcm.flush()
        lines = features.pipeline(pcm.name, *features.setting("KWS_MEL").split(), "!", "continualencoder",
                                  "model-path=" + path, *ENCODER, "!",
                                  *features.setting("KWS_LABELER").split(), "!", "fdsink").decode().splitlines()
    return [(float(line.split("\t")[0]), line.split("\t")[1]) for line in lines]


def stream(path, clips, babblers, manner, minutes, running=False):
    """Plays talk through the demo's own pipeline. Returns keywords said, keywords heard, and false alarms: those
    that nobody said, or not within 0.6 s of their end."""
    studio = Studio({"it": Alone(clips, True) if running else clips}, 78, babblers, manner)
    said = hits = alarms = 0
    for _ in range(minutes):
        audio, events, _ = studio.scene(60)
        waiting = [(s / RATE, e / RATE, LABELS[k]) for s, e, k in events if k != NEITHER]
        said += len(waiting)
        for at, word in named(path, audio):
            match = [w for w in waiting if w[2] == word and w[0] < at < w[1] + 0.6]
            if match:
                waiting.remove(match[0])
                hits += 1
            else:
                alarms += 1
    return said, hits, alarms


def matched(names, spans):
    """Keywords said, keywords heard and false alarms, of [(seconds, word)] and the announcements' spans."""
    waiting = [(start, end, word) for start, end, words in spans for word in words]
    said, alarms = len(waiting), 0
    for at, word in names:
        match = [w for w in waiting if w[2] == word and w[0] <= at * RATE < w[1]]
        if match:
            waiting.remove(match[0])
        else:
            alarms += 1
    return said, said - len(waiting), alarms


def person(path):
    """Keywords said, keywords heard, false alarms and hours of a real person; None if she is not installed."""
    audio, spans = prompts.announcements()
    return (*matched(named(path, audio), spans), len(audio) / RATE / 3600) if spans else None


def settings(spotter, audios):
    """Prints what each threshold and smoothing of the demo would make of recordings, and of the announcements: by the
    network over all of them, which names what the pipeline names."""
    inputs = {word: heard.played(some) for word, some in audios.items()}
    scores = {word: listen(spotter, audio, 0) for word, (audio, _) in inputs.items()}
    talk, spans = prompts.announcements()
    said = listen(spotter, talk, 0) if spans else None
    name = lambda p, threshold: [(t * features.HOP / RATE, LABELS[k]) for t, k in decide.words(p, threshold)]
    for smoothing in (0.6, 0.7, 0.8, 0.85, 0.9):
        smoothed = {word: decide.average(p, smoothing) for word, p in scores.items()}
        announced = decide.average(said, smoothing) if spans else None
        for threshold in np.arange(0.3, 0.91, 0.05):
            table = heard.tabulate((word, name(p, threshold), inputs[word][1]) for word, p in smoothed.items())
            line = "smoothing %.2f, threshold %.2f: %s" % (smoothing, threshold, heard.summary(table))
            if spans:
                _, hits, alarms = matched(name(announced, threshold), spans)
                line += "; announcements %d keywords, %.0f false alarms per hour" % (
                    hits, alarms / (len(talk) / RATE / 3600))
            print(line, flush=True)


def share(table, rows=range(len(SAID))):
    hits, count = heard.right(table, rows)
    return 100 * hits / max(1, count)


def summary(table):
    """All words; keywords and commands with every keyword and all commands together counting alike, as in Speech
    Commands' own test; then the kinds of words."""
    alike = np.mean([share(table, [r]) for r in range(NEITHER + 1)])
    kinds = {"keywords": range(NEITHER), "commands": [NEITHER], "near misses": [NEITHER + 1], "other words": [NEITHER + 2]}
    return "%.1f %% of %d right; as Speech Commands counts %.1f %%; %s" % (
        share(table), table.sum(), alike, ", ".join("%s %.1f" % (n, share(table, rows)) for n, rows in kinds.items()))


def announced(path):
    result = person(path)
    if result:
        print("a person, recorded: %d of %d keywords within sentences; %.0f false alarms per hour" % (
            result[1], result[0], result[2] / result[3]))
    else:
        print("a person, recorded: not tried, %s and its texts are not installed" % prompts.SOUNDS)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", nargs="?", help="as for train.py")
    parser.add_argument("--model", default=os.path.join(features.HERE, "words.safetensors"))
    parser.add_argument("--sources", default=",".join(HELD_OUT), help="whose voices, comma-separated")
    parser.add_argument("--minutes", type=int, default=12, help="per source and condition")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--encoder", default="", help='more properties of continualencoder, such as "precision=int8"')
    parser.add_argument("--pipeline", action="store_true", help="what goes through the pipeline only")
    parser.add_argument("--recordings", metavar="DIR", help="a folder of WORD/*.flac: counts these and nothing else")
    parser.add_argument("--choosing", action="store_true", help="only the speakers whom train.py chooses by")
    parser.add_argument("--settings", action="store_true", help="try other thresholds and smoothings on them")
    parser.add_argument("--most", type=int, default=400, help="recordings of each word")
    parser.add_argument("--announcements", action="store_true", help="the telephone announcements only")
    options = parser.parse_args()
    if not (options.cache or options.recordings or options.announcements):
        parser.error("expected a cache, --recordings or --announcements")
    ENCODER.extend(options.encoder.split())
    torch.set_num_threads(options.threads)
    spotter = model.read_spotter(options.model)
    if options.recordings:
        audios, speakers = heard.load(options.recordings, options.most, options.choosing)
        if options.settings:
            settings(spotter, audios)
            return
        answers = heard.play(audios, lambda audio: named(options.model, audio))
        table = heard.tabulate(answers)
        heard.show(table)
        print("recordings: " + heard.summary(table))
        wrong = [n for n, _ in heard.by_speaker(answers, speakers).values()]
        print("keywords that were not heard: %d; %d of them said by the five of %d speakers who are heard worst" % (
            sum(wrong), sum(wrong[:5]), len(wrong)))
    if options.announcements:
        announced(options.model)
    if options.recordings or options.announcements:
        return
    names = options.sources.split(",")
    load = lambda name: Clips(os.path.join(options.cache, "clips", name))
    babblers = {n: load(n) for n in ("espeak", "accents")}
    for manner in () if options.pipeline else ("clean", "plain", "harsh"):
        total = np.zeros((len(SAID), len(LABELS)), int)
        for name in names:
            table = confusion(spotter, load(name), babblers, manner, options.minutes)
            print("%s, %s: %s" % (name, manner, summary(table)), flush=True)
            total += table
        heard.show(total, SAID, LABELS)
        print("all, %s: %s\n" % (manner, summary(total)), flush=True)
    for name in names:
        for manner in ("clean", "plain", "harsh"):
            said, hits, _ = stream(options.model, load(name), babblers, manner, options.minutes)
            _, _, alarms = stream(options.model, load(name), babblers, manner, options.minutes, True)
            print("%s, %s, through the pipeline: %.1f %% of %d keywords in words and phrases; in talk without any, "
                  "%.0f false alarms per hour" % (name, manner, 100 * hits / said, said,
                                                  alarms * 60 / options.minutes), flush=True)
    announced(options.model)


if __name__ == "__main__":
    main()
