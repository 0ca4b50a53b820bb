# One word of two speakers: somebody between them, or beyond one of them, says it.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy as np

from voice_effects import envelopes, istft, stft


def align(a, b):
    """Dynamic time warping of a (n, k) onto b (m, k): for each frame of a the first and last frame of b that says the
    same. Sakoe and Chiba (1978), without slope constraints."""
    n, m = len(a), len(b)
    cost = np.sqrt(np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T, 0))
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0
    for diagonal in range(n + m - 1):  # all cells of one at once
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        total[i + 1, j + 1] = cost[i, j] + np.minimum(np.minimum(total[i, j + 1], total[i + 1, j]), total[i, j])
    first, last = np.full(n, m), np.zeros(n, int)
    i, j = n - 1, m - 1
    while i >= 0 and j >= 0:
        first[i], last[i] = min(first[i], j), max(last[i], j)
        step = np.argmin((total[i, j], total[i, j + 1], total[i + 1, j]))
        i, j = i - (step != 2), j - (step != 1)
    return first, last


def field(rng, rows, columns, spread):
    """Smooth noise (rows, columns)."""
    knots = rng.normal(0, spread, (4, 4))
    across = np.array([np.interp(np.linspace(0, 3, columns), np.arange(4), k) for k in knots])
    at = np.linspace(0, 3, rows)
    base = np.minimum(at.astype(int), 2)
    part = (at - base)[:, None]
    return across[base] * (1 - part) + across[base + 1] * part


def morph(rng, audio, other):
    """audio (n,), with its formants and loudness taken towards those of `other` (m,), another speaker's same word: as
    much as chance will have it, and not everywhere alike. Its melody and rhythm stay."""
    spectra = stft(audio)
    mine, theirs = envelopes(spectra), envelopes(stft(other))
    compared = [np.fft.irfft(e)[:, :14] * np.r_[0.3, np.ones(13)] for e in (mine, theirs)]
    first, last = align(*compared)
    sums = np.concatenate([np.zeros((1, theirs.shape[1])), theirs.cumsum(0)])
    matched = (sums[last + 1] - sums[first]) / (last + 1 - first)[:, None]
    share = rng.uniform(0, 1.2) + field(rng, *mine.shape, rng.uniform(0.1, 0.5))
    change = np.clip(share, -0.25, 1.3) * (matched - mine)
    return istft(spectra * np.exp(np.clip(change, -6, 4)), len(audio))
