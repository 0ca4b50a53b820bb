# Attentions and layers of the libraries, under the names that the loader knows
# SPDX-License-Identifier: LGPL-2.1-or-later
import math

import torch
from torch import nn
from torch.nn import functional as F

from .model import Refused, activation_name, class_name, plain


def softmax_attention(model, name, mha, put_name):
    """nn.MultiheadAttention and what continual-inference makes of it"""
    if class_name(mha) not in ("MultiheadAttention", "SingleOutputMultiheadAttention", "RetroactiveMultiheadAttention"):
        raise Refused(f"{name} is a {class_name(mha)}, whose attention is of no kind that model files have")
    if getattr(mha, "attention_act", "softmax") not in ("softmax", None):
        raise Refused(f"{name} weighs keys by {mha.attention_act}: expected softmax")
    model.facts.say("nhead", mha.num_heads, name)
    model.facts.say("add_zero_attn", mha.add_zero_attn, name)
    for key in ("in_proj_weight", "in_proj_bias", "q_proj_weight", "k_proj_weight", "v_proj_weight", "bias_k", "bias_v"):
        if getattr(mha, key, None) is not None:
            model.put(put_name + key, getattr(mha, key))
    model.put_linear(put_name + "out_proj", mha.out_proj)
    kind = {"SingleOutputMultiheadAttention": "single", "RetroactiveMultiheadAttention": "retroactive"}
    model.kinds.append(kind.get(class_name(mha), "any"))
    if getattr(mha, "sequence_len", None):
        model.facts.say("sequence_len", mha.sequence_len, name)
    if getattr(mha, "query_index", -1) != -1:
        model.facts.say("query_index", mha.query_index, name)


def feature_map(model, name, put_name, features):
    """One of fast_transformers"""
    kind = {"ActivationFunctionFeatureMap": "elu", "Favor": "favor", "RandomFourierFeatures": "random-fourier",
            "SmoothedRandomFourierFeatures": "smoothed-random-fourier",
            "GeneralizedRandomFeatures": "generalized"}.get(class_name(features))
    if kind is None:
        raise Refused(f"{name} has the feature map {class_name(features)}: expected elu, Favor, RandomFourierFeatures, "
                      "SmoothedRandomFourierFeatures or GeneralizedRandomFeatures")
    model.facts.say("feature_map", kind, name)
    if kind == "elu":
        x = torch.linspace(-9, 9, 181)
        if not torch.allclose(features.activation_function(x), F.elu(x) + 1):
            raise Refused(f"the feature map of {name} is an activation other than elu(x) + 1, the only one of its kind "
                          "that model files have")
        return
    if getattr(features, "stabilize", False):
        raise Refused(f"the Favor of {name} has stabilize=True: its features depend on a maximum over the whole call, "
                      "which no stream knows; train without it (features are kept finite here anyway)")
    if not features.omega.any():
        raise Refused(f"the random matrix of {name} has not been drawn yet: run the module once, or call "
                      "feature_map.new_feature_map(device)")
    model.facts.say("n_dims", features.n_dims, name)
    model.facts.say("softmax_temp", float(features.softmax_temp), name)
    if kind == "smoothed-random-fourier":
        model.facts.say("smoothing", float(features.smoothing), name)
    if kind == "generalized":
        model.facts.say("kernel_fn", activation_name(features.kernel_fn, name + "'s kernel_fn"), name)
    model.put(put_name + "inner_attention.feature_map.omega", features.omega)


def fast_attention(model, name, attention, put_name, cross=False):
    """fast_transformers' AttentionLayer, recurrent or not"""
    inner = attention.inner_attention
    kind = {"FullAttention": "full", "RecurrentFullAttention": "full", "RecurrentCrossFullAttention": "full",
            "CausalLinearAttention": "causal-linear", "RecurrentLinearAttention": "causal-linear",
            "LinearAttention": "linear", "RecurrentCrossLinearAttention": "linear"}.get(class_name(inner))
    if kind is None or (kind == "causal-linear" and cross):
        raise Refused(f"{name} has {class_name(inner)}: expected full or linear attention, causal if it is a self-attention")
    if kind == "linear" and not cross:
        raise Refused(f"{name} has {class_name(inner)}, which is bidirectional: every vector attends to the whole sequence, "
                      "which a stream does not have; train with causal-linear")
    factor = None
    model.facts.say("nhead", attention.n_heads, name)
    if kind == "full":
        d_key = attention.query_projection.out_features // attention.n_heads
        if inner.softmax_temp and not math.isclose(inner.softmax_temp, 1 / math.sqrt(d_key), rel_tol=1e-9):
            factor = inner.softmax_temp * math.sqrt(d_key)  # logits are linear in the queries
    else:
        if inner.eps != 1e-6:
            raise Refused(f"{name} has eps={inner.eps}: model files know 1e-6, the library's default")
        feature_map(model, name, put_name, inner.feature_map)
    model.put_linear(put_name + "query_projection", attention.query_projection, factor)
    for part in ("key_projection", "value_projection", "out_projection"):
        model.put_linear(put_name + part, getattr(attention, part))
    if cross:
        model.facts.say("cross_attention", kind, name)
    elif kind == "causal-linear":
        model.kinds.append("recurrent-linear")
    else:  # without Recurrent, whether it is causal depends on the mask
        model.kinds.append("recurrent-full" if class_name(inner).startswith("Recurrent") else "any")


# ---- layers: each writes one layer under the names that the loader knows ----

def feed_forward(model, name, layer, put_name):
    model.facts.say("activation", activation_name(layer.activation, name), name)
    for part in ("linear1", "linear2"):
        model.put_linear(put_name + part, getattr(layer, part))


def torch_layer(model, name, layer, put_name):
    if type(layer) is not nn.TransformerEncoderLayer:
        raise Refused(f"{name} is a {class_name(layer)}, a subclass of TransformerEncoderLayer that may do something else")
    softmax_attention(model, name + ".self_attn", layer.self_attn, put_name + "self_attn.")
    model.facts.say("norm_first", layer.norm_first, name)
    feed_forward(model, name, layer, put_name)
    for part in ("norm1", "norm2"):
        model.put_norm(put_name + part, getattr(layer, part))


def is_co_layer(module):
    """continual-inference's layers have no class: a Sequential of an attention with a residual, and the rest"""
    return (isinstance(module, nn.Sequential) and len(module) == 2
            and isinstance(getattr(module[0], "self_attn", None), nn.MultiheadAttention)
            and hasattr(module[0], "residual") and hasattr(plain(module[1]), "_ff_block"))


def co_layer(model, name, layer, put_name):
    rest = plain(layer[1])
    block = rest._ff_block
    block = block.fn if hasattr(block, "fn") else block[1]  # NaiveResidual, or a residual and its branch
    softmax_attention(model, name + ".0.self_attn", layer[0].self_attn, put_name + "self_attn.")
    model.facts.say("norm_first", False, name)
    feed_forward(model, name, block, put_name)
    for part in ("norm1", "norm2"):
        model.put_norm(put_name + part, plain(getattr(rest, part)))


def fast_layer(model, name, layer, put_name):
    fast_attention(model, name + ".attention", layer.attention, put_name + "attention.")
    feed_forward(model, name, layer, put_name)
    for part in ("norm1", "norm2"):
        model.put_norm(put_name + part, getattr(layer, part))


def fast_decoder_layer(model, name, layer, put_name):
    model.decoder = True
    fast_attention(model, name + ".self_attention", layer.self_attention, put_name + "self_attention.")
    fast_attention(model, name + ".cross_attention", layer.cross_attention, put_name + "cross_attention.", cross=True)
    feed_forward(model, name, layer, put_name)
    for part in ("norm1", "norm2", "norm3"):
        model.put_norm(put_name + part, getattr(layer, part))


def bare_fast(model, name, attention, put_name):
    """An attention alone goes by torch's names, which have no place for a random matrix."""
    fast_attention(model, name, attention, "bare.")
    part = {key: model.tensors.pop(key) for key in list(model.tensors) if key.startswith("bare.")}
    if "bare.inner_attention.feature_map.omega" in part:
        raise Refused(f"{name} has a random feature map: a model file has those for whole layers only; export the encoder")
    for key in ("query", "key", "value"):
        model.tensors[f"{put_name}{key[0]}_proj_weight"] = part[f"bare.{key}_projection.weight"]
    model.tensors[put_name + "in_proj_bias"] = torch.cat(
        [part[f"bare.{key}_projection.bias"] for key in ("query", "key", "value")])
    for key in ("weight", "bias"):
        model.tensors[f"{put_name}out_proj.{key}"] = part["bare.out_projection." + key]


def layer_writer(module):
    """What writes this layer; None if it is none"""
    if is_co_layer(module):
        return co_layer
    if isinstance(module, nn.TransformerEncoderLayer):
        return torch_layer
    if hasattr(module, "cross_attention") and hasattr(module, "self_attention"):
        return fast_decoder_layer
    if hasattr(getattr(module, "attention", None), "inner_attention"):
        return fast_layer
    return None
