# One clip in another voice: length of the vocal tract, pitch, rhythm, breath, sharpness of the formants.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy as np

from clips import RATE, resample

WINDOW, HOP = 512, 128
HANN = np.hanning(WINDOW + 1)[:-1]


def stft(audio):
    padded = np.concatenate([np.zeros(WINDOW), audio, np.zeros(2 * WINDOW)])
    count = (len(padded) - WINDOW) // HOP
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: count * HOP : HOP]
    return np.fft.rfft(frames * HANN)


def istft(spectra, length):
    frames = np.fft.irfft(spectra, WINDOW) * HANN
    out = np.zeros((len(frames) + WINDOW // HOP) * HOP)
    for part in range(WINDOW // HOP):  # overlap-add, a quarter of the windows at a time
        block = frames[part :: WINDOW // HOP].reshape(-1)
        out[part * HOP : part * HOP + len(block)] += block[: len(out) - part * HOP]
    return out[WINDOW : WINDOW + length] / 1.5  # the sum of four overlapping squared Hann windows


def envelopes(spectra, lifter=34):
    """Logarithm of the smooth part of each spectrum, by the cepstrum: formants without harmonics."""
    cepstra = np.fft.irfft(np.log(np.abs(spectra) + 1e-4))
    cepstra[:, lifter : WINDOW - lifter + 1] = 0
    return np.fft.rfft(cepstra).real


def revoice(rng, audio, formants):
    """Moves formants up by the factor `formants`, leaves the pitch; and perhaps makes the voice breathy."""
    spectra = stft(audio)
    envelope = envelopes(spectra)
    bins = np.arange(WINDOW // 2 + 1)
    knee = rng.uniform(60, 130)
    low, high = formants * np.exp(rng.normal(0, 0.03, 2))
    source = np.where(bins < knee, bins / low, knee / low + (bins - knee) / high)
    at = np.clip(source, 0, WINDOW // 2 - 1e-3)
    base = at.astype(int)
    part = at - base
    warped = envelope[:, base] * (1 - part) + envelope[:, base + 1] * part
    mean = warped.mean(1, keepdims=True)
    warped = mean + (warped - mean) * rng.uniform(0.8, 1.15)
    out = spectra * np.exp(np.clip(warped - envelope, -6, 4))
    if rng.random() < 0.35:  # breath: noise in the place of harmonics, from some frequency on
        noise = rng.normal(size=out.shape) + 1j * rng.normal(size=out.shape)
        noise *= np.exp(warped) * 0.8
        share = rng.uniform(0.1, 0.9) / (1 + np.exp((rng.uniform(20, 160) - bins) / 10))
        if rng.random() < 0.05:
            share = np.full(len(bins), 0.95)  # a whisper
        out = out * np.sqrt(1 - share) + noise * np.sqrt(share)
    return istft(out, len(audio))


def bend(rng, audio):
    """Pitch and formants that glide together a little. Returns the audio and a map of time."""
    count = len(audio)
    t = np.arange(count * 1.0) / count
    speed = np.exp(rng.normal(0, 0.06) * (t - 0.5) + rng.normal(0, 0.03) * np.sin(2 * np.pi * (t * rng.uniform(1, 4) + rng.random())))
    position = np.cumsum(speed) - speed[0]
    position = position[position < count - 1]
    double = resample(audio, 2)
    out = np.interp(position * 2, np.arange(len(double)), double)
    return out, lambda at: np.searchsorted(position, at)


def rhythm(rng, audio, strength=0.35):
    """Stretches some parts of the clip and shortens others without changing pitch: overlap-add of windows that
    are moved to where they fit. Returns the audio and a map of time."""
    step, reach = RATE // 100, RATE // 200
    window = np.hanning(2 * step + 1)[:-1]
    knots = max(2, int(len(audio) / RATE / 0.12) + 2)
    rates = np.exp(rng.uniform(-strength, strength) + rng.normal(0, strength * 0.6, knots))
    rates = np.clip(rates, 0.55, 1.8)
    padded = np.concatenate([np.zeros(reach), audio, np.zeros(3 * step + 2 * reach)])
    out = np.zeros(int(len(audio) / rates.min()) + 4 * step)
    at, written, expected, times = 0.0, 0, None, [(0, 0)]
    while at < len(audio):
        nominal = int(at)
        if expected is None:
            best = reach
        else:
            region = padded[nominal : nominal + 2 * reach + step]
            best = int(np.argmax(np.correlate(region, expected, "valid")))
        begin = nominal + best
        piece = padded[begin : begin + 2 * step]
        if len(piece) < 2 * step or written + 2 * step > len(out):
            break
        out[written : written + 2 * step] += piece * window
        expected = padded[begin + step : begin + 2 * step]
        written += step
        at += step * np.interp(at / len(audio) * (knots - 1), np.arange(knots), rates)
        times.append((at, written))
    given, became = np.array(times).T
    return out[: written + step], lambda position: np.interp(position, given, became)


def disguise(rng, audio, events, strength=1):
    """Another speaker says it, differently. events [(start, end, label)] in samples move along."""
    audio = np.asarray(audio, np.float64)
    maps = []
    if rng.random() < 0.7:
        audio, moved = rhythm(rng, audio, 0.35 * strength)
        maps.append(moved)
    if rng.random() < 0.5:
        audio, moved = bend(rng, audio)
        maps.append(moved)
    pitch, formants = np.exp(strength * rng.uniform((-0.22, -0.2), (0.25, 0.22)))
    audio = resample(audio, 1 / pitch)  # pitch, formants and pace by `pitch`; then the formants alone
    maps.append(lambda position: position / pitch)
    if rng.random() < 0.85:
        audio = revoice(rng, audio, formants / pitch)
    out = []
    for start, end, label in events:
        for moved in maps:
            start, end = moved(start), moved(end)
        out.append((int(start), min(int(end), len(audio)), label))
    return audio, out
