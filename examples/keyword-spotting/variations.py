# What can be done to features in no time, so that a scene is another one in every pass.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy as np

from vocabulary import UNKNOWN

OFFSET = 1e-5  # of the logarithm


def weaken_ends(rng, x, spans):
    """An unreleased p or t."""
    for end in spans[rng.random(len(spans)) < 0.25, 1]:
        x[max(0, end - rng.integers(3, 9)) : end + 2] -= rng.uniform(0, 4)


def change_pace(rng, x, labels, spans, strength):
    pace = np.exp(rng.uniform(-0.27, 0.27) * strength)
    last = len(x) - 1
    at = np.clip(np.arange(len(x)) * pace, 0, last - 1e-3)
    base, part = at.astype(int), (at % 1).astype(np.float32)[:, None]
    labels = np.where(np.arange(len(x)) * pace < last, labels[base], UNKNOWN)
    return x[base] * (1 - part) + x[base + 1] * part, labels, (spans / pace).astype(int)


def other_mouths(rng, x, strength):
    """Other vocal tracts and microphones, each for a while: power (frames, mels) of the logarithms x."""
    bands = np.arange(x.shape[1])
    power = []
    for piece in np.array_split(x, rng.integers(1, 5)):
        at = bands * np.exp(rng.uniform(-0.12, 0.12) * strength) + strength * (rng.uniform(-0.5, 0.5) + np.interp(
            bands, np.linspace(0, bands[-1], 6), rng.normal(0, 0.35, 6)))  # nobody's mouth is a longer copy of another's
        warp = np.maximum(0, 1 - np.abs(np.clip(at, 0, bands[-1]) - bands[:, None])).astype(np.float32)
        power.append(np.maximum(np.exp(piece @ warp) - OFFSET, 0) * np.exp(microphone(rng, bands)).astype(np.float32))
    return np.concatenate(power)


def microphone(rng, bands):
    """Logarithm of the gain of each band: loudness and colour, some of them bright, many of them dark."""
    colour = np.interp(bands, np.linspace(0, bands[-1], 7), rng.normal(0, 0.4, 7)) + rng.uniform(-2.5, 2.5)
    colour += rng.normal(0, 1) * (bands / bands[-1] - 0.5)
    if rng.random() < 0.25:
        colour -= np.maximum(0, bands - rng.uniform(8, 34)) * rng.uniform(0.05, 0.4)
    if rng.random() < 0.1:
        colour -= np.maximum(0, rng.uniform(1, 9) - bands) * rng.uniform(0.1, 0.6)
    return colour


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


def vary(rng, x, labels, spans, other, mild=False):
    """x (frames, mels), logarithms of power with an OFFSET; labels (frames,); spans (N, 3): first frame, end and
    last frame of what is said; other (frames, mels): another scene, which may be heard in the background; `mild`: somebody
    nearly alike by a usable microphone. Returns features, labels and spans."""
    x = np.array(x)
    strength = 0.5 if mild else 1
    if not mild:
        weaken_ends(rng, x, spans)
    if rng.random() < 0.7:
        x, labels, spans = change_pace(rng, x, labels, spans, strength)
    power = other_mouths(rng, x, strength)
    if mild:
        return np.log(power + OFFSET).astype(np.float32), labels, spans
    if rng.random() < 0.2:
        hum_on(rng, power)
    small_noises(rng, power)
    if rng.random() < 0.15:
        power += np.exp(other + rng.uniform(-6, -2) + (x.mean() - other.mean()))
    x = np.log(power + OFFSET).astype(np.float32)
    holes(rng, x)
    return x, labels, spans
