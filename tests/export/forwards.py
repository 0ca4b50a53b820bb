# What the tests of forward() share: models as people write them, and how they are compared
# SPDX-License-Identifier: LGPL-2.1-or-later
import copy
import json
import os
import re
import warnings

from case import Case, Refused, export

import core
import numpy as np
import torch
from reference import Reference
from torch import nn

N, C, E, D = 7, 5, 12, 3


def layer(d_model=E, **settings):
    return nn.TransformerEncoderLayer(d_model, **{"nhead": 3, "dim_feedforward": 20, "batch_first": True, **settings})


def encoder(depth=2, norm=None, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer ones say which layers have no fast path
        return nn.TransformerEncoder(layer(**settings), depth, norm=norm)


def shaken(module):
    """Trained, as it were: norms and biases are not ones and zeros, batch norms have seen data"""
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.1 * torch.randn_like(p))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    return module


class Net(nn.Module):
    """proj, encoder, pool, head; a subclass says what is different"""

    def __init__(self, **settings):
        super().__init__()
        self.proj = nn.Linear(C, E)
        self.encoder = encoder(**settings)
        self.head = nn.Linear(E, D)
        self.build()

    def build(self):
        pass

    def embed(self, x):
        return self.proj(x)

    def pool(self, x):
        return x[:, -1]

    def forward(self, x):
        return self.head(self.pool(self.encoder(self.embed(x))))


class ForwardCase(Case):
    def truth(self, module, windows, time_first=False):
        """The module's outputs for windows (W, N, C), in double"""
        double = copy.deepcopy(module).double().eval()
        for p in double.parameters():
            p.requires_grad_(True)  # torch's fast path of inference has its own rounding
        with torch.enable_grad():
            out = double(windows.double().transpose(0, 1) if time_first else windows.double())
        return out.detach()

    def exported(self, module, n=N, **says):
        path = self.path("model.safetensors")
        self.metadata = export(module, path, sequence_len=n, **says)
        self.layout = json.loads(self.metadata["layout"])
        return Reference(path)

    def right(self, module, layout=None, n=N, width=C, truth=None, time_first=False, **says):
        """The written file gives the module's numbers on random windows; layout: what it must be"""
        shaken(module)
        reference = self.exported(module, n, **says)
        if layout is not None:
            self.assertEqual(self.layout, layout)
        x = torch.randn(2 * n + 3, width)
        windows = torch.stack([x[i:i + n] for i in range(n + 4)])
        expected = (truth or (lambda w: self.truth(module, w, time_first)))(windows)
        y = torch.from_numpy(np.stack([reference.forward(w.double().numpy(), i) for i, w in enumerate(windows)]))
        if expected.dim() == 2 and y.dim() == 3:
            y = y[:, int(self.metadata["query_index"])]
        if expected.dim() == 1:
            expected = expected[:, None]
        if time_first and expected.dim() == 3:
            expected = expected.transpose(0, 1)
        self.assert_near(y, expected)
        got = core.Model(self.path("model.safetensors")).run(x)[:, 0]
        query = int(self.metadata.get("query_index", -1))  # of the window's rows, where all leave
        self.assert_near(got, expected if expected.dim() == 2 else expected[:, query])
        return self.layout

    def refused(self, words, module, n=N, **says):
        """Refused with all these words, and nothing is left behind"""
        shaken(module)
        before = os.listdir(self.folder.name)
        with self.assertRaises(Refused) as caught:
            self.exported(module, n, **says)
        said = re.sub(r"`[^`]*`", "", str(caught.exception))  # the line of code may hold the words that are looked for
        for word in words if isinstance(words, tuple) else (words,):
            self.assertIn(word, said)
        self.assertEqual(os.listdir(self.folder.name), before)
        return str(caught.exception)
