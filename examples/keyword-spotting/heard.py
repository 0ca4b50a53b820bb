# Recordings of real people, played one after the other: what is named while each is heard.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recording comes after a second of silence and before three quarters of one. What is named from its begin to 0.6 s
after its end is its answer: right if that is exactly its word, or nothing for any other word and for silence."""
import sys

import numpy as np

import recordings
from clips import RATE
from vocabulary import KEYWORDS, NEITHER

BEFORE, AFTER, ANSWER = RATE, RATE * 3 // 4, 0.6
SAID = KEYWORDS + ["other", "silence"]  # Speech Commands' twelve classes
HEARD = KEYWORDS + ["nothing", "several"]
OTHER, SILENCE = NEITHER, NEITHER + 1


def played(audios):
    """16 bit audio of all of them, and [(begin, end)] of each in seconds."""
    pieces, spans, at = [], [], 0
    for audio in audios:
        spans.append(((at + BEFORE) / RATE, (at + BEFORE + len(audio)) / RATE))
        pieces += [np.zeros(BEFORE), audio, np.zeros(AFTER)]
        at += BEFORE + len(audio) + AFTER
    return np.clip(np.round(np.concatenate(pieces) * 32768), -32768, 32767).astype("<i2"), spans


def answers(named, spans):
    """Columns of the table, from [(seconds, word)]."""
    heard = [[word for at, word in named if begin <= at <= end + ANSWER] for begin, end in spans]
    return [HEARD.index(w[0]) if len(w) == 1 else OTHER if not w else OTHER + 1 for w in heard]


def load(folder, most, chosen, seed=79):
    """{word: [audio]} and {word: [speaker]}: up to `most` recordings of each word, drawn at random; `chosen`: of the
    speakers to choose by only."""
    rng, out, speakers = np.random.default_rng(seed), {}, {}
    for word, paths in recordings.words(folder):
        paths = [p for p in paths if not chosen or recordings.choosing(recordings.speaker(p))]
        paths = [str(p) for p in rng.permutation(paths)[:most]] if len(paths) > most else paths
        if paths and word.startswith("_"):
            out[word] = [part for audio in recordings.decode(paths)
                         for part in np.array_split(audio, max(1, len(audio) // RATE))][:most]
        elif paths:
            out[word], speakers[word] = recordings.decode(paths), [recordings.speaker(p) for p in paths]
    if not out:
        sys.exit("%s: expected folders named after words, with .wav or .flac files in them; found none" % folder)
    return out, speakers


def said(word):
    """The row of the table for a folder."""
    return SILENCE if word.startswith("_") else recordings.label(word)


def tabulate(named):
    """Matrix (said, heard), from (word, [(seconds, word named)], spans) of what was played."""
    table = np.zeros((len(SAID), len(HEARD)), int)
    for word, names, spans in named:
        for heard in answers(names, spans):
            table[said(word), heard] += 1
    return table


def play(audios, name):
    """[(word, [(seconds, word named)], spans)] of recordings. `name`: what is named in 16 bit audio."""
    inputs = ((word, *played(some)) for word, some in audios.items())
    return [(word, name(audio), spans) for word, audio, spans in inputs]


def count(audios, name):
    """The table of recordings."""
    return tabulate(play(audios, name))


def by_speaker(named, speakers):
    """{speaker: (wrong answers, answers)}, the worst first, to the keywords of what `play` gave."""
    out = {}
    for word, names, spans in named:
        for speaker, heard in zip(speakers[word], answers(names, spans)) if said(word) < OTHER else ():
            wrong, of = out.get(speaker, (0, 0))
            out[speaker] = wrong + (heard != said(word)), of + 1
    return dict(sorted(out.items(), key=lambda item: -item[1][0]))


def right(table, rows):
    """How many words of these rows were heard right, and how many there are. A keyword's row and column have its number;
    all behind the keywords are right in the column OTHER."""
    return sum(table[r, min(r, OTHER)] for r in rows), table[list(rows)].sum()


def summary(table):
    share = lambda rows: "%d of %d (%.1f %%)" % (*(r := right(table, rows)), 100 * r[0] / max(1, r[1]))
    classes = [right(table, [r]) for r in range(len(SAID)) if table[r].any()]
    return "keywords %s, other words %s, silence %s; mean of %d classes %.1f %%" % (
        share(range(OTHER)), share([OTHER]), share([SILENCE]), len(classes),
        100 * np.mean([hits / of for hits, of in classes]))


def show(table, rows=SAID, columns=HEARD):
    print("%9s" % "said" + "".join("%8s" % w for w in columns) + "   right")
    for said, counts in enumerate(table):
        if counts.any():
            hits, of = right(table, [said])
            print("%9s" % rows[said] + "".join("%8s" % (n or ".") for n in counts) + "%7.1f%%" % (100 * hits / of))
