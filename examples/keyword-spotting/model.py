# The network of the keyword spotter.
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "training"))
import deep
from deep import load, save  # noqa: F401 (train.py finds them here)


class Spotter(deep.Deep):
    waves = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 23, 27, 31]

    def __init__(self, inputs, labels, features=96, heads=6, hidden=640, layers=4, window=32, dropout=0.0):
        super().__init__(inputs, labels, features, heads, hidden, layers, window, dropout)

    def back(self, layer, head):
        return round(head**1.35 * (1, 1.7, 2.5, 3)[min(layer, 3)])


def read_spotter(path):
    """The Spotter in a file, ready to be asked."""
    return deep.read(path, Spotter)
