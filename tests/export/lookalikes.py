# Modules built as two libraries build theirs, for where those are not installed: children and attributes, no forward()
# SPDX-License-Identifier: LGPL-2.1-or-later
from collections import OrderedDict
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F


def record(name, *fields, base=nn.Module, **defaults):
    """A module class that keeps its arguments as attributes"""
    def __init__(self, *args, **named):
        base.__init__(self)
        for key, value in {**defaults, **dict(zip(fields, args)), **named}.items():
            setattr(self, key, value)
    return type(name, (base,), {"__init__": __init__})


# ---- fast_transformers ----

class Features(nn.Module):
    def __init__(self, query_dims, **says):
        super().__init__()
        self.stabilize = False
        for key, value in says.items():
            setattr(self, key, value)
        self.register_buffer("omega", torch.zeros(query_dims, self.n_dims // 2))

    def new_feature_map(self, device):
        self.omega.normal_()


def features(name, **defaults):
    cls = type(name, (Features,), {})

    def factory(n_dims, **says):
        n_dims = 2 * n_dims if name[0] == "G" else n_dims - 1 if name[0] == "S" else n_dims
        return lambda query_dims: cls(query_dims, **{"softmax_temp": query_dims ** -0.5, "n_dims": n_dims, **defaults, **says})
    return SimpleNamespace(factory=factory)


def linear_attention(name):
    activation = record("ActivationFunctionFeatureMap", activation_function=lambda x: F.elu(x) + 1)
    cls = record(name, eps=1e-6)

    def make(query_dims, feature_map=None, **says):
        return cls(feature_map=feature_map(query_dims) if feature_map else activation(), **says)
    return make


def full_attention(name):
    return record(name, softmax_temp=None)


class AttentionLayer(nn.Module):
    def __init__(self, attention, d_model, n_heads, d_keys=None, d_values=None):
        super().__init__()
        d_keys, d_values = d_keys or d_model // n_heads, d_values or d_model // n_heads
        self.inner_attention, self.n_heads = attention, n_heads
        self.query_projection = nn.Linear(d_model, d_keys * n_heads)
        self.key_projection = nn.Linear(d_model, d_keys * n_heads)
        self.value_projection = nn.Linear(d_model, d_values * n_heads)
        self.out_projection = nn.Linear(d_values * n_heads, d_model)


def rest_of_layer(self, d_model, d_ff, activation, norms):
    self.linear1, self.linear2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
    for i in range(norms):
        setattr(self, f"norm{i + 1}", nn.LayerNorm(d_model))
    self.activation = F.relu if activation == "relu" else F.gelu


class RecurrentTransformerEncoderLayer(nn.Module):
    def __init__(self, attention, d_model, d_ff, dropout=0.1, activation="relu"):
        super().__init__()
        self.attention = attention
        rest_of_layer(self, d_model, d_ff, activation, 2)


class RecurrentTransformerDecoderLayer(nn.Module):
    def __init__(self, self_attention, cross_attention, d_model, d_ff, dropout=0.1, activation="relu"):
        super().__init__()
        self.self_attention, self.cross_attention = self_attention, cross_attention
        rest_of_layer(self, d_model, d_ff, activation, 3)


class RecurrentTransformerEncoder(nn.Module):
    def __init__(self, layers, norm_layer=None):
        super().__init__()
        self.layers, self.norm = nn.ModuleList(layers), norm_layer


RecurrentTransformerDecoder = type("RecurrentTransformerDecoder", (RecurrentTransformerEncoder,), {})
TransformerEncoder = type("TransformerEncoder", (RecurrentTransformerEncoder,), {})
TransformerEncoderLayer = type("TransformerEncoderLayer", (RecurrentTransformerEncoderLayer,), {})
RecurrentFullAttention = full_attention("RecurrentFullAttention")
RecurrentLinearAttention = linear_attention("RecurrentLinearAttention")
RecurrentCrossFullAttention = full_attention("RecurrentCrossFullAttention")
RecurrentCrossLinearAttention = linear_attention("RecurrentCrossLinearAttention")
FullAttention = full_attention("FullAttention")
LinearAttention = linear_attention("LinearAttention")
Favor = features("Favor")
RandomFourierFeatures = features("RandomFourierFeatures")
SmoothedRandomFourierFeatures = features("SmoothedRandomFourierFeatures", smoothing=1.0)
GeneralizedRandomFeatures = features("GeneralizedRandomFeatures", kernel_fn=torch.relu)
RecurrentAttentionLayer = RecurrentCrossAttentionLayer = AttentionLayer


# ---- continual-inference ----

Lambda = record("Lambda", "fn", "forward_only_fn", "forward_step_only_fn", "forward_steps_only_fn", takes_time=False)
RetroactiveLambda = type("RetroactiveLambda", (Lambda,), {})
NaiveResidual = record("NaiveResidual", "fn")
Delay = record("Delay", "delay")
Linear = type("Linear", (nn.Linear,), {"__init__": lambda self, n, m, channel_dim=-1: nn.Linear.__init__(self, n, m)})


def multihead(name):
    def __init__(self, embed_dim, num_heads, sequence_len=None, query_index=-1, **says):
        nn.MultiheadAttention.__init__(self, embed_dim, num_heads, **says)
        self.sequence_len = sequence_len
        if name[0] == "S":
            self.query_index = query_index
    return type(name, (nn.MultiheadAttention,), {"__init__": __init__})


SingleOutputMultiheadAttention = multihead("SingleOutputMultiheadAttention")
RetroactiveMultiheadAttention = multihead("RetroactiveMultiheadAttention")
Sequential = nn.Sequential


def sequential(**children):
    return nn.Sequential(OrderedDict(children))


def co_layer(attention, d_model, d_ff, activation, eps, retroactive):
    forward = sequential(linear1=Linear(d_model, d_ff), activation=Lambda(activation), dropout=nn.Dropout(0.1),
                         linear2=Linear(d_ff, d_model), dropout2=nn.Dropout(0.1))
    norm1, norm2 = nn.LayerNorm(d_model, eps=eps), nn.LayerNorm(d_model, eps=eps)
    if retroactive:
        rest = RetroactiveLambda(sequential(norm1=norm1, _ff_block=NaiveResidual(forward), norm2=norm2))
    else:
        rest = sequential(norm1=Lambda(norm1), _ff_block=nn.Sequential(Delay(0), forward), norm2=Lambda(norm2))
    return nn.Sequential(sequential(residual=Delay(0), self_attn=attention), rest)


def SingleOutputTransformerEncoderLayer(d_model, nhead, dim_feedforward, dropout=0.1, activation=F.relu, layer_norm_eps=1e-5,
                                        sequence_len=None, single_output_forward=False, query_index=-1):
    return co_layer(SingleOutputMultiheadAttention(d_model, nhead, sequence_len, query_index), d_model, dim_feedforward,
                    activation, layer_norm_eps, False)


def RetroactiveTransformerEncoderLayer(d_model, nhead, dim_feedforward, dropout=0.1, activation=F.relu, layer_norm_eps=1e-5,
                                       sequence_len=None):
    return co_layer(RetroactiveMultiheadAttention(d_model, nhead, sequence_len), d_model, dim_feedforward, activation,
                    layer_norm_eps, True)


def TransformerEncoderLayerFactory(*args, **says):
    return args, says


def co_encoder(factory, num_layers, norm=None):
    args, says = factory
    layers = [RetroactiveTransformerEncoderLayer(*args, **says)] if num_layers > 1 else []
    layers.append(SingleOutputTransformerEncoderLayer(*args, **says))
    if num_layers > 1:
        layers = [layers[0], RetroactiveLambda(layers[1]), Lambda(lambda x: x)]
    made = type("TransformerEncoder", (nn.Sequential,), {})(OrderedDict(layers=nn.Sequential(*layers)))
    if norm is not None:
        made.add_module("norm", Lambda(norm))
    return made


class RecyclingPositionalEncoding(nn.Module):
    def __init__(self, embed_dim, num_embeds, learned=True):
        super().__init__()
        self.pe = nn.Embedding(num_embeds, embed_dim) if learned else nn.Module()
        if not learned:
            self.pe.register_buffer("pattern", torch.randn(num_embeds, embed_dim))


co = SimpleNamespace(**{name: globals()[name] for name in (
    "Lambda", "Linear", "Sequential", "SingleOutputMultiheadAttention", "RetroactiveMultiheadAttention",
    "SingleOutputTransformerEncoderLayer", "RetroactiveTransformerEncoderLayer", "TransformerEncoderLayerFactory",
    "RecyclingPositionalEncoding")}, TransformerEncoder=co_encoder)
