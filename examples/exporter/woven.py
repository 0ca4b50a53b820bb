# What depends on the vectors by operations that mean something together only: heads, rotary positions, logits
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An attention written by hand takes the features apart, turns and repeats them, and puts them together again. None of that
is an operation of a layout, but the attention as a whole is. So these tensors are kept, with what they are made of, until
an attention takes them; what never comes to one is refused with the reason that it was kept with."""
import torch

from .flow import Fixed, Flow, Lost, Unsayable
from .trace import Tracked

# The same numbers elsewhere: where each is from can be followed
LAYOUT = set("""view reshape flatten unflatten view_as reshape_as ravel expand expand_as broadcast_to transpose swapaxes
    swapdims t T mT permute movedim moveaxis squeeze unsqueeze contiguous clone detach select narrow index_select unbind split
    chunk tensor_split split_with_sizes getitem repeat_interleave repeat tile""".split())
SAME = set("to float double type type_as cpu alias dropout".split())
# Other numbers, of which the result is judged
ARITHMETIC = set("""add radd iadd sub rsub subtract isub mul multiply rmul imul div divide true_divide truediv idiv neg negative
    cat concat concatenate stack view_as_complex view_as_real real imag complex matmul rmatmul einsum pow square mean sum rsqrt
    sqrt reciprocal addcmul""".split())


class Woven(Lost):
    """raw: the numbers; parents: what they are made of, by the operation op with the numbers given to it. root, index: where
    each number is from, if they are all from one tensor, a Flow or a Woven: its place there"""

    def __init__(self, lost, raw, parents, root=None, index=None, op="", numbers=()):
        super().__init__(lost.reason, lost.axes)
        self.raw, self.parents, self.root, self.index = raw.detach().clone(), list(parents), root, index
        self.op, self.numbers = op, list(numbers)

    def relaid(self, function):
        """The same with its axes in another order"""
        index = None if self.index is None else function(self.index)
        return Woven(self, function(self.raw), [self], self.root, index)


class Normed(Woven):
    """Heads, normed. norm: a Norm; source: what is"""

    def __init__(self, source, raw, norm):
        super().__init__(source, raw, [source])
        self.source, self.norm, self.root = source, norm, self
        self.index = torch.arange(raw.numel()).reshape(raw.shape)


class Part:
    """Some features of vectors: rows of those of `flow`"""

    def __init__(self, flow, raw, rows):
        self.flow, self.raw, self.rows = flow, raw, rows


def woven_flow(flow, raw):
    part, own = getattr(flow.node, "of", None), Lost("the vectors are used in an attention")
    if part is not None and ("C",) in part.flow.axes and flow.axes == part.flow.axes:
        whole = woven_flow(part.flow, part.raw)
        index = whole.index.index_select(part.flow.axes.index(("C",)), part.rows)
        return Woven(own, raw, [whole], whole.root, index)
    return Woven(own, raw, [], flow, torch.arange(raw.numel()).reshape(raw.shape))


def as_woven(tracked):
    """Vectors as they are, or what was made of them"""
    about = tracked.about
    if isinstance(about, Flow):
        return woven_flow(about, tracked.raw)
    if not isinstance(about, Woven):
        raise Unsayable("expected the vectors")
    return about


def with_indices(tree, source, index):
    """Arguments with the places of `source` in place of its numbers"""
    if tree is source:
        return index
    if isinstance(tree, Tracked):
        return tree.raw
    if isinstance(tree, (tuple, list)):
        return type(tree)(with_indices(item, source, index) for item in tree)
    if isinstance(tree, dict):
        return {key: with_indices(item, source, index) for key, item in tree.items()}
    return tree


def weave(func, name, args, kwargs, tracked, raw, lost):
    """What the result is: a Woven, or a list of them for a tuple; None if it is none"""
    items = list(raw) if isinstance(raw, (tuple, list)) else [raw]
    if not all(isinstance(item, torch.Tensor) for item in items):
        return None
    sources = [t for t in tracked if isinstance(t.about, (Flow, Woven))]
    if not sources or any(isinstance(t.about, Lost) and not isinstance(t.about, Woven) for t in tracked):
        return None
    parents = [as_woven(t) for t in sources]
    if name == "dropout" and not torch.equal(raw, parents[0].raw):
        return None  # in evaluation as well
    if name in SAME or name in LAYOUT:
        parent, places = parents[0], None
        if len(sources) == 1 and parent.index is not None:
            places = [parent.index] if name in SAME else func(*with_indices(args, sources[0], parent.index),
                                                              **with_indices(kwargs, sources[0], parent.index))
            places = list(places) if isinstance(places, (tuple, list)) else [places]
        made = [Woven(lost, item, parents[:1], parent.root if places else None, places[i] if places else None,
                      name)                 for i, item in enumerate(items)]
    elif name in ARITHMETIC:
        made = [Woven(lost, item, parents, op=name, numbers=numbers_in(args)) for item in items]
    else:
        return None
    return made if isinstance(raw, (tuple, list)) else made[0]


def numbers_in(args):
    found = [item.raw if isinstance(item, Tracked) and isinstance(item.about, Fixed) else item for item in args]
    found = [item.item() if isinstance(item, torch.Tensor) and item.numel() == 1 else item for item in found]
    return [float(item) for item in found if isinstance(item, (int, float))]


def ancestors(about):
    """What it is made of, the nearest first"""
    found, queue = [], [about]
    while queue:
        item = queue.pop(0)
        if any(item is other for other in found):
            continue
        found.append(item)
        queue += item.parents
    return found
