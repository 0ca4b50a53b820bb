# What goes into a model file, and what a module says of itself
# SPDX-License-Identifier: LGPL-2.1-or-later
import math

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:  # Keras layers do without
    torch = nn = F = None


class Refused(ValueError):
    """The module is something that a model file cannot express; the message says what and why. axes, settled: how sure the
    reason is while the input's axes are being found, see Unsayable; settled: these are the axes"""

    axes, settled = 0, False


class Facts:
    """Hyper-parameters, each with one value for the whole model."""

    def __init__(self):
        self.values, self.where = {}, {}

    def say(self, key, value, where):
        if key in self.values and self.values[key] != value:
            raise Refused(f"{key} is {self.values[key]} in {self.where[key]} but {value} in {where}: a model file has "
                          "one for the whole model")
        self.values[key], self.where[key] = value, where


class Model:
    """What goes into the file, and what of the module has been used for it."""

    def __init__(self):
        self.facts, self.tensors, self.used, self.kinds = Facts(), {}, set(), []
        self.decoder = False

    def put(self, name, tensor, factor=None):
        """factor: what the tensor is multiplied by on the way"""
        if not torch.is_tensor(tensor):
            raise Refused(f"{name} is not a plain tensor (is the module quantized or scripted?): export the module as it "
                          "was trained")
        self.used.add(id(tensor))
        tensor = tensor.detach()
        self.tensors[name] = tensor if factor is None else (tensor.double() * factor).to(tensor.dtype)

    def put_linear(self, name, linear, factor=None):
        if not isinstance(linear, nn.Linear):
            raise Refused(f"{name} is a {class_name(linear)}: expected a Linear")
        self.put(name + ".weight", linear.weight, factor)
        if linear.bias is not None:
            self.put(name + ".bias", linear.bias, factor)

    def put_norm(self, name, norm):
        if not isinstance(norm, nn.LayerNorm):
            raise Refused(f"{name} is a {class_name(norm)}: expected a LayerNorm, the only norm that model files have")
        self.facts.say("layer_norm_eps", norm.eps, name)
        if norm.weight is None:
            self.tensors[name + ".weight"] = torch.ones(norm.normalized_shape)
        else:
            self.put(name + ".weight", norm.weight)
        if getattr(norm, "bias", None) is not None:
            self.put(name + ".bias", norm.bias)


def class_name(module):
    return type(module).__name__


def library(module):
    return type(module).__module__.split(".")[0]


def activation_name(function, where):
    """The loader's name for an activation, found by trying it: lambdas and modules have no name to go by."""
    known = {
        "relu": F.relu, "gelu": F.gelu, "silu": F.silu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "elu": F.elu,
        "gelu_tanh": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))),
        "leaky_relu": F.leaky_relu, "identity": lambda x: x,
    }
    x = torch.cat((torch.linspace(-12, 12, 4801), torch.tensor([-1e4, -100., 100., 1e4]))).double()
    if isinstance(function, nn.Module):
        function = getattr(function, "fn", None) or function  # co.Lambda
    training = getattr(function, "training", False)
    try:
        if training:
            function.eval()
        with torch.no_grad():
            y = function(x.clone())
        for name, candidate in known.items():
            if torch.is_tensor(y) and y.shape == x.shape and torch.allclose(y, candidate(x), rtol=1e-9, atol=1e-12):
                return name
    except Exception:  # whatever it is, it is none of them
        pass
    finally:
        if training:
            function.train()
    raise Refused(f"the activation of {where}, {function}, is none of {', '.join(sorted(known))}")


def plain(module):
    """The module inside wrappers that change no numbers."""
    while True:
        if class_name(module) in ("DataParallel", "DistributedDataParallel"):
            module = module.module
        elif class_name(module) in ("Lambda", "RetroactiveLambda") and isinstance(module.fn, nn.Module) and not any(
                getattr(module, mode + "_only_fn", None) for mode in ("forward", "forward_step", "forward_steps")):
            module = module.fn
        else:
            return module
