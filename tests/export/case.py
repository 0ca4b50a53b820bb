# What all tests of the exporter share
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples"))

try:
    import torch
except ImportError as error:
    print(f"SKIP: this Python, {sys.executable}, has no PyTorch ({error}): install python3-torch")
    sys.exit(77)

import core
from export import Refused, export

TOLERANCE = 1e-4


class Case(unittest.TestCase):
    def setUp(self):
        seed = int(os.environ.get("CONTINUAL_SEED", "1"))
        torch.manual_seed(seed)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def load(self, module, **says):
        path = self.path("model.safetensors")
        self.metadata = export(module, path, **says)
        return core.Model(path)

    def assert_near(self, y, truth):
        self.assertEqual(tuple(y.shape), tuple(truth.shape))
        worst = (y - truth).abs().max().item()
        self.assertLessEqual(worst, TOLERANCE * max(1, truth.abs().max().item()))

    def assert_refused(self, words, module, **says):
        with self.assertRaises(Refused) as caught:
            self.load(module, **says)
        self.assertIn(words, str(caught.exception))


def windows(x, n):
    return [x[i:i + n] for i in range(len(x) - n + 1)]
