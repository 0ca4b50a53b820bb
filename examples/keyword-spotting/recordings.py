# Recordings of single words by real people, laid out as Google's Speech Commands: DIR/WORD/SPEAKER_nohash_N.flac or .wav.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A folder whose name begins with _ holds what is no speech; long files in it are cut into seconds."""
import glob
import hashlib
import os
import subprocess
import sys
import wave

import numpy as np

import features
from clips import RATE, ClipWriter
from vocabulary import LABELS, NEITHER


def speaker(path):
    """Who is heard in a file."""
    return os.path.splitext(os.path.basename(path))[0].partition("_nohash_")[0]


def choosing(name):
    """Whether a speaker belongs to the fifth by which models and settings are chosen. Always the same fifth."""
    return hashlib.sha256(name.encode()).digest()[0] % 5 == 0


def testing(name):
    """Whether the authors of Speech Commands put a speaker into the tenth to test with."""
    share = int(hashlib.sha1(name.encode()).hexdigest(), 16) % (1 << 27) * 100 / ((1 << 27) - 1)
    return 10 <= share < 20  # below 10: to validate with


def words(folder):
    """Yields (word, its files in order)."""
    for word in sorted(next(os.walk(folder), ("", [], []))[1]):
        paths = glob.glob(os.path.join(folder, glob.escape(word), "*"))
        yield word, sorted(p for p in paths if p.endswith((".flac", ".wav")))


def label(word):
    return LABELS.index(word) if word in LABELS else NEITHER


def _wave(path):
    try:
        with wave.open(path) as sound:
            if sound.getparams()[:3] == (1, 2, RATE):
                return np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
    except (wave.Error, EOFError):
        pass
    return None


def _samples(path):
    """How many samples are in a FLAC file at 16 kHz, 16 bit, mono; None if it is something else."""
    with open(path, "rb") as file:
        head = file.read(26)
    packed = int.from_bytes(head[18:26], "big")  # 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples
    return packed & 0xFFFFFFFFF if head[:4] == b"fLaC" and packed >> 36 == RATE << 8 | 15 else None


def _flacs(paths):
    """[audio] of many FLAC files by one pipeline, since starting one takes longer than decoding; None if that fails."""
    counts = [_samples(p) for p in paths]
    if not all(counts):
        return None
    inputs = [word for p in paths for word in ("filesrc", "location=" + p, "!", "flacparse", "!", "flacdec", "!", "c.")]
    done = subprocess.run(["gst-launch-1.0", "-q", "concat", "name=c", "!", "fdsink", *inputs],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return np.split(np.frombuffer(done, "<i2") / 32768, np.cumsum(counts)[:-1]) if len(done) == 2 * sum(counts) else None


def decode(paths):
    """[audio (n,)] of files, mono at 16 kHz. There may be 100 000 of them."""
    out = []
    for first in range(0, len(paths), 40):
        some = paths[first : first + 40]
        for path, audio in zip(some, _flacs(some) or map(_wave, some)):
            audio = features.decode(path) if audio is None else audio
            if not len(audio):
                sys.exit("%s: expected audio, found nothing that can be decoded" % path)
            out.append(audio)
    return out


def spoken(audio, pause=0.18):
    """First and last sample of the word. The microphone's own noise is there before and after it, so what counts is the
    distance to both the loudest and the quietest moments."""
    hop = RATE // 100
    count = len(audio) // hop
    energy = (np.asarray(audio[: count * hop], np.float64).reshape(count, hop) ** 2).mean(1)
    level = 10 * np.log10(np.convolve(energy, np.ones(3) / 3, "same") + 1e-9)
    top, floor, at = level.max(), np.percentile(level, 10), int(level.argmax())
    loud = np.flatnonzero(level > max(top - 25, floor + 0.35 * (top - floor)))
    first = last = at
    for index in loud[loud < at][::-1]:  # outwards from the loudest moment, over closures but not over pauses
        first = index if first - index <= pause * 100 else first
    for index in loud[loud > at]:
        last = index if index - last <= pause * 100 else last
    return max(0, (first - 1) * hop), min(len(audio), (last + 2) * hop)


def collect(folder, path, without_test=False):
    """Writes all recordings of a folder as clips at `path`: the whole file each, the word within it as its event, the
    speaker as its voice; what is no speech has the text "". `without_test`: those of speakers to test with are left
    out."""
    writer = ClipWriter(path)
    for word, files in words(folder):
        files = [f for f in files if not (without_test and testing(speaker(f)))]
        for file, audio in zip(files, decode(files)):
            if word.startswith("_"):
                for at in range(0, len(audio) - RATE // 2, RATE):
                    part = audio[at : at + RATE]
                    writer.add(part, [(0, len(part), NEITHER)], speaker(file), "")
            else:
                writer.add(audio, [(*spoken(audio), label(word))], speaker(file), word)
    writer.close()
