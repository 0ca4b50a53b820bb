# The kind of attention of layers written by hand: what their masks say at more lengths than one
# SPDX-License-Identifier: LGPL-2.1-or-later
import json

from .forward import Failed, copied, run_forward, trace_dtype
from .model import Refused, library
from .own_blocks import is_heads

LONG = 257  # vectors: windows that are shorter show
LONGEST = 4096


class Own:
    """windows: (left, right) of each layer, None for all; made: whether a mask was made for the window at hand, which another
    length may have otherwise; length: at which all this is so"""

    def __init__(self, blocks, length):
        nodes = [block.attention for block in blocks]
        self.windows, self.made, self.length = [node.window for node in nodes], any(n.explicit_mask for n in nodes), length


def own_windows(module, layout, n, arguments):
    """The Own of a followed module; None if it has no layers written by hand"""
    blocks = [part for part in layout.parts if is_heads(part)]
    if not blocks:
        return None
    longer = longer_run(module, layout, n, arguments)
    if longer is None:
        return Own(blocks, n)
    again = [part for part in type(layout)(layout.module, longer).parts if is_heads(part)]
    if len(again) != len(blocks) or not all(one.attention.query.turn.like(other.attention.query.turn)
                                            for one, other in zip(blocks, again)):
        raise Refused(f"forward() has other layers or other rotary positions for {longer.n} vectors than for {n}: a model file "
                      "has one computation for all")
    return Own(again, longer.n)


def window_hints(module):
    """Windows that attributes, and configurations of transformers, speak of"""
    found = []
    for name, part in module.named_modules():
        if getattr(part, "rope_type", "default") != "default":
            raise Refused(f"{name} has rotary positions of rope_type {part.rope_type!r}: expected 'default', for another type "
                          "scales the angles, which a model file cannot say")
        config = getattr(part, "config", None)
        for key, value in [*vars(part).items(), *(vars(config).items() if hasattr(config, "__dict__") else ())]:
            if "window" in key.lower():
                found += [(name, key, n) for n in flat(value)]
    for name, key, n in found:
        if n > LONGEST:
            raise Refused(f"{name}.{key} is {n}: what a module does with more than {LONGEST} vectors is not tried"
                          + ("; export the part of transformers alone" if any(library(part) == "transformers"
                                                                               for part in module.modules()) else ""))
    return [n for _, _, n in found if n > 0]


def flat(value):
    """The whole numbers in lists of lists"""
    if isinstance(value, (list, tuple)):
        return [n for item in value for n in flat(item)]
    return [value] if type(value) is int else []


def longer_run(module, layout, n, arguments):
    """The same over more vectors; None where forward() takes no more"""
    run = layout.run
    length = max([LONG, 2 * n + 1] + [value + 9 for value in window_hints(module)])
    for count in (length, 2 * n + 1):
        try:
            return run_forward(module, copied(module, trace_dtype(module)), run.axes, run.batch, run.width, count, arguments)
        except Failed:
            continue
    return None


def kind_of_own(own, wanted, sequence_len):
    """What the masks say: attention, and for windows their lengths. wanted: what the caller says"""
    kinds, windows = set(own.windows), own.windows
    if kinds == {(None, None)}:
        says, words = {"attention": "single-output"}, "sees every vector of the window"
    elif kinds == {(None, 0)}:
        says, words = {"attention": "recurrent-full"}, "sees all vectors before it"
    elif any(None in window for window in windows):
        raise Refused(f"layers see {' and '.join(sorted({spell(window) for window in windows}))}: expected the same of all "
                      "layers, or a window for each")
    else:
        says, words = {"attention": "deep", "sequence_len": windows[0][0]}, f"sees {spell(windows[0])}"
        if len(kinds) > 1 or windows[0][1]:
            says = {"attention": "deep", "attention_windows": json.dumps([list(window) for window in windows])}
    kind = says["attention"]
    if wanted is not None and wanted != kind and (kind, wanted) != ("single-output", "retroactive"):
        raise Refused(f"attention={wanted!r}: in forward() every vector {words}, which is {kind}")
    if kind == "deep" and sequence_len is not None and sequence_len != says.get("sequence_len"):
        raise Refused(f"sequence_len={sequence_len}: in forward() every vector {words}: leave sequence_len out")
    if kind == "recurrent-full" and own.made and wanted is None:
        raise Refused(f"forward() makes a mask that is causal for the {own.length} vectors that were tried, and may be a "
                      "window for more: say attention='recurrent-full' if every vector sees all before it (is_causal=True in "
                      "scaled_dot_product_attention() says so itself)")
    return says


def spell(window):
    left, right = ("all" if n is None else str(n) for n in window)
    return f"{left} vectors up to itself and {right} after itself"


class OwnRows:
    """For the proof: a followed module whose layers have masks of their own"""

    def __init__(self, run):
        self.run, self.width = run, run.width

    def rows(self, x):
        """x (T, C): (T, D) in double precision, or (1, D) where it takes the newest"""
        from .proof import ModuleInDouble
        truth = ModuleInDouble(self.run).windows(x[None], [0])
        return truth[0] if truth.dim() == 3 else truth
