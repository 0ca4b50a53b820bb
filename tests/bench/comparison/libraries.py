# Libraries that step, put on PYTHONPATH: continual-inference and fast_transformers, between the same embedding, norm and head
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch
from torch import nn


def continual_inference(kind, shape):
    import continual as co

    n_in, d_model, heads, d_ff, window, layers, classes = shape
    if kind == "retroactive" and layers > 1:
        raise NotImplementedError("its retroactive layers do not stack")
    if kind == "retroactive":
        encoder = co.Sequential(*(co.RetroactiveTransformerEncoderLayer(
            d_model, heads, d_ff, 0.0, nn.GELU(), sequence_len=window) for _ in range(layers)))
        net = co.Sequential(co.Linear(n_in, d_model, channel_dim=1), encoder)
    else:
        factory = co.TransformerEncoderLayerFactory(d_model, heads, d_ff, 0.0, nn.GELU(), sequence_len=window)
        net = co.Sequential(co.Linear(n_in, d_model, channel_dim=1),
                            co.TransformerEncoder(factory, num_layers=layers),
                            co.Lambda(nn.LayerNorm(d_model), takes_time=False),
                            co.Linear(d_model, classes, channel_dim=1))
    net.eval()
    return lambda x: net.forward_step(torch.from_numpy(x))


class Recurrent(nn.Module):
    def __init__(self, kind, n_in, d_model, heads, d_ff, _window, layers, classes):
        super().__init__()
        from fast_transformers.recurrent.attention import (RecurrentAttentionLayer, RecurrentFullAttention,
                                                           RecurrentLinearAttention)
        from fast_transformers.recurrent.transformers import RecurrentTransformerEncoder, RecurrentTransformerEncoderLayer

        def layer():
            inner = RecurrentFullAttention() if kind == "recurrent-full" else RecurrentLinearAttention(d_model // heads)
            return RecurrentTransformerEncoderLayer(RecurrentAttentionLayer(inner, d_model, heads), d_model, d_ff, 0.0, "gelu")
        self.embed = nn.Linear(n_in, d_model)
        self.encoder = RecurrentTransformerEncoder([layer() for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(d_model), nn.Linear(d_model, classes)
        self.state = None

    def restart(self):
        self.state = None

    def forward(self, x):
        y, self.state = self.encoder(self.embed(torch.from_numpy(x)), self.state)
        return self.head(self.norm(y))


def fast_transformers(kind, shape):
    return Recurrent(kind, *shape).eval()


# Their names, the kinds they have, and what makes a step of one
LIBRARIES = (
    ("continual-inference", ("single-output", "retroactive"), continual_inference),
    ("fast_transformers", ("recurrent-full", "recurrent-linear"), fast_transformers),
)
