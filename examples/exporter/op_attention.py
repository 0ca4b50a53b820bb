# torch's functions of which an attention by hand is made
# SPDX-License-Identifier: LGPL-2.1-or-later
import math

import torch

from .flow import BY_HAND, Flow, Lost, Unsayable
from .heads import attend, scale_of, visible_of
from .norm_by_hand import norm_by_hand
from .probes import Norm
from .table import as_constant
from .trace import Tracked
from .woven import Normed, Woven, as_woven, weave

SCORES = set("""mul multiply rmul imul div divide true_divide truediv idiv itruediv add radd iadd sub masked_fill where to float
    double type type_as""".split())
UNCHANGED = set("to float double type type_as dropout nan_to_num".split())


class Scores(Woven):
    """Logits, or behind softmax the weights. query, key: Woven; logits: those before softmax, None while they are made"""

    def __init__(self, lost, raw, query, key, logits=None):
        super().__init__(lost, raw, [query, key])
        self.query, self.key, self.logits = query, key, logits


def is_heads(about):
    return isinstance(about, Woven) and about.index is not None


def depends(item):
    return isinstance(item, Tracked) and isinstance(item.about, (Flow, Woven))


def understood(func, call, tracked, lost):
    """What an operation makes of vectors where a layout has no word for it: a description, or a list of them for a tuple"""
    hard = next((t.about for t in tracked if isinstance(t.about, Lost) and not isinstance(t.about, Woven)), None)
    if hard is not None:  # heads are no fault by themselves
        return hard if BY_HAND in lost.reason else Lost(lost.reason, lost.axes)
    try:
        if call.name == "scaled_dot_product_attention":
            return sdpa(call)
        if any(isinstance(t.about, Scores) for t in tracked) and call.name not in PRODUCTS:
            return scores_of(lost, call, tracked)
        if call.name in PRODUCTS and all(depends(item) for item in operands(call)):
            return PRODUCTS[call.name](call, lost)
        if call.name in ("layer_norm", "rms_norm") and is_heads(tracked[0].about):
            return normed(call)
        norm = norm_by_hand(call, tracked)
        if norm is not None:
            return norm
    except Unsayable as error:
        place = call.place
        return Lost(f"{place}: {error.reason}" if place else error.reason, error.axes)
    return weave(func, call.name, call.args, call.kwargs, tracked, call.raw, lost) or unknown(call, tracked, lost)


def unknown(call, tracked, lost):
    """No part of an attention or of a norm"""
    if not any(isinstance(t.about, Woven) for t in tracked):
        return lost
    if BY_HAND not in lost.reason or not any(is_heads(t.about) for t in tracked):
        return Lost(lost.reason, lost.axes)
    place = f"{call.place}: " if call.place else ""
    return Lost(f"{place}{call.name}() is applied to heads or parts of vectors, of which no attention is understood; {BY_HAND}",
                lost.axes)


def sdpa(call):
    tracked = [call.get(i, name) for i, name in enumerate(("query", "key", "value"))]
    if not all(depends(item) for item in tracked):
        raise Unsayable("the query, the key or the value of an attention is learned, not of the vectors (a pooling by "
                        "attention), for which a layout has no operation: pool by the mean, the maximum, the last or first "
                        "vector, or a class token")
    given = [as_woven(item) for item in tracked]
    if call.get(4, "dropout_p", default=0.0):
        raise Unsayable("the attention drops in evaluation as well: pass dropout_p=0.0 if not self.training")
    mask, is_causal = call.get(3, "attn_mask"), bool(call.get(5, "is_causal", default=False))
    if depends(mask):
        raise Unsayable("the mask depends on the vectors")
    mask = mask.raw if isinstance(mask, Tracked) else mask
    n, m, size = (given[0].raw.shape[-2], given[1].raw.shape[-2], given[0].raw.shape[-1])
    scale = call.get(6, "scale")
    scale = 1 / math.sqrt(size) if scale is None else float(scale)
    return attend(call, given, scale, visible_of(mask, is_causal, n, m), mask is not None)


def scores_of(lost, call, tracked):
    """What an operation makes of logits or weights"""
    found = [t.about for t in tracked if isinstance(t.about, Scores)]
    scores = found[0]
    if len(found) == 1 and not any(depends(t) for t in tracked if t.about is not scores) and isinstance(
            call.raw, torch.Tensor) and call.raw.shape == scores.raw.shape:
        if scores.logits is not None:
            if call.name == "dropout" and not torch.equal(call.raw, scores.raw):
                raise Unsayable("the weights of the keys are dropped in evaluation as well: pass training=self.training")
            if call.name in UNCHANGED:
                return Scores(lost, call.raw, scores.query, scores.key, scores.logits)
        elif call.name == "softmax" and call.get(1, "dim") in (-1, call.raw.dim() - 1):
            return Scores(lost, call.raw, scores.query, scores.key, scores.raw)
        elif call.name in SCORES:
            return Scores(lost, call.raw, scores.query, scores.key)
    what = "weights of the keys" if scores.logits is not None else "logits of an attention"
    raise Unsayable(f"{call.name}() changes the {what}: expected a scale, a mask, softmax over the keys and a product with the "
                    "values, nothing between")


def product(call, left, right, lost):
    """left (…, M, K) times right (…, N, K): logits; times right (…, K, N), of weights: the attention"""
    if not isinstance(left, Scores):
        if left.raw.dim() != right.raw.dim() or left.raw.shape[-1] != right.raw.shape[-1]:
            raise Unsayable("queries and keys have not the same features")
        return Scores(lost, call.raw, left, right)
    if left.logits is None:
        raise Unsayable("logits are multiplied with values without a softmax (linear attention?): expected softmax")
    logits = left.logits.double()
    products = left.query.raw.double() @ left.key.raw.double().transpose(-1, -2)
    logits, products = (x.reshape((1,) * (4 - x.dim()) + x.shape) for x in (logits, products))
    scale, visible = scale_of(logits, products)
    return attend(call, [left.query, left.key, right], scale, visible, not bool(visible.all()))


def operands(call):
    if call.name == "einsum":
        rest = call.args[1:]
        rest = rest[0] if len(rest) == 1 and isinstance(rest[0], (list, tuple)) else rest
        return rest if len(rest) == 2 else [None]
    return [call.get(0, "input", "self"), call.get(1, "other", "mat2")]


def about_of(item):
    return item.about if isinstance(item.about, Scores) else as_woven(item)


def matmul(call, lost):
    left, right = (about_of(item) for item in operands(call))
    if isinstance(left, Scores):
        return product(call, left, right, lost)
    if left.raw.dim() < 2 or right.raw.dim() < 2:
        raise Unsayable("vectors are multiplied with a single one")
    return product(call, left, right.relaid(lambda x: x.transpose(-1, -2)), lost)


def einsum(call, lost):
    equation = call.args[0].replace(" ", "")
    names, _, out = equation.partition("->")
    left, right = (about_of(item) for item in operands(call))
    a, b = names.split(",")
    if isinstance(right, Scores):
        left, right, a, b = right, left, b, a
    shared = [letter for letter in a if letter in b and letter not in out]
    batch = "".join(letter for letter in out if letter in a and letter in b)
    own, other = ([x for x in one if x not in two] for one, two in ((a, b), (b, a)))
    if "." in equation or not out or [len(shared), len(own), len(other)] != [1, 1, 1] or sorted(out) != sorted(
            [*batch, *own, *other]):
        raise Unsayable(f"einsum('{equation}') is no part of an attention that is understood")
    k, q, n = shared[0], own[0], other[0]

    def order(letters, wanted):
        return lambda x: x.permute([letters.index(letter) for letter in wanted])
    if not isinstance(left, Scores):
        if out != batch + q + n:
            raise Unsayable(f"einsum('{equation}') has the keys not last: expected logits (…, queries, keys)")
        return product(call, left.relaid(order(a, batch + q + k)), right.relaid(order(b, batch + n + k)), lost)
    if a != batch + q + k:
        raise Unsayable(f"einsum('{equation}'): expected weights (…, queries, keys)")
    flow = product(call, left, right.relaid(order(b, batch + k + n)), lost)
    return flow.laid_out([flow.axes[(batch + q + n).index(letter)] for letter in out])


PRODUCTS = {"matmul": matmul, "bmm": matmul, "einsum": einsum}


def normed(call):
    """A norm of each head"""
    about, shape = as_woven(call.args[0]), call.get(1, "normalized_shape")
    weight, bias = call.get(2, "weight"), call.get(3, "bias") if call.name == "layer_norm" else None
    eps = call.get(4, "eps", default=1e-5) if call.name == "layer_norm" else call.get(3, "eps")
    if len(shape) != 1:
        raise Unsayable(f"a norm is taken over {tuple(shape)}: expected one head's features")
    gain, bias = (None if item is None else as_constant(item)[0].double() for item in (weight, bias))
    return Normed(about, call.raw, Norm(call.name.split("_")[0], eps_of(eps), gain, bias))


def eps_of(eps):
    """Of an RMS norm: without a number, torch takes the smallest step of the numbers' type"""
    return torch.finfo(torch.float32).eps if eps is None else eps
