# The models of the comparison: the module of torch, its file for the library, what it computes (network.py), and the truth
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import tempfile

import core
import torch
from export import export
from torch import nn

from . import network

# features in, d_model, heads, feed-forward, window, layers, classes
CLASSIFIERS = {
    "b1": (3072, 1024, 8, 1024, 64, 1, 22),
    "b2": (3072, 1024, 8, 1024, 64, 2, 22),
    "small": (128, 192, 16, 384, 120, 1, 10),
    "tiny": (64, 64, 4, 128, 64, 2, 12),
}


class Classifier(nn.Module):
    """The model, as one evaluates it on a whole window (1, N, C)"""

    def __init__(self, kind, n_in, d_model, heads, d_ff, window, layers, classes):
        super().__init__()
        self.embed = nn.Linear(n_in, d_model)
        layer = nn.TransformerEncoderLayer(d_model, heads, d_ff, 0.0, "gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers)
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, classes)
        self.all_positions = kind == "retroactive"

    def forward(self, x):
        y = self.encoder(self.embed(x))
        return self.head(self.norm(y if self.all_positions else y[:, -1]))


class Case:
    """A model and a kind of attention. @shape is as above; @network is None where no peer computes the same."""

    def __init__(self, name, kind, shape):
        self.name, self.kind, self.shape, self.network = name, kind, shape, None

    def truth(self, x, n):
        """The last @n answers to vectors @x (T, C), in float64: (n, D); NotImplementedError where nobody's is compared"""
        raise NotImplementedError

    def randomized(self, module):
        """Weights at which every part matters: those of the initialisation leave most branches near zero."""
        with torch.no_grad():
            for parameter in module.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0, parameter[0].numel() ** -0.5)
                else:
                    parameter.add_(0.1 * torch.randn_like(parameter))
        return module.eval()


class ClassifierCase(Case):
    def __init__(self, name, kind):
        super().__init__(name, kind, CLASSIFIERS[name])
        self.module = Classifier(kind, *self.shape).eval()
        window = self.shape[4]
        if kind in ("single-output", "deep"):
            self.network = network.from_classifier(self.module, kind, window)
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            # Weights of a softmax: linear attention with them is no use, but takes as long.
            export(self.module, file.name, sequence_len=window, attention=kind.replace("linear", "full"), verify=False)
            self.model = core.Model(file.name, attention=kind)

    def truth(self, x, n):
        window = self.shape[4]
        if self.kind not in ("single-output", "deep"):
            raise NotImplementedError
        module, x = self.module.double(), x.double()
        with torch.inference_mode():
            if self.kind == "deep":
                ahead = torch.arange(len(x))[None] - torch.arange(len(x))[:, None]
                h = module.encoder(module.embed(x[None]), mask=(ahead > 0) | (ahead <= -window))
                y = module.head(module.norm(h))[0, -n:]
            else:
                y = torch.cat([module(x[None, t - window:t]) for t in range(len(x) - n + 1, len(x) + 1)])
        module.float()
        return y


class TransformersCase(Case):
    """A published encoder, with the sizes that transformers has as defaults and random weights"""

    def __init__(self, name, module, windows, shape, theta=None, prefix=None):
        super().__init__(name, "deep", shape)
        self.module = self.randomized(module)
        self.encoder = getattr(module, prefix) if prefix else module
        self.network = network.from_transformers(self.encoder, windows, theta)
        with tempfile.TemporaryDirectory() as folder:
            module.save_pretrained(folder)
            self.model = core.Model(os.path.abspath(folder), **({"prefix": prefix} if prefix else {}))

    def encode(self, x):
        """The module's outputs for all of @x (1, T, E), as its authors evaluate it"""
        return self.encoder(x)[0][0]

    def truth(self, x, n):
        self.encoder.double()
        with torch.inference_mode():
            y = self.encode(x[None].double())
        self.encoder.float()
        end = len(y) - self.network.delay
        return y[end - n:end]


class Moonshine(TransformersCase):
    def __init__(self):
        from transformers import MoonshineStreamingEncoderConfig as Config
        from transformers.models.moonshine_streaming.modeling_moonshine_streaming import MoonshineStreamingEncoder

        config = Config(attn_implementation="sdpa")
        windows = [(left, max(0, right - 1)) for left, right in config.sliding_windows]
        shape = (config.hidden_size, config.hidden_size, config.num_attention_heads, config.intermediate_size, 19,
                 len(windows), 0)
        super().__init__("moonshine", MoonshineStreamingEncoder(config), windows, shape)
        self.encoder.embedder.forward = lambda values, padding_mask=None: (values, padding_mask)
        self.reencoded = 16 * len(windows) + 1  # vectors, as its authors' own streaming does at each update

    def encode(self, x):
        # Without a mask the module would see the whole sequence.
        return self.encoder(x, attention_mask=torch.ones(1, x.shape[1], dtype=torch.bool)).last_hidden_state[0]


def mimi():
    from transformers import MimiConfig, MimiModel

    config = MimiConfig(attn_implementation="sdpa")
    n = config.num_hidden_layers
    shape = (config.hidden_size, config.hidden_size, config.num_attention_heads, config.intermediate_size,
             config.sliding_window, n, 0)
    return TransformersCase("mimi", MimiModel(config), [(config.sliding_window, 0)] * n, shape,
                            config.rope_parameters["rope_theta"], "encoder_transformer")


PUBLISHED = {"mimi": mimi, "moonshine": Moonshine}
CASES = [(name, "single-output") for name in CLASSIFIERS] + [(name, "deep") for name in PUBLISHED] + [
    (name, kind) for kind in ("retroactive", "deep", "recurrent-full", "recurrent-linear") for name in ("small", "tiny")]


def make(name, kind):
    """ImportError where transformers has to make it and is missing"""
    torch.manual_seed(1)
    return PUBLISHED[name]() if name in PUBLISHED else ClassifierCase(name, kind)
