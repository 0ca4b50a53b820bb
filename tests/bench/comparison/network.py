# What a model computes, for those who write its step by hand: torch and ONNX. Constants are folded into the weights as one
# would for speed: the scale of the logits, the scales of the branches, the gain of 1 + gamma.
# SPDX-License-Identifier: LGPL-2.1-or-later
import dataclasses

import numpy


@dataclasses.dataclass
class Linear:
    weight: numpy.ndarray  # (out, in)
    bias: numpy.ndarray | None = None


@dataclasses.dataclass
class Norm:
    gain: numpy.ndarray
    bias: numpy.ndarray | None = None


@dataclasses.dataclass
class Layer:
    qkv: Linear  # (3 E, E); queries are scaled
    out: Linear
    up: Linear
    down: Linear
    norm1: Norm
    norm2: Norm
    left: int  # vectors that are seen, the one itself included
    right: int = 0  # vectors ahead

    @property
    def cached(self):
        """Keys that a step has not just made"""
        return self.left + self.right - 1


@dataclasses.dataclass
class Network:
    layers: list
    n_heads: int
    norm_first: bool
    rows: bool  # each layer maps a row to a row, over its own last inputs; else the whole window is recomputed above layer 0
    eps: float = 1e-5
    theta: float | None = None  # rotary positions, in halves
    embed: Linear | None = None
    norm: Norm | None = None
    head: Linear | None = None

    @property
    def d_model(self):
        return self.layers[0].out.weight.shape[0]

    @property
    def n_inputs(self):
        return (self.embed or self.layers[0].qkv).weight.shape[1]

    @property
    def n_outputs(self):
        return self.head.weight.shape[0] if self.head else self.d_model

    @property
    def head_size(self):
        return self.d_model // self.n_heads

    @property
    def delay(self):
        return sum(layer.right for layer in self.layers)

    def angles(self, positions):
        """Cosines and sines for rows at @positions: (n, 1, head_size / 2) each"""
        half = self.head_size // 2
        angles = numpy.asarray(positions, float)[:, None, None] * self.theta ** (-numpy.arange(half) / half)
        return numpy.cos(angles).astype(numpy.float32), numpy.sin(angles).astype(numpy.float32)


def array(tensor):
    return None if tensor is None else tensor.detach().float().numpy()


def linear(module, scale=None):
    weight, bias = array(module.weight), array(getattr(module, "bias", None))
    if scale is None:
        return Linear(weight, bias)
    return Linear(weight * array(scale)[:, None], None if bias is None else bias * array(scale))


def stacked(q, k, v, head_size):
    """One product for queries, keys and values"""
    def scaled(part):
        return Linear(part.weight * head_size ** -.5, None if part.bias is None else part.bias * head_size ** -.5)
    parts = [scaled(q), k, v]
    return Linear(numpy.concatenate([part.weight for part in parts]),
                  None if q.bias is None else numpy.concatenate([part.bias for part in parts]))


def from_classifier(module, kind, window):
    """nn.Linear, nn.TransformerEncoder, nn.LayerNorm, nn.Linear: modules.Classifier"""
    layers = []
    for layer in module.encoder.layers:
        attention = layer.self_attn
        weights, biases = array(attention.in_proj_weight), array(attention.in_proj_bias)
        q, k, v = (Linear(w, b) for w, b in zip(numpy.split(weights, 3), numpy.split(biases, 3)))
        layers.append(Layer(stacked(q, k, v, attention.head_dim), linear(attention.out_proj), linear(layer.linear1),
                            linear(layer.linear2), Norm(array(layer.norm1.weight), array(layer.norm1.bias)),
                            Norm(array(layer.norm2.weight), array(layer.norm2.bias)), window))
    return Network(layers, attention.num_heads, False, kind == "deep" or len(layers) == 1, embed=linear(module.embed),
                   norm=Norm(array(module.norm.weight), array(module.norm.bias)), head=linear(module.head))


def from_transformers(encoder, windows, theta=None):
    """Mimi's transformer, or Moonshine's streaming encoder, of transformers. @windows: (left, right) of each layer"""
    def norm(module):
        if hasattr(module, "gamma"):
            return Norm(array(module.gamma) + numpy.float32(module.unit_offset))
        return Norm(array(module.weight), array(module.bias))
    layers = []
    config = encoder.config
    for layer, (left, right) in zip(encoder.layers, windows):
        attention, mlp = layer.self_attn, layer.mlp
        scales = [getattr(getattr(layer, name, None), "scale", None) for name in
                  ("self_attn_layer_scale", "mlp_layer_scale")]
        layers.append(Layer(
            stacked(linear(attention.q_proj), linear(attention.k_proj), linear(attention.v_proj), config.head_dim),
            linear(attention.o_proj, scales[0]), linear(mlp.fc1), linear(mlp.fc2, scales[1]), norm(layer.input_layernorm),
            norm(layer.post_attention_layernorm), left, right))
    final = getattr(encoder, "final_norm", None)
    return Network(layers, config.num_attention_heads, True, True, theta=theta, norm=None if final is None else norm(final))
