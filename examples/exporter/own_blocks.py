# Layers written by hand: under names that the loader knows
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch

from .flow import Fixed
from .layers import softmax_attention
from .model import Refused

# What a layer is called whose norms stand in front: as transformers' Llama and Mimi name it. Behind: as its wav2vec2 does
PRE_NORM = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "out": "self_attn.o_proj",
            "q_norm": "self_attn.q_norm", "k_norm": "self_attn.k_norm", "norm1": "input_layernorm",
            "norm2": "post_attention_layernorm", "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj",
            "linear1": "mlp.fc1", "linear2": "mlp.fc2", "scale1": "self_attn_layer_scale.scale",
            "scale2": "mlp_layer_scale.scale"}
POST_NORM = {"q": "attention.q_proj", "k": "attention.k_proj", "v": "attention.v_proj", "out": "attention.out_proj",
             "norm1": "layer_norm", "norm2": "final_layer_norm", "linear1": "feed_forward.intermediate_dense",
             "linear2": "feed_forward.output_dense"}
TORCH = {"scale1": "ls1.gamma", "scale2": "ls2.gamma"}


def is_heads(part):
    return part.op == "block" and part.attention.op == "heads"


def write_block(layout, part, prefix):
    """layout: a Layout; part: its block"""
    facts, attended, fed = layout.model.facts, part.attended, part.fed
    facts.say("norm_first", part.norm_first, part.name)
    facts.say("activation", fed.activation, part.name)
    if not is_heads(part):
        if fed.gate is not None:
            raise Refused(f"{part.name} has a gated feed-forward beside an nn.MultiheadAttention, for which model files have "
                          "no names: write the attention with scaled_dot_product_attention(), or train without the gate")
        softmax_attention(layout.model, part.attention.name, layout.original(part.attention.name), prefix + "self_attn.")
        for key in ("linear1", "linear2"):
            layout.put_linear(prefix + key, getattr(fed, key))
        for key, norm in zip(("norm1", "norm2"), part.norms):
            layout.put_norm(prefix + key, norm)
        put_scales(layout, part, prefix, TORCH)
        return
    names = PRE_NORM if part.norm_first else POST_NORM
    say_attention(facts, part)
    projections = part.attention.query, part.attention.key, part.attention.value
    put_linears(layout, prefix, [(names[key], side) for key, side in zip("qkv", scaled(projections))]
                + [(names["out"], attended.out)])
    put_head_norms(layout, part, prefix, names)
    if fed.gate is None:
        put_linears(layout, prefix, [(names["linear1"], fed.linear1), (names["linear2"], fed.linear2)])
    else:
        put_linears(layout, prefix, [(named(names, key, part), linear) for key, linear in (
            ("gate", fed.gate), ("up", fed.linear1), ("down", fed.linear2))])
    put_norms(layout, prefix, [(names["norm1"], part.norms[0]), (names["norm2"], part.norms[1])])
    put_scales(layout, part, prefix, names)


def named(names, key, part):
    if key not in names:
        what = {"gate": "a gated feed-forward", "q_norm": "norms of queries and keys", "k_norm": "norms of queries and keys",
                "scale1": "a layer scale", "scale2": "a layer scale"}[key]
        raise Refused(f"{part.name} has its norms behind attention and feed-forward, and {what}: model files have that in "
                      "layers whose norms stand in front")
    return names[key]


def say_attention(facts, part):
    node, name = part.attention, part.name
    heads, size = node.query.rows.shape
    facts.say("nhead", heads, name)
    facts.say("head_dim", size, name)
    facts.say("num_key_value_heads", len(node.key.rows), name)
    turn = node.query.turn
    facts.say("rope_theta", turn.theta, name)
    if turn.theta is not None:
        facts.say("rope_interleaved", turn.interleaved, name)
        facts.say("partial_rotary_factor", turn.part / size, name)


class Linear:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias


def scaled(sides):
    """The factor of the logits goes into the queries, or into their norm if they have one; the keys' is part of it"""
    for i, side in enumerate(sides):
        weight, bias = side.weight, side.bias
        factor = 1.0 if i == 1 or side.norm is not None else side.turn.factor
        if factor != 1.0:
            weight, bias = (None if item is None else (item[0].double() * factor, Fixed(item[1].sources))
                            for item in (weight, bias))
        yield Linear(weight, bias)


def put_linears(layout, prefix, linears):
    """All with biases, if one has: the loader takes a bias that is missing among others for a fault"""
    biased = any(linear.bias is not None for _, linear in linears)
    for name, linear in linears:
        layout.put_linear(prefix + name, linear)
        if biased and linear.bias is None:
            layout.model.tensors[f"{prefix}{name}.bias"] = torch.zeros(len(linear.weight[0]))


def put_norms(layout, prefix, norms):
    biased = any(norm.bias is not None for _, norm in norms)
    for name, norm in norms:
        layout.put_norm(prefix + name, norm)
        if biased and norm.bias is None:
            layout.model.tensors[f"{prefix}{name}.bias"] = torch.zeros(norm.size)


def put_head_norms(layout, part, prefix, names):
    node, tensors = part.attention, layout.model.tensors
    sides = (("q_norm", node.query, node.query.turn.factor), ("k_norm", node.key, 1.0))
    given = [side.norm for _, side, _ in sides]
    if given == [None, None]:
        return
    if None in given:
        raise Refused(f"{part.name} norms {'queries' if given[0] else 'keys'} only: model files have norms of both or of none")
    biased = any(norm.bias is not None for norm in given)
    for key, side, factor in sides:
        name = prefix + named(names, key, part)
        layout.say_norm(side.norm.kind, side.norm.eps, name)
        size = side.rows.shape[1]
        gain = torch.ones(size, dtype=torch.float64) if side.norm.gain is None else side.norm.gain
        tensors[name + ".weight"] = (gain * factor).float()
        if biased:
            bias = torch.zeros(size, dtype=torch.float64) if side.norm.bias is None else side.norm.bias
            tensors[name + ".bias"] = (bias * factor).float()


def put_scales(layout, part, prefix, names):
    width = len(part.fed.linear2.weight[0])
    for key, scale in (("scale1", part.attended.scale), ("scale2", part.fed.scale)):
        if part.attended.scale is None and part.fed.scale is None:
            continue
        value = torch.ones(1) if scale is None else scale[0]
        made_of = Fixed() if scale is None else scale[1]
        layout.put_tensor(prefix + named(names, key, part), (value.reshape(-1).double().expand(width).contiguous(), made_of))
