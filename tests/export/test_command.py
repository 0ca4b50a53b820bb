#!/usr/bin/python3
# examples/export.py as a command
# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import os
import struct
import subprocess
import sys
import unittest

from case import Case

import core
import export as exporter
import torch
from torch import nn

EXPORT = os.path.abspath(exporter.__file__)
CODE = """
from torch import nn

def make():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 1)
"""


class Command(Case):
    def run_it(self, *args, **environment):
        return subprocess.run([sys.executable, "-B", EXPORT, *args], cwd=self.folder.name, capture_output=True, text=True,
                              env={**os.environ, **environment})

    def test_saved_module(self):
        torch.save(nn.TransformerEncoderLayer(8, 2, 16), self.path("model.pt"))
        done = self.run_it("model.pt", "model.safetensors", "--sequence-len", "5", "--labels", "a,b,c,d,e,f,g,h",
                           "--set", "warm_up=partial")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("warm_up partial", done.stdout)
        model = core.Model(self.path("model.safetensors"))
        info = model.info
        self.assertEqual((info.sequence_len, info.warm_up, info.n_labels, info.labels[1]), (5, 1, 8, b"b"))

    def test_without_a_library(self):
        torch.save(nn.TransformerEncoderLayer(8, 2, 16), self.path("model.pt"))
        given = ("model.pt", "model.safetensors", "--sequence-len", "5")
        done = self.run_it(*given, CONTINUAL_LIBRARY="/nowhere/libcontinual.so")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^export\.py: the file cannot be proved: .*/nowhere/libcontinual.so.*--no-verify.*\n$")
        self.assertEqual(os.listdir(self.folder.name), ["model.pt"])
        done = self.run_it(*given, "--no-verify", CONTINUAL_LIBRARY="/nowhere/libcontinual.so")
        self.assertEqual(done.returncode, 0, done.stderr)
        model = core.Model(self.path("model.safetensors"))
        self.assertEqual(model.info.sequence_len, 5)

    def test_callable(self):
        with open(self.path("train.py"), "w") as file:
            file.write(CODE)
        done = self.run_it("train.py:make", "model.safetensors", "--sequence-len", "5", "--attention", "retroactive")
        self.assertEqual(done.returncode, 0, done.stderr)
        model = core.Model(self.path("model.safetensors"))
        self.assertEqual(model.info.kind, b"retroactive")

    def test_refusals_are_one_line_and_leave_no_file(self):
        torch.save(nn.Linear(3, 3), self.path("model.pt"))
        for what in ("model.pt", "none.pt", "none.py:make"):
            done = self.run_it(what, "model.safetensors")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^export\.py: .*\n$")
        self.assertEqual(os.listdir(self.folder.name), ["model.pt"])


class File(Case):
    def test_layout(self):
        self.load(nn.TransformerEncoderLayer(8, 2, 16), sequence_len=3)
        with open(self.path("model.safetensors"), "rb") as file:
            content = file.read()
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8:8 + length])
        self.assertEqual(header.pop("__metadata__"), self.metadata)
        self.assertEqual(length % 8, 0)
        self.assertEqual(max(t["data_offsets"][1] for t in header.values()), len(content) - 8 - length)
        self.assertEqual(set(header), {"layers.0." + name for name in nn.TransformerEncoderLayer(8, 2, 16).state_dict()})


class Keys(unittest.TestCase):
    def test_every_key_of_the_loader_can_be_said(self):
        keys = {key.decode() for setting in core.settings() for key in (setting.key, setting.alias) if key}
        own = {"sequence_len", "attention", "query_index", "labels"}
        places = {"embed", "positions", "encoder", "norm", "head"}  # the exporter uses the names that they default to
        written = {"layout", "batch_norm_eps", "prefix"}  # told by forward(); a file holds nothing beside the model
        layers = {"norm_type", "norm_unit_offset", "rope_theta", "rope_interleaved", "partial_rotary_factor", "head_dim",
                  "num_key_value_heads", "attention_windows"}  # of layers that torch's modules are not
        self.assertEqual(set(exporter.SETTINGS), keys - own - places - written - layers)


if __name__ == "__main__":
    unittest.main(verbosity=2)
