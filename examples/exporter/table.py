# The table of torch's functions: what each does to the vectors
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch

from .flow import Fixed, Flow
from .trace import Tracked

OPERATIONS = {}


def operation(*names):
    def register(function):
        OPERATIONS.update(dict.fromkeys(names, function))
        return function
    return register


def flow_of(item):
    return item.about if isinstance(item, Tracked) and isinstance(item.about, Flow) else None


def as_constant(item):
    """Plain tensor and what it is made of, for a tensor or a number that is no vector"""
    if isinstance(item, Tracked):
        return item.raw, item.about
    if isinstance(item, torch.Tensor):
        return item.detach(), Fixed()
    return torch.tensor(float(item), dtype=torch.float64), Fixed()


def maybe_constant(item):
    return None if item is None else as_constant(item)
