# Pictures of many kinds, none of them taken: what moves in the training clips.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every texture is a float32 square (SIDE, SIDE) with mean 0 and deviation 1 whose edges join, so that a picture
can move over it without end."""
import numpy as np

SIDE = 128
_AXIS = np.arange(SIDE, dtype=np.float32)
_FREQUENCY = np.fft.fftfreq(SIDE)


def _normal(picture):
    picture = picture - picture.mean()
    return (picture / max(picture.std(), 1e-6)).astype(np.float32)


def cloud(rng):
    """Noise with the spectrum of photographs, and more and less rough than that; sometimes stretched."""
    stretch = np.exp(rng.normal(0, 0.4))
    far = np.hypot(_FREQUENCY[:, None] * stretch, _FREQUENCY[None] / stretch)
    far[0, 0] = 1
    spectrum = far ** -rng.uniform(0.6, 2.2)
    spectrum[0, 0] = 0
    return np.fft.ifft2(np.fft.fft2(rng.normal(size=(SIDE, SIDE))) * spectrum).real


def band(rng):
    """Noise of one scale: grain, ripples, spots."""
    far = np.hypot(_FREQUENCY[:, None], _FREQUENCY[None])
    middle = np.exp(rng.uniform(np.log(0.015), np.log(0.12)))
    spectrum = np.exp(-0.5 * (np.log(np.maximum(far, 1e-4) / middle) / rng.uniform(0.15, 0.5)) ** 2)
    return np.fft.ifft2(np.fft.fft2(rng.normal(size=(SIDE, SIDE))) * spectrum).real


def _shape(rng, size):
    """True where a random shape of about this size lies: a disc, a box, a triangle or a stroke, anywhere, at any
    angle."""
    at, turn = rng.uniform(0, SIDE, 2), rng.uniform(0, np.pi)
    y = (_AXIS - at[0] + SIDE / 2) % SIDE - SIDE / 2
    x = (_AXIS - at[1] + SIDE / 2) % SIDE - SIDE / 2
    u = np.cos(turn) * x[None] + np.sin(turn) * y[:, None]
    v = np.cos(turn) * y[:, None] - np.sin(turn) * x[None]
    kind = rng.integers(5)
    if kind == 0:
        return u * u + v * v < size * size
    if kind == 1:
        return (abs(u) < size) & (abs(v) < size * rng.uniform(0.3, 1))
    if kind == 2:
        return (v > -size / 2) & (v < size - 2 * abs(u))
    if kind == 3:
        return (abs(u) < size * 3) & (abs(v) < max(0.7, size * 0.15))
    return (abs(x[None]) < size) & (abs(y[:, None]) < size * rng.uniform(0.3, 1))


def leaves(rng):
    """Shapes of all sizes on top of each other, as the things in a photograph are; each has a shade of its own."""
    picture = rng.normal() + 0.3 * _normal(cloud(rng)) * rng.random()
    picture = np.broadcast_to(picture, (SIDE, SIDE)).copy()
    for size in -np.sort(-2.5 * rng.pareto(1.2, rng.integers(25, 90)) - 2.5):
        picture[_shape(rng, min(size, 45))] = rng.normal()
    return picture + rng.uniform(0, 0.3) * _normal(cloud(rng))


def few(rng):
    """A few shapes on an even or slanting ground."""
    slope = rng.normal(0, 0.3, 2)
    picture = slope[0] * np.sin(2 * np.pi * _AXIS / SIDE)[:, None] + slope[1] * np.cos(2 * np.pi * _AXIS / SIDE)[None]
    for _ in range(rng.integers(3, 16)):
        picture[_shape(rng, rng.uniform(3, 16))] = rng.normal(0, 2)
    return picture


def letters(rng):
    """Rows of small strokes, as text has them."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    pitch = rng.integers(8, 22)
    for top in range(0, SIDE - pitch, pitch):
        row = rng.random((int(pitch * 0.6), SIDE // 2)) < 0.4
        picture[top : top + len(row)] = np.repeat(row, 2, 1) * (rng.random(SIDE) < 0.85)
    return picture


def blobs(rng):
    """A cloud or grain with few shades: islands."""
    picture = _normal(cloud(rng) if rng.random() < 0.5 else band(rng))
    return np.digitize(picture, np.sort(rng.normal(0, 0.8, rng.integers(1, 4)))) + 0.05 * picture


def checks(rng):
    """A grid of squares, regular or of random shades."""
    size = int(rng.choice([8, 16, 32]))
    shades = rng.normal(size=(SIDE // size, SIDE // size))
    if rng.random() < 0.4:
        shades = np.indices(shades.shape).sum(0) % 2
    return np.kron(shades, np.ones((size, size)))


def waves(rng):
    """A few plane waves."""
    picture = 0
    for _ in range(rng.integers(2, 6)):
        y, x = rng.integers(-7, 8, 2)
        picture = picture + rng.random() * np.cos(
            2 * np.pi * (y * _AXIS[:, None] + x * _AXIS[None]) / SIDE + rng.uniform(0, 7))
    return picture + 0.05 * _normal(cloud(rng))


PLAIN = [cloud, cloud, band, leaves, leaves, leaves, few, few, letters, blobs, checks, waves]


def surface(rng):
    """One of them, or two of them in one."""
    picture = _normal(PLAIN[rng.integers(len(PLAIN))](rng))
    if rng.random() < 0.25:
        picture = _normal(picture + rng.uniform(0.2, 1) * _normal(PLAIN[rng.integers(len(PLAIN))](rng)))
    if rng.random() < 0.2:
        picture = _normal(np.exp(0.5 * picture))
    return -picture if rng.random() < 0.5 else picture


def bars(rng):
    """Stripes that stand upright, of random widths and shades: they can only be seen to move sideways."""
    if rng.random() < 0.3:
        row = np.sin(2 * np.pi * rng.integers(1, 5) * _AXIS / SIDE)
        row = np.sign(row) if rng.random() < 0.5 else row
    else:
        edges = np.sort(rng.choice(np.arange(SIDE), rng.integers(2, 18), replace=False))
        row = np.append(rng.normal(size=len(edges)), 0.0)[np.searchsorted(edges, _AXIS, "right") % len(edges)]
    return _normal(np.broadcast_to(row, (SIDE, SIDE)))


class Bank:
    """Many textures, made once: `few` of each call are enough to draw from."""

    def __init__(self, rng, surfaces=600, stripes=60):
        self.surfaces = np.stack([surface(rng) for _ in range(surfaces)]).astype(np.float16)
        self.stripes = np.stack([bars(rng) for _ in range(stripes)]).astype(np.float16)

    def draw(self, rng, striped=False):
        some = self.stripes if striped else self.surfaces
        return some[rng.integers(len(some))].astype(np.float32)
