# Modules that are parts as they are: encoders, layers and attentions, and those that no model file has
# SPDX-License-Identifier: LGPL-2.1-or-later
import copy
import functools

import torch
from torch import nn

from .flow import Fixed, Flow, spell
from .model import Refused, class_name
from .op_attention import depends, is_heads
from .probes import norm_of
from .trace import Tracked, plain_tensors
from .woven import Normed

try:
    from torch.nn.utils import parametrize
except ImportError:
    parametrize = None

CONVOLUTIONS = (nn.modules.conv._ConvNd,)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)
NO_DECODER = ("model files have decoders as fast_transformers' TransformerDecoder names its parts; copy the weights "
              "into one, or export the encoder alone")
TORCH_ONLY = (nn.Transformer, nn.TransformerDecoder, nn.TransformerDecoderLayer)


def is_exact_encoder(module):
    return (isinstance(module, nn.TransformerEncoder) and type(module).forward is nn.TransformerEncoder.forward
            and all(isinstance(layer, nn.TransformerEncoderLayer) for layer in module.layers))


def refuse_reparametrized(module, root=""):
    """Weights that are computed from others when they are used"""
    for name, part in module.named_modules():
        name = f"{root}.{name}".strip(".") or "module"
        if parametrize is not None and parametrize.is_parametrized(part):
            key = next(iter(part.parametrizations))
            raise Refused(f"{name}.{key} is parametrized ({class_name(part.parametrizations[key][0])}): a model file "
                          f"has plain weights. Call torch.nn.utils.parametrize.remove_parametrizations({name}, "
                          f"{key!r}) before the export")
        for hook in list(part._forward_pre_hooks.values()):
            kind, key = class_name(hook), getattr(hook, "name", getattr(hook, "_tensor_name", "weight"))
            if kind == "WeightNorm":
                raise Refused(f"{name}.{key} has weight norm: a model file has plain weights. Call "
                              f"torch.nn.utils.remove_weight_norm({name}, {key!r}) before the export")
            if kind == "SpectralNorm":
                raise Refused(f"{name}.{key} has spectral norm: a model file has plain weights. Call "
                              f"torch.nn.utils.remove_spectral_norm({name}, {key!r}) before the export")
            if hasattr(hook, "_tensor_name") or "prun" in type(hook).__module__:
                raise Refused(f"{name}.{key} is pruned: a model file has plain weights. Call "
                              f"torch.nn.utils.prune.remove({name}, {key!r}) before the export")


def catch_parts(trace, module):
    """Puts functions of this file in place of forward() of all parts. module: a copy that is the trace's alone"""
    inside = set()
    for name, part in module.named_modules():
        hooks = [kind for kind in ("_forward_hooks", "_forward_pre_hooks") if getattr(part, kind)]
        if isinstance(part, nn.modules.dropout._DropoutNd) or id(part) in inside:
            continue
        whole = None
        if is_exact_encoder(part):
            whole = encoder
        elif isinstance(part, nn.TransformerEncoderLayer):
            whole = layer
        elif isinstance(part, nn.MultiheadAttention) and type(part).forward is nn.MultiheadAttention.forward:
            whole = attention
        elif isinstance(part, CONVOLUTIONS) and not (isinstance(part, nn.Conv1d) and part.kernel_size == (1,)):
            whole = opaque("mixes neighbouring vectors: run it before the encoder, in front of the element, and "
                           "export what follows")
        elif isinstance(part, RECURRENT):
            whole = opaque("is a recurrent network, which no model file has: run it before the encoder, in front of "
                           "the element, or train without it")
        elif isinstance(part, TORCH_ONLY):
            whole = opaque("has no place in a layout: " + NO_DECODER)
        elif isinstance(part, torch.jit.ScriptModule):
            raise Refused(f"{name} is scripted, its attributes are gone: export it before torch.jit")
        if whole is None and may_be_norm(part) and not hooks:
            part.forward = functools.partial(norm_call, trace, name, copy.deepcopy(part), part.forward)
            continue
        if whole is None:
            if not list(part.children()) and type(part).__module__.startswith("torch.nn"):
                part.forward = functools.partial(named_call, trace, name, part, part.forward)
            continue
        if whole in (encoder, layer, attention):
            deeper = {id(m) for m in part.modules()} - {id(part)}
            inside |= deeper - ({id(m) for m in part.layers} if whole is encoder else set())
            if whole is encoder and isinstance(part.norm, nn.Module):
                inside -= {id(part.norm)}
        if hooks and whole in (encoder, layer, attention):
            raise Refused(f"{name} has hooks (register_forward_hook), which may change what it computes: remove them "
                          "before the export")
        plain = None if whole in (encoder, layer, attention) else copy.deepcopy(part)
        part.forward = functools.partial(inside_call, trace, name, part, whole, plain)


def named_call(trace, name, part, forward, *args, **kwargs):
    """Notes which of torch's modules is at work, for the errors' sake"""
    trace.modules.append(f"{name} ({class_name(part)})")
    try:
        return forward(*args, **kwargs)
    finally:
        trace.modules.pop()


def inside_call(trace, name, part, whole, plain, *args, **kwargs):
    trace.modules.append(f"{name} ({class_name(part)})")
    try:
        return whole(trace, name, part, plain, *args, **kwargs)
    finally:
        trace.modules.pop()


def may_be_norm(part):
    """A module of its own class that could be a norm: it is tried when it is called"""
    own = list(part.parameters()) + list(part.buffers())
    return (not type(part).__module__.startswith("torch.nn") and len(own) <= 2 and all(t.dim() == 1 for t in own)
            and (own or "norm" in class_name(part).lower()))


def norm_call(trace, name, plain, forward, *args, **kwargs):
    x = args[0] if len(args) == 1 and not kwargs else None
    if not depends(x) or not is_heads(x.about) and (not isinstance(x.about, Flow) or x.about.axes[-1] != ("C",)):
        return named_call(trace, name, plain, forward, *args, **kwargs)
    norm = norm_of(plain, x.raw.shape[-1])
    if norm is None:
        return named_call(trace, name, plain, forward, *args, **kwargs)
    raw = plain(x.raw)
    if not isinstance(x.about, Flow):
        return trace.wrap(raw, Normed(x.about, raw, norm))
    if norm.kind == "rms" and norm.bias is not None:
        return trace.lose(raw, f"{name}, a {class_name(plain)}, is an RMS norm with a bias, which model files have none of")
    own = {key: tensor.detach() for key, tensor in list(plain.named_parameters()) + list(plain.named_buffers())}

    def made_of(value):
        exact = [f"{name}.{key}" for key, tensor in own.items() if torch.equal(tensor.double(), value)]
        sources = frozenset(f"{name}.{key}" for key in own)
        return Fixed(frozenset(exact) or sources, exact[0] if len(exact) == 1 else None)
    gain, bias = (None if value is None else (tidy(value, own), made_of(tidy(value, own)))
                  for value in (norm.gain, norm.bias))
    return trace.wrap(raw, x.about.then("norm", trace.place(), kind=norm.kind, eps=norm.eps, size=raw.shape[-1],
                                        weight=gain, bias=bias))


def tidy(value, own):
    """A gain that was found by trying, as the parameter says it: itself, or 1 more"""
    for tensor in own.values():
        for exact in (tensor.double(), tensor.double() + 1):
            if exact.shape == value.shape and torch.allclose(exact, value, rtol=1e-5, atol=1e-6):
                return exact
    return value


def opaque(reason):
    def run(trace, name, part, plain, *args, **kwargs):
        raw = plain(*plain_tensors(args), **plain_tensors(kwargs))
        lost = next((t.about for t in args if isinstance(t, Tracked) and not isinstance(t.about, (Fixed, Flow))), None)
        if lost:
            return trace.lose(raw, lost.reason, lost.axes)
        return trace.lose(raw, f"{name} is a {class_name(part)}, which {reason}")
    return run


def same_shape(trace, src, reason, axes=0):
    return trace.lose(src.raw.clone(), reason, axes)


def check_axes(flow, batch_first):
    """None, or why these axes are not what an attention takes"""
    if "T" not in flow.labels:
        return "the window is pooled before the encoder: a layout pools behind it"
    batch = ("B",) if "B" in flow.labels else ()
    expected = [batch, ("T",), ("C",)] if batch_first else [("T",), batch, ("C",)]
    if len(flow.axes) == 2:
        expected = [("T",), ("C",)]
    if list(flow.axes) == expected:
        return None
    found = ", ".join(spell(axis) for axis in flow.axes)
    return (f"the vectors come as ({found}), but batch_first={batch_first} means "
            + ("(the batch, time, features)" if batch_first else "(time, the batch, features)"))


def mask_of(mask, size):
    """"" for no mask, "causal", or what it is instead"""
    if mask is None:
        return ""
    if not isinstance(mask, torch.Tensor):
        return f"a mask of type {class_name(mask)}"
    if isinstance(mask, Tracked):
        if not isinstance(mask.about, Fixed):
            return "a mask that depends on the vectors"
        mask = mask.raw
    hidden = mask if mask.dtype == torch.bool else mask == float("-inf")
    if mask.dtype != torch.bool and bool((mask[~hidden] != 0).any()):
        return "a mask that adds to the logits (relative positions?)"
    if not hidden.any():
        return ""
    square = hidden.shape[-2:] == (size, size)
    if square and bool((hidden == torch.ones(size, size, dtype=torch.bool).triu(1)).all()):
        return "causal"
    return "a mask that is not causal" if square else "a padding mask"


def refused_masks(trace, size, mask, padding, is_causal):
    """Why the masks have no place; None if they have none or a causal one, which the trace notes"""
    kind = mask_of(mask, size)
    if kind == "causal" or (is_causal and mask is None):
        trace.causal = True
        kind = ""
    hides = mask_of(padding, size)
    if hides:
        return ("a padding mask hides some of the vectors: a window here is always full, so train or export without "
                "src_key_padding_mask")
    if kind:
        return (f"the encoder is given {kind}: a layout has none but a causal one (with attention='recurrent-full' or "
                "'deep')")
    return None


def encoder(trace, name, part, plain, src, mask=None, src_key_padding_mask=None, is_causal=None):
    out = src
    layers = list(part.layers)
    for one in layers:
        first = next(i for i, other in enumerate(layers) if other is one)
        one_name = f"{name}.layers.{first}".lstrip(".")
        out = layer(trace, one_name, one, None, out, mask, src_key_padding_mask, bool(is_causal))
    return out if part.norm is None else part.norm(out)


def layer(trace, name, part, plain, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
    if not isinstance(src, Tracked) or isinstance(src.about, Fixed):
        raise Refused(f"{trace.place()}: the encoder gets what does not depend on the vectors")
    if not isinstance(src.about, Flow):
        return trace.wrap(src.raw.clone(), src.about)
    flow = src.about
    reason = check_axes(flow, part.self_attn.batch_first)
    if reason:
        return same_shape(trace, src, reason, axes=int("T" in flow.labels))
    if type(part) is not nn.TransformerEncoderLayer:
        return same_shape(trace, src, f"{name} is a {class_name(part)}, a subclass of TransformerEncoderLayer that "
                                      "may do something else")
    if flow.shape[-1] != part.self_attn.embed_dim:
        raise RuntimeError(f"{name} takes {part.self_attn.embed_dim} features, found {flow.shape[-1]}")
    trace.reached = True
    reason = refused_masks(trace, flow.sizes["T"], src_mask, src_key_padding_mask, is_causal)
    if reason:
        return same_shape(trace, src, reason)
    return trace.wrap(torch.randn_like(src.raw), flow.then("layer", trace.place(), name=name, module=part))


def same_vectors(a, b):
    return (isinstance(b, Tracked) and isinstance(b.about, Flow) and a.about.node is b.about.node
            and a.about.axes == b.about.axes)


def attention(trace, name, part, plain, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
              average_attn_weights=True, is_causal=False):
    given = [t for t in (query, key, value) if isinstance(t, Tracked)]
    out = torch.randn(*query.shape[:-1], part.embed_dim).to(query.dtype)
    lost = next((t.about for t in given if not isinstance(t.about, (Flow, Fixed))), None)
    flow = query.about if isinstance(query, Tracked) and isinstance(query.about, Flow) else None
    if lost:
        return trace.wrap(out, lost), trace.wrap(out, lost)
    reason, axes = None, 0
    if flow is None:
        reason = (f"the query of {name} is learned, not a vector (a pooling by attention), for which a layout has no "
                  "operation: pool by the mean, the maximum, the last or first vector, or a class token")
    elif not (same_vectors(query, key) and same_vectors(query, value)):
        reason = (f"query, key and value of {name} are not the same vectors: in front of a model file's layers all "
                  "three are one")
    else:
        reason = check_axes(flow, part.batch_first)
        axes = int(bool(reason) and "T" in flow.labels)
        reason = reason or refused_masks(trace, flow.sizes["T"], attn_mask, key_padding_mask, is_causal)
    if reason:
        return tuple(trace.lose(item, reason, axes) for item in (out, out.clone()))
    trace.reached = True
    made = flow.then("attention", trace.place(), name=name, module=part)
    weights = trace.lose(out.clone(), "the attention weights are used, which a layout does not pass on")
    return trace.wrap(out, made), weights
