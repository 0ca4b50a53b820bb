# Norms that forward() writes out: x * rsqrt (mean (x^2) + eps), and the same without the mean of x
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch

from .flow import Flow
from .probes import Norm, normed
from .table import as_constant
from .trace import Tracked
from .woven import Normed, Woven, as_woven

PRODUCTS = ("mul", "multiply", "rmul", "imul")
QUOTIENTS = ("div", "divide", "true_divide", "truediv", "idiv", "itruediv")
ADDS = ("add", "radd", "iadd")
CASTS = ("to", "float", "double", "type", "type_as")
STATISTIC = PRODUCTS + CASTS + ("pow", "square", "mean", "sub", "rsub", "subtract")


def norm_by_hand(call, tracked):
    """A Flow or a Normed, if the product or the quotient at hand is a norm; None if it is not"""
    if call.name in PRODUCTS:
        return whole(call, tracked, root_of_product) or with_gain(call, tracked)
    return whole(call, tracked, root_of_quotient) if call.name in QUOTIENTS else None


def uncast(about):
    while isinstance(about, Woven) and about.op in CASTS:
        about = about.parents[0]
    return about


def eps_of_sum(about):
    """The constant of mean + eps, and the mean"""
    about = uncast(about)
    if about.op not in ADDS or len(about.parents) != 1 or len(about.numbers) != 1:
        return None
    return about.numbers[0], about.parents[0]


def root_of_product(about):
    """x times 1 / sqrt (…)"""
    about = uncast(about)
    if about.op == "rsqrt" or about.op == "pow" and about.numbers == [-0.5]:
        return eps_of_sum(about.parents[0])
    if about.op == "reciprocal" or about.op in QUOTIENTS and about.numbers == [1.0] and len(about.parents) == 1:
        return root_of_quotient(about.parents[0])
    return None


def root_of_quotient(about):
    """x by sqrt (…)"""
    about = uncast(about)
    return eps_of_sum(about.parents[0]) if about.op == "sqrt" or about.op == "pow" and about.numbers == [0.5] else None


def whole(call, tracked, root):
    """The norm of a vector or of a head"""
    given = [item for item in call.args[:2] if isinstance(item, Tracked)]
    if len(given) != 2 or len(tracked) != 2:
        return None
    for x, other in (given, given[::-1]) if call.name in PRODUCTS else (given,):
        if not isinstance(other.about, Woven) or not other.about.parents:
            continue
        found = root(other.about)
        if found is None:
            continue
        eps, mean = found
        for kind, source in sources(x):
            if source is None or not only_statistics(mean, source):
                continue
            y = normed(source.raw.double(), kind, eps)
            if y.shape == call.raw.shape and torch.allclose(call.raw.double(), y, rtol=1e-4, atol=1e-5):
                return made(call, source, kind, eps)
    return None


def sources(x):
    """What may be normed: x, or what a mean was subtracted from to make it"""
    about = x.about
    yield "rms", start_of(as_woven(x))
    if isinstance(about, Woven) and about.op in ("sub", "subtract") and len(about.parents) == 2:
        yield "layer", start_of(about.parents[0])


def start_of(about):
    about = uncast(about)
    return about if about.index is not None else None


def only_statistics(about, source):
    """Whether it is made of means, squares and differences of `source` alone"""
    stack = [about]
    while stack:
        item = stack.pop()
        if same_place(item, source):
            continue
        if item.op not in STATISTIC or not item.parents:
            return False
        stack += item.parents
    return True


def same_place(a, b):
    """Two views of the same numbers"""
    roots = a.root is not None and (a.root is b.root or isinstance(a.root, Flow) and isinstance(b.root, Flow)
                                    and a.root.node is b.root.node and a.root.axes == b.root.axes)
    return roots and a.index.shape == b.index.shape and torch.equal(a.index, b.index)


def made(call, source, kind, eps):
    if isinstance(source.root, Flow) and source.root.axes[-1] == ("C",) and source.index.shape == tuple(source.root.shape):
        if torch.equal(source.index, torch.arange(source.index.numel()).reshape(source.index.shape)):
            return source.root.then("norm", call.place, kind=kind, eps=eps, size=source.raw.shape[-1], weight=None, bias=None)
    return Normed(source, call.raw, Norm(kind, eps, None, None))


def with_gain(call, tracked):
    """A norm of heads, times a factor for each feature"""
    found = [t for t in tracked if isinstance(t.about, Woven)]
    if len(found) != 1:
        return None
    about = uncast(found[0].about)
    if not isinstance(about, Normed) or about.norm.gain is not None or about.norm.bias is not None:
        return None
    others = [item for item in call.args[:2] if item is not found[0]]
    gain = as_constant(others[0])[0].double() if len(others) == 1 else torch.zeros(0)
    if gain.numel() != about.raw.shape[-1] or call.raw.shape != about.raw.shape:
        return None
    return Normed(about.source, call.raw, Norm(about.norm.kind, about.norm.eps, gain.reshape(-1), None))
