# What can be done to features in no time, so that a scene is another one in every pass.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy as np

from vocabulary import UNKNOWN


def weaken_ends(rng, x, spans):
    """An unreleased p or t."""
    for end in spans[rng.random(len(spans)) < 0.25, 1]:
        x[max(0, end - rng.integers(3, 9)) : end + 2] -= rng.uniform(0, 4)


def change_pace(rng, x, labels, spans):
    pace = np.exp(rng.uniform(-0.22, 0.22))
    last = len(x) - 1
    at = np.clip(np.arange(len(x)) * pace, 0, last - 1e-3)
    base, part = at.astype(int), (at % 1).astype(np.float32)[:, None]
    labels = np.where(np.arange(len(x)) * pace < last, labels[base], UNKNOWN)
    return x[base] * (1 - part) + x[base + 1] * part, labels, (spans / pace).astype(int)


def other_mouths(rng, x):
    """Other vocal tracts, each for a while; colour and loudness."""
    bands = np.arange(x.shape[1])
    for piece in np.array_split(x, rng.integers(1, 5)):
        at = bands * np.exp(rng.uniform(-0.1, 0.1)) + rng.uniform(-0.5, 0.5) + np.interp(
            bands, np.linspace(0, bands[-1], 6), rng.normal(0, 0.35, 6))  # nobody's mouth is a longer copy of another's
        warp = np.maximum(0, 1 - np.abs(np.clip(at, 0, bands[-1]) - bands[:, None])).astype(np.float32)
        colour = np.interp(bands, np.linspace(0, bands[-1], 7), rng.normal(0, 0.4, 7)) + rng.uniform(-2.5, 2.5)
        piece[:] = piece @ warp + colour


def hum_on(rng, power):
    """A mouth, or a room, that is not quiet at once when the word is over; the low tones take longest."""
    bands = np.arange(power.shape[1])
    knots = [0, rng.uniform(4, 16), bands[-1]]
    decay = np.exp(-np.interp(bands, knots, rng.uniform((0.3, 0.6, 1.5), (1.2, 2.5, 4))))
    tail, share = np.zeros(power.shape[1]), rng.uniform(0.05, 0.5)
    for now in power:
        tail, now[:] = decay * (tail + now), now + share * tail


def small_noises(rng, power):
    """A breath, a click, a chair."""
    bands = np.arange(power.shape[1])
    for _ in range(rng.integers(0, 8)):
        at = rng.integers(0, len(power) - 12)
        loudest = power[max(0, at - 40) : at + 60].max()
        colour = np.interp(bands, np.linspace(0, bands[-1], 5), rng.normal(0, 1, 5)) - rng.uniform(6, 10)
        power[at : at + rng.integers(1, 12)] += loudest * np.exp(colour)


def holes(rng, x):
    middle = x.mean()
    for _ in range(rng.integers(0, 3)):
        low = rng.integers(0, x.shape[1] - 4)
        x[:, low : low + rng.integers(1, 8)] = middle
    for _ in range(rng.integers(0, 16)):
        at = rng.integers(0, len(x) - 6)
        x[at : at + rng.integers(1, 5)] = middle


def vary(rng, x, labels, spans, other):
    """x (frames, mels), logarithms of power with an offset of 1e-5; labels (frames,); spans (N, 3): first frame, end and
    last frame of what is said; other (frames, mels): another scene, which may be heard in the background. Returns
    features, labels and spans."""
    x = np.array(x)
    weaken_ends(rng, x, spans)
    if rng.random() < 0.7:
        x, labels, spans = change_pace(rng, x, labels, spans)
    other_mouths(rng, x)
    power = np.maximum(np.exp(x) - 1e-5, 0)
    if rng.random() < 0.2:
        hum_on(rng, power)
    small_noises(rng, power)
    if rng.random() < 0.15:
        power += np.exp(other + rng.uniform(-6, -2) + (x.mean() - other.mean()))
    x = np.log(power + 1e-5).astype(np.float32)
    holes(rng, x)
    return x, labels, spans
