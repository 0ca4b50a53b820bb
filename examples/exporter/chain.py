# The operations of forward() in the words of a layout: layers found, arithmetic gathered
# SPDX-License-Identifier: LGPL-2.1-or-later
import math
import os.path

import torch

from .flow import Fixed
from .model import Refused

BEFORE_ONLY = {"positions": "positions are added", "token": "a class token is added"}
CORE = ("layer", "block", "attention")
NOT_ALONE = {
    "heads": "this attention written by hand is part of no layer: expected a linear map behind it, and what went into it (or "
             "into the norm in front of it) added",
    "gated": "a gate: vectors are multiplied by what depends on them, which model files have in the feed-forward of a layer "
             "only (a linear map behind it, and what went into it added)",
}


class Part:
    """One entry to be: an operation of forward() or several that are one"""

    def __init__(self, op, place, **fields):
        self.op, self.place = op, place
        self.__dict__.update(fields)


def at(part):
    return f"{part.place}: " if part.place else ""


def parts_of(node):
    """The chain up to `node` as parts"""
    parts = [Part(**{key: value for key, value in vars(n).items() if key != "prev"}) for n in node.chain()]
    return gathered(blocks(parts))


# ---- layers written by hand ----

def blocks(parts):
    """Attentions and feed-forwards with their residuals and norms, as layers"""
    found, rest = [], list(parts)
    while rest:
        ops = [part.op for part in rest[:4]]
        if ops[:2] == ["attended", "fed"] and rest[0].norm and rest[1].norm:
            attended, fed = rest[:2]
            norms, taken = (attended.norm, fed.norm), 2
        elif ops == ["attended", "norm", "fed", "norm"] and not rest[0].norm and not rest[2].norm:
            attended, fed = rest[0], rest[2]
            norms, taken = (rest[1], rest[3]), 4
        elif ops[0] in ("attended", "fed"):
            raise Refused(f"{at(rest[0])}this residual is part of no layer that model files have: expected attention "
                          "and feed-forward, each with its residual, and a LayerNorm in front of each (pre-norm) or "
                          "behind each (post-norm)")
        elif ops[0] in NOT_ALONE:
            raise Refused(f"{at(rest[0])}{NOT_ALONE[ops[0]]}")
        else:
            found.append(rest.pop(0))
            continue
        found.append(Part("block", attended.place, attended=attended, fed=fed, attention=attended.attention, norms=norms,
                          norm_first=taken == 2, name=block_name(attended, fed)))
        del rest[:taken]
    return found


def block_name(attended, fed):
    return attended.attention.name if attended.attention.op == "attention" else ".".join(module_of(attended.out.weight))


def module_of(weight):
    """The module of a parameter, as a list of names"""
    return sorted(weight[1].sources)[0].split(".")[:-1] if weight[1].sources else []


def common_module(part):
    """The module that a layer written by hand is, by the names of its attention and its norms"""
    names = [module_of(norm.weight) for norm in part.norms if norm.weight]
    if part.attention.op == "attention":
        names.append(part.attention.name.split("."))
    else:
        names += [module_of(part.attended.out.weight), module_of(part.fed.linear2.weight)]
    return ".".join(os.path.commonprefix(names))


# ---- arithmetic ----

def number(value):
    """A factor or a shift that is one number; None if it is a vector"""
    value = torch.as_tensor(value).double().reshape(-1)
    return value[0].item() if value.numel() == 1 else None


def gathered(parts):
    """scale:NUMBER for a factor, and affine maps of each feature; shifts go where they cost nothing"""
    found = []
    for part in parts:
        last = found[-1] if found else None
        if part.op != "affine":
            if part.op == "positions" and last is not None and last.op == "positions":
                last.table, last.made_of = last.table + part.table, Fixed(last.made_of.sources | part.made_of.sources)
            else:
                found.append(part)
            continue
        factor, shift = number(part.factor), number(part.shift)
        if factor == 1 and shift == 0:
            continue
        if shift == 0 and factor is not None:
            if last is not None and last.op == "scale":
                last.number *= factor
            elif last is not None and last.op == "each":
                affine(found, part)
            else:
                found.append(Part("scale", part.place, number=factor))
        elif last is not None and last.op == "positions" and factor == 1:
            last.table, last.made_of = last.table + part.shift, Fixed(last.made_of.sources | part.made_of.sources)
        elif last is not None and last.op == "linear" and factor == 1:
            add_to_bias(last, part)
        else:
            affine(found, part)
    return [part for part in found if part.op != "scale" or not math.isclose(part.number, 1, rel_tol=1e-12)]


def add_to_bias(linear, part):
    n = linear.weight[0].shape[0]
    shift = torch.as_tensor(part.shift).double().expand(n)
    bias = shift if linear.bias is None else linear.bias[0].double() + shift
    sources = part.made_of.sources | (linear.bias[1].sources if linear.bias else frozenset())
    linear.bias = (bias.float(), Fixed(sources))


ZERO = torch.zeros((), dtype=torch.float64)


def affine(found, part):
    """((x - minus) * times) + plus for each feature. A difference that comes first stays first, for the sake of digits."""
    factor, shift = (torch.as_tensor(item).double() for item in (part.factor, part.shift))
    last = found[-1] if found else None
    if last is not None and last.op == "scale":
        last = found[-1] = Part("each", last.place, minus=ZERO, times=ZERO + last.number, plus=ZERO, made_of=Fixed())
    if last is not None and last.op == "each":
        last.times, last.plus = last.times * factor, last.plus * factor + shift
        last.made_of = Fixed(last.made_of.sources | part.made_of.sources)
    elif number(factor) == 1:
        found.append(Part("each", part.place, minus=-shift, times=factor, plus=ZERO, made_of=part.made_of))
    else:
        found.append(Part("each", part.place, minus=ZERO, times=factor, plus=shift, made_of=part.made_of))


# ---- what may stand where ----

def check_order(parts):
    """The indices of the encoder's first and last part"""
    core = [i for i, part in enumerate(parts) if part.op in CORE]
    if not core:
        raise Refused("there is no attention between what enters forward() and what it returns: expected an encoder "
                      "or an attention")
    first, last = core[0], core[-1]
    if core != list(range(first, last + 1)):
        between = next(part for i, part in enumerate(parts[first:last]) if part.op not in CORE)
        raise Refused(f"{parts[first].name} and {parts[last].name} have something between them "
                      f"({at(between)}{between.op}): a model file has one encoder whose layers follow each other")
    if any(part.op == "attention" for part in parts[first:last + 1]) and last > first:
        raise Refused(f"{parts[first].name} and {parts[last].name} are attentions without layers: a model file has "
                      "one of them")
    for part in parts[:first]:
        if part.op in ("pool", "row"):
            raise Refused(f"{at(part)}the window is pooled before the encoder: a layout pools behind it")
    for part in parts[last + 1:]:
        if part.op in BEFORE_ONLY:
            raise Refused(f"{at(part)}{BEFORE_ONLY[part.op]} behind the encoder: a layout has that in front of it")
    names = [part.name for part in parts if part.op in CORE]
    for name in names:
        if names.count(name) > 1:
            raise Refused(f"{name} is used {names.count(name)} times: a model file has every layer once. Make each a "
                          "layer of its own (copy.deepcopy) and train on, or export what uses it once")
    exact = [part.weight[1].exact for part in parts if part.op in ("linear", "norm", "batch_norm") and part.weight]
    for name in exact:
        if name is not None and exact.count(name) > 1:
            raise Refused(f"{name} is used {exact.count(name)} times: a model file has every part once. Make each a "
                          "part of its own (copy.deepcopy) and train on")
    return first, last
