#!/usr/bin/python3
# What is written is proved: run by libcontinual and compared with the module
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import pathlib
import unittest
from unittest import mock

from case import Case, Refused, export
from forwards import N, Net, encoder, layer, shaken

import torch
from exporter import layers, layout, library
from torch import nn


def says_gelu(function, where):
    return "gelu"


class Proof(Case):
    def setUp(self):
        super().setUp()
        self.file = self.path("model.safetensors")

    def refused(self, words, module, **says):
        with self.assertRaises(Refused) as caught:
            export(module, self.file, sequence_len=N, **says)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_a_wrong_file_is_not_left(self):
        wrong = mock.patch.object(layers, "activation_name", says_gelu)
        kinds = ({}, {"attention": "retroactive"}, {"attention": "deep"}, {"attention": "recurrent-full"},
                 {"query_index": 0},
                 {"precision": "bfloat16"}, {"warm_up": "partial"})
        for says in kinds:
            module = shaken(encoder())
            with wrong:
                self.refused(("differs from the module by", "nothing is written"), module, **says)
            self.assertEqual(os.listdir(self.folder.name), [])
            export(module, self.file, sequence_len=N, **says)
            os.remove(self.file)
        with wrong:
            export(module, self.file, sequence_len=N, verify=False)
        self.assertTrue(os.path.exists(self.file))

    def test_the_file_before_is_kept(self):
        export(layer(), self.file, sequence_len=N)
        with open(self.file, "rb") as file:
            before = file.read()
        with mock.patch.object(layers, "activation_name", says_gelu):
            self.refused(("differs",), layer(), verify=True)
        with open(self.file, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(os.listdir(self.folder.name), ["model.safetensors"])

    def test_what_the_library_refuses(self):
        self.refused(("libcontinual does not load", "labels"), layer(), labels=["one"])
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_paths(self):
        export(layer(), pathlib.Path(self.file), sequence_len=N)
        with self.assertRaises(OSError):
            export(layer(), self.path("none/model.safetensors"), sequence_len=N)

    def test_without_a_library(self):
        with mock.patch.dict(os.environ, CONTINUAL_LIBRARY=self.path("none.so")):
            self.refused(("no libcontinual is found", "none.so", "verify=False"), layer())
        os.environ.pop("CONTINUAL_LIBRARY", None)
        with mock.patch.object(library, "BUILD", self.folder.name), mock.patch.object(library, "INSTALLED", ()):
            self.refused(("no libcontinual is found", "verify=False"), layer())
        os.makedirs(self.path("core"))
        os.symlink(os.environ["CONTINUAL_LIB"], self.path("core/libcontinual.so"))
        with mock.patch.object(library, "BUILD", self.folder.name), mock.patch.object(library, "INSTALLED", ()):
            export(layer(), self.file, sequence_len=N)

    def test_the_random_numbers_of_the_caller(self):
        for module in (layer(), Net()):
            state = torch.random.get_rng_state()
            export(module, self.file, sequence_len=N)
            self.assertTrue(torch.equal(torch.random.get_rng_state(), state))

    def test_a_module_that_insists_on_float32(self):
        class Insists(nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = encoder(1)

            def forward(self, x):
                return self.encoder(x.float())[:, -1]
        export(shaken(Insists()), self.file, sequence_len=N)

    def test_a_wrong_layout_is_not_left(self):
        class Wrong(layout.Layout):
            def write_row(self, part):
                self.entries.append("pool:first")
        with mock.patch("exporter.torch_models.Layout", Wrong):
            self.refused(("differs from the module by",), shaken(Net()))
        self.assertEqual(os.listdir(self.folder.name), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
