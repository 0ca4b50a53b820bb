# Follows one window through forward(): what is done to the vectors, where, and with which constants
# SPDX-License-Identifier: LGPL-2.1-or-later
"""forward() runs once on tensors that note what is done to them (torch's __torch_function__ protocol, which torch.fx is
built upon as well). Sizes are numbers here, so len(x), loops over a list of layers and masks made in forward() need no
special care; a decision by the data itself is refused, for another window might be decided otherwise."""
import linecache
import os
import sys
import weakref

import torch
from torch.utils._pytree import tree_flatten, tree_map

from .flow import Fixed, Flow, Lost, Unsayable
from .model import Refused

TORCH = os.path.dirname(os.path.abspath(torch.__file__))
OWN = os.path.dirname(os.path.abspath(__file__))
# What may be known of the vectors without knowing their values
HARMLESS = {"size", "shape", "dim", "ndim", "ndimension", "numel", "nelement", "len", "device", "dtype", "layout",
            "get_device", "requires_grad", "stride", "names", "grad", "grad_fn", "repr", "format", "element_size",
            "itemsize", "nbytes", "storage_offset", "name", "type", "register_hook", "retain_grad"}


class Tracked(torch.Tensor):
    """A tensor of forward(). about: Flow, Fixed or Lost; raw: the plain tensor, which shares its memory"""

    @staticmethod
    def __new__(cls, raw, about, trace):
        self = torch.Tensor._make_subclass(cls, raw)
        self.raw, self.about, self.trace = raw, about, trace
        trace.alive.append(weakref.ref(self))
        return self

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        return next(tracked_in((args, kwargs))).trace.call(func, args, kwargs)


def tracked_in(tree):
    stack = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, Tracked):
            yield item
        elif isinstance(item, (tuple, list)):
            stack += reversed(item)
        elif isinstance(item, dict):
            stack += reversed(list(item.values()))
        elif isinstance(item, slice):
            stack += (item.step, item.stop, item.start)


def plain_tensors(tree):
    """The same with plain tensors"""
    def convert(item):
        if isinstance(item, slice):
            return slice(convert(item.start), convert(item.stop), convert(item.step))
        return item.raw if isinstance(item, Tracked) else item
    return tree_map(convert, tree)


def function_name(func):
    """One name for x + y, x.add_(y), torch.add(x, y) and so on"""
    name = getattr(func, "__name__", None) or type(func).__name__
    if name in ("__get__", "__set__"):
        name = getattr(func.__self__, "__name__", name)
    if name.startswith("__"):
        name = name.strip("_")
    return name.rstrip("_").lstrip("_") or name


def user_line():
    """Where the user's code is, and what it says"""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        folder = os.path.dirname(os.path.abspath(file))
        if frame.f_code.co_name == "run_forward" and folder == OWN:
            return ""
        if not folder.startswith((TORCH, OWN)) and not file.startswith("<"):
            code = linecache.getline(file, frame.f_lineno).strip()
            return f"{os.path.basename(file)}:{frame.f_lineno}" + (f", `{code}`" if code else "")
        frame = frame.f_back
    return ""


def storage(tensor):
    return (tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()).data_ptr()


class Trace:
    """Of one run. operations: by the name of a function of torch, what it does, as a function of a Call; otherwise: for
    all other names; understood: what is tried where there is no word for an operation, see op_attention.py"""

    def __init__(self, operations, otherwise, understood):
        self.operations, self.otherwise, self.understood = operations, otherwise, understood
        self.alive, self.modules = [], []
        self.causal = False  # a triangular mask was given
        self.reached = False  # the vectors came to an attention as it takes them
        self.sure = False  # an attention by hand was understood: the axes are right

    def place(self):
        return user_line() or (self.modules[-1] if self.modules else "")

    def wrap(self, raw, about):
        return Tracked(raw, about, self)

    def lose(self, raw, reason, axes=0):
        """raw tensors, alone or in tuples, as lost"""
        place = self.place()
        lost = Lost(f"{place}: {reason}" if place else reason, axes)
        return tree_map(lambda item: self.wrap(item, lost) if type(item) is torch.Tensor else item, plain_tensors(raw))

    def call(self, func, args, kwargs):
        name = function_name(func)
        tracked = list({id(t): t for t in tracked_in((args, kwargs))}.values())
        if name == "embedding" and tracked and isinstance(tracked[0].about, Flow):
            raise Refused(f"{self.place()}: the input is a number that an nn.Embedding looks up: vectors enter a "
                          "model file, so look up in front of the element and export what follows")
        if torch.is_inference_mode_enabled():
            raise Refused(f"{self.place()}: forward() runs under torch.inference_mode(), where it cannot be followed: call "
                          "the module under it, and take it out of forward()")
        versions = [t.raw._version for t in tracked]
        raw = func(*plain_tensors(args), **plain_tensors(kwargs))
        about = self.about(func, name, args, kwargs, tracked, raw)
        made = self.result(raw, about, name)
        for t, version in zip(tracked, versions):
            if t.raw._version != version:
                made = self.changed(t, raw, about, made)
        return made

    def about(self, func, name, args, kwargs, tracked, raw):
        """What the result is: one description, or a list of them for a tuple"""
        lost = next((t.about for t in tracked if isinstance(t.about, Lost)), None)
        if not lost and not any(isinstance(t.about, Flow) for t in tracked):
            return self.fixed(name, tracked, raw)
        flat = tree_flatten(raw)[0]
        if raw is not None and not any(isinstance(item, torch.Tensor) for item in flat):
            if name in HARMLESS or name.startswith("is_") and name != "is_nonzero":
                return None
            if name not in ("set", "data", "setitem"):
                raise Refused(f"{self.place()}: forward() looks at the values of the vectors ({name}) and may do "
                              "something else with other ones, or leave torch: a model file has one computation for "
                              "all. Take that out of forward()")
        call = Call(self, name, args, kwargs, raw)
        try:
            if lost:
                return self.understood(func, call, tracked, lost)
            try:
                return self.operations.get(name, self.otherwise)(call)
            except Unsayable as error:
                place = self.place()
                lost = Lost(f"{place}: {error.reason}" if place else error.reason, error.axes)
            return self.understood(func, call, tracked, lost)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError, RuntimeError) as error:
            if isinstance(error, Refused):
                raise
            return Lost(f"{self.place()}: {name}() is called in a way that is not understood here ({error})")

    @staticmethod
    def fixed(name, tracked, raw):
        sources = frozenset().union(*(t.about.sources for t in tracked))
        exact = None
        same = name in ("data", "detach", "to", "float", "double", "contiguous", "clone", "type", "cpu")
        if (same and len(tracked) == 1 and isinstance(raw, torch.Tensor) and raw.is_floating_point()
                and raw.shape == tracked[0].raw.shape):
            exact = tracked[0].about.exact
        return Fixed(sources, exact)

    def result(self, raw, about, name):
        if type(raw) is torch.Tensor or isinstance(raw, torch.nn.Parameter):
            return self.wrap(raw, about[0] if isinstance(about, list) else about)
        if isinstance(raw, (tuple, list)):
            each = about if isinstance(about, list) else [about] * len(raw)
            items = [self.result(item, one, name) for item, one in zip(raw, each)]
            return type(raw)(items) if type(raw) in (list, tuple) or hasattr(raw, "n_fields") else tuple(items)
        return raw

    def changed(self, target, raw, about, made):
        """An operation in place: `target` is the result, or it is lost; so are other views of its memory"""
        is_result = (isinstance(raw, torch.Tensor) and raw.data_ptr() == target.raw.data_ptr()
                     and raw.shape == target.raw.shape)
        if is_result and not isinstance(about, list):
            target.about, made = about, target
        elif isinstance(target.about, Fixed) and isinstance(about, Fixed):
            target.about = Fixed(target.about.sources | about.sources)
        else:
            target.about = Lost(f"{self.place()}: a part of the vectors is overwritten in place, for which a layout "
                                "has no operation")
        self.alive = [ref for ref in self.alive if ref() is not None]
        memory = storage(target.raw)
        for other in (ref() for ref in self.alive):
            if other is not None and other is not target and other is not made and storage(other.raw) == memory:
                if isinstance(other.about, Fixed) and isinstance(about, Fixed):
                    other.about = Fixed(other.about.sources | about.sources)
                else:
                    other.about = Lost(f"{self.place()}: what this changes in place is used elsewhere as well")
        return made


class Call:
    """One call of a function with the vectors among its arguments"""

    def __init__(self, trace, name, args, kwargs, raw):
        self.trace, self.name, self.args, self.kwargs, self.raw = trace, name, args, kwargs, raw

    def get(self, position, *names, default=None):
        for name in names:
            if name in self.kwargs:
                return self.kwargs[name]
        return self.args[position] if position is not None and position < len(self.args) else default

    @property
    def place(self):
        return self.trace.place()

    @property
    def flow(self):
        """The vectors, which must be the first argument and the only ones"""
        first = self.get(0, "input", "self", "x")
        others = [t for t in tracked_in((self.args, self.kwargs)) if t is not first and isinstance(t.about, Flow)]
        if not isinstance(first, Tracked) or not isinstance(first.about, Flow) or others:
            raise Unsayable(f"{self.name}() takes the vectors otherwise than as its first argument: a layout has no "
                            "operation for that")
        return first.about

    def dims(self, position, *names, default=None):
        dims = self.get(position, *names, default=default)
        return None if dims is None else [int(d) for d in dims] if isinstance(dims, (tuple, list)) else [int(dims)]

    def sizes(self, position, *names):
        """A shape or an order given as (2, 3) or as 2, 3"""
        given = next((self.kwargs[name] for name in names if name in self.kwargs), self.args[position:])
        if len(given) == 1 and isinstance(given[0], (tuple, list)):
            given = given[0]
        return [int(n) for n in given]
