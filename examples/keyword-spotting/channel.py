# What lies between a mouth and a file: rooms, noises, microphones, codecs.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every function takes and gives audio (n,) as float64; rng decides how bad it gets."""
import numpy as np

from clips import RATE
from voice_effects import istft, stft


def _convolve(audio, response):
    size = 1 << int(np.ceil(np.log2(len(audio) + len(response))))
    return np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size), size)[: len(audio)]


def _curve(rng, frequencies, spread):
    """A random smooth gain over frequency, in dB."""
    octaves = np.log2(np.maximum(frequencies, 30) / 30)
    knots = np.arange(0, 9.1, 0.75)
    return np.interp(octaves, knots, rng.normal(0, spread, len(knots))) + rng.normal(0, 1.5) * (octaves - 5)


def microphone(rng, audio):
    """A frequency response: bumps, a tilt, and an end at both sides."""
    size = 1 << int(np.ceil(np.log2(len(audio) + 2048)))
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    gain = _curve(rng, frequencies, rng.uniform(0.5, 5))
    low = rng.uniform(20, 350) if rng.random() < 0.6 else 10
    gain -= 10 * np.log10(1 + (low / np.maximum(frequencies, 1)) ** rng.choice([2, 4, 8]))
    if rng.random() < 0.4:
        high = rng.uniform(3200, 7500)
        gain -= 10 * np.log10(1 + (frequencies / high) ** rng.choice([4, 8, 24]))
    return np.fft.irfft(np.fft.rfft(audio, size) * 10 ** (gain / 20), size)[: len(audio)]


def room(rng, audio, least=-3):
    """Direct sound, a few early reflections, and a tail of noise that dies away, faster at high frequencies.
    The direct sound is at least `least` dB above the tail."""
    decay = rng.uniform(0.08, 0.7)
    count = int(RATE * min(decay, 0.6))
    t = np.arange(count) / RATE
    tail = rng.normal(size=count) * 10 ** (-3 * t / decay)
    dull = rng.normal(size=count) * 10 ** (-3 * t / (decay * 0.5))
    tail = np.convolve(tail, np.ones(4) / 4, "same") + dull * 0.5
    tail[: int(RATE * rng.uniform(0.002, 0.02))] = 0
    response = tail * np.sqrt(10 ** (-rng.uniform(least, 15) / 10) / (tail**2).sum())
    for _ in range(rng.integers(0, 8)):
        response[int(RATE * rng.uniform(0.0008, 0.03))] += rng.normal(0, 0.35)
    response[0] += 1
    return _convolve(audio, response)


def _coloured(rng, count):
    """Noise with a random spectrum: white, pink, brown, a fan, a car, hiss."""
    size = 1 << int(np.ceil(np.log2(count)))
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    gain = -rng.uniform(-0.5, 2.2) * 10 * np.log10(np.maximum(frequencies, 40) / 40) + _curve(rng, frequencies, rng.uniform(0, 6))
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=size)) * 10 ** (gain / 20), size)[:count]
    if rng.random() < 0.3:  # comes and goes
        knots = rng.normal(0, 5, max(2, count // 4000))
        noise *= 10 ** (np.interp(np.arange(count), np.linspace(0, count, len(knots)), knots) / 20)
    return noise


def _hum(rng, count):
    t = np.arange(count) / RATE
    base = rng.choice([50, 60, rng.uniform(80, 400)])
    return sum(rng.exponential(1 / k) * np.sin(2 * np.pi * (base * k * t + rng.random())) for k in range(1, 12))


def _taps(rng, count):
    """Clicks, knocks, keys, puffs into the microphone."""
    out = np.zeros(count)
    for _ in range(rng.poisson(count / RATE * rng.choice([0.4, 1, 4])) + 1):
        length = int(RATE * np.exp(rng.uniform(np.log(0.001), np.log(0.15))))
        burst = _coloured(rng, max(length, 64))[:length]
        burst *= np.exp(-np.arange(length) / length * rng.uniform(2, 8)) / (np.abs(burst).max() + 1e-9)
        at = rng.integers(0, max(1, count - length))
        out[at : at + length] += burst[: count - at] * np.exp(rng.normal(0, 0.7))
    return out


def _tones(rng, count):
    """Beeps and chords."""
    out, t = np.zeros(count), np.arange(count) / RATE
    at = 0
    while at < count:
        length = int(RATE * rng.uniform(0.08, 0.8))
        part = slice(at, min(count, at + length))
        fade = np.minimum(1, np.minimum(np.arange(length), np.arange(length)[::-1]) / 200)[: part.stop - at]
        if rng.random() < 0.75:
            base = np.exp(rng.uniform(np.log(90), np.log(1500)))
            for ratio in rng.choice([1, 1.25, 1.5, 2, 3, 4, 5], rng.integers(1, 6)):
                out[part] += np.sin(2 * np.pi * base * ratio * t[part]) * fade * rng.uniform(0.1, 1)
        at += length
    return out


def noises(rng, count, babble):
    """Everything that is heard besides the speaker; loudness 1. `babble(count)` gives other people's talk."""
    out = np.zeros(count)
    kinds = [_coloured]
    for kind, chance in ((_hum, 0.12), (_taps, 0.25), (_tones, 0.1), (lambda _, n: babble(n), 0.25)):
        if rng.random() < chance:
            kinds.append(kind)
    for kind in kinds:
        sound = kind(rng, count)
        out += sound / (np.sqrt((sound**2).mean()) + 1e-9) * np.exp(rng.normal(0, 0.7))
    return out / (np.sqrt((out**2).mean()) + 1e-9)


def codec(rng, audio):
    """Lossy compression and noise suppression both throw away what is weak beside its surroundings."""
    spectra = stft(audio)
    power = np.abs(spectra)
    near = np.maximum(power.mean(1, keepdims=True), 1e-9) * 10 ** (-rng.uniform(5, 30) / 20)
    keep = power > near
    if rng.random() < 0.5:
        spectra = spectra * np.where(keep, 1, rng.uniform(0, 0.4))
    else:  # spectral subtraction
        spectra = spectra * np.maximum(1 - near / np.maximum(power, 1e-9), rng.uniform(0.02, 0.3))
    return istft(spectra, len(audio))


def distort(rng, audio):
    """Overdriven, companded, or levelled by an automatic gain."""
    peak = np.abs(audio).max() + 1e-9
    kind = rng.integers(4)
    if kind == 0:
        return np.clip(audio, -peak * (limit := rng.uniform(0.15, 0.8)), peak * limit)
    if kind == 1:
        drive = rng.uniform(1, 6)
        return np.tanh(audio / peak * drive) * peak / drive
    if kind == 2:
        mu = 255
        small = np.sign(audio) * np.log1p(mu * np.abs(audio) / peak) / np.log1p(mu)
        small = np.round(small * 127) / 127
        return np.sign(small) * np.expm1(np.abs(small) * np.log1p(mu)) / mu * peak
    hop = 160
    level = np.sqrt(np.convolve(audio**2, np.ones(hop * 20) / (hop * 20), "same")[::hop]) + peak * 0.01
    gain = np.interp(np.arange(len(audio)), np.arange(len(level)) * hop, level ** -rng.uniform(0.2, 0.8))
    return audio * gain
