#!/usr/bin/env python3
# Writes a trained module to a model file that gst-continual loads
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a trained module, with what its forward() does, to a safetensors file.

    from export import export
    export(module, "model.safetensors", sequence_len=64, labels=["yes", "no"])

    python3 export.py model.pt model.safetensors --sequence-len 64 --labels yes,no
    python3 export.py train.py:make_model model.safetensors --sequence-len 64

Takes PyTorch modules with an encoder inside (nn.TransformerEncoder, its layers, nn.MultiheadAttention) and what a layout can
say around it: linear maps, norms, scaling, positions, a class token, pooling, a head; models of transformers, of which the
layers are taken (docs/families.md); attentions, layers, encoders and decoders of continual-inference and fast_transformers;
and KernelAttention of TensorFlow Models. What cannot be expressed is
refused with the reason and what to do. PyTorch modules need PyTorch and nothing else, Keras layers do without it.

forward() is followed on one window, in evaluation mode. Then the file is run by libcontinual on random windows and compared
with the module: a file whose numbers differ is not written. The library is taken from CONTINUAL_LIBRARY, from where the
dynamic loader finds it, or from build/ beside this folder. Masks that a caller gives to forward() cannot be seen."""
import argparse
import contextlib
import importlib.util
import json
import os
import sys

from exporter.keras import describe_keras
from exporter.library import load_for_proof
from exporter.model import Refused, class_name, nn, torch
from exporter.safetensors import write_safetensors

WINDOWED = ("single-output", "retroactive", "deep")
# What a model file can say and a caller may have to
SETTINGS = ("nhead", "num_heads", "activation", "layer_norm_eps", "norm_first", "add_zero_attn", "warm_up", "max_len",
            "at_max", "precision", "feature_map", "kernel_fn", "n_dims", "softmax_temp", "smoothing", "feature_transform",
            "num_random_features", "scale", "causal_chunk_length", "causal_window_length", "causal_window_decay", "cache",
            "architecture", "self_attention", "cross_attention", "position_index", "answer_interval")


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return json.dumps(list(value), ensure_ascii=False)
    return str(value)


def export(module, path, sequence_len=None, labels=None, attention=None, query_index=None, positions=None, prefix=None,
           verify=True, **settings):
    """Writes `module` to the model file `path` and returns the metadata.

    What the module says of itself is taken from it; sequence_len, attention and query_index win over that. positions: of a
    continual-inference module, the name of the child or parameter that adds table[t mod P]. prefix: of a model of
    transformers, the name of the part to run, where it is not the usual one. verify: run the file by libcontinual and
    compare it with the module. settings: any other key of a model file that the module does not say, such as cache=True,
    max_len=1000 or warm_up="partial"; they are in docs/model-files.md.

    Raises Refused if a model file cannot express the module, and if the file's numbers are more than 1e-4 (of the largest
    output where that exceeds 1) from the module's in double precision; then no file is written, and one that was there
    before is left as it was."""
    keras = hasattr(module, "_num_heads")
    if isinstance(module, dict):
        raise Refused("this is a state dict, which does not say how the module is built: export the module, or save "
                      "the dict with safetensors and the metadata of docs/model-files.md")
    if not keras and (nn is None or not isinstance(module, nn.Module)):
        raise Refused(f"this is a {class_name(module)}: expected a torch.nn.Module or a Keras layer"
                      + (" (and PyTorch is not installed)" if nn is None else ""))
    if keras:
        model = describe_keras(module)
    else:
        from exporter.torch_models import describe_torch  # needs PyTorch
        model = describe(describe_torch, module, attention, positions, sequence_len, query_index,
                         settings.get("max_len"), prefix)
    values = model.facts.values
    for key, value in settings.items():
        if key not in SETTINGS:
            raise Refused(f"there is no key {key} that export() takes: it takes sequence_len, labels, attention, query_index, "
                          + ", ".join(SETTINGS) + "; every other key is found in the module")
        if key in values and text(values[key]) != text(value):
            raise Refused(f"{key}={value}: the module says {values[key]}")
        values[key] = value
    if text(values.get("cache", False)) == "true" and "causal_window_decay" not in values:
        raise Refused("cache without causal_window_decay: the library's cache always decays; leave cache out for a "
                      "window")
    for key, value in (("sequence_len", sequence_len), ("query_index", query_index)):
        if value is not None:
            values[key] = value
    if values.get("query_index", -1) != -1 and values.get("attention") != "single-output":
        raise Refused(f"query_index {values['query_index']} with attention {values.get('attention')}: only "
                      "single-output asks one position")
    if values.get("attention") in WINDOWED and not values.get("sequence_len") and "attention_windows" not in values:
        raise Refused("the window is not known: say sequence_len=N, in vectors")
    if values.get("attention") not in WINDOWED:
        values.pop("sequence_len", None)
    if labels is not None:
        if hasattr(model.run, "stack"):
            raise Refused("labels: of a module of transformers the layers run, without the head that gives scores: leave labels "
                          "out, or put the module into one of your own that applies the head")
        values["labels"] = list(labels)
    metadata = {key: text(value) for key, value in values.items()}
    with new_file(path) as part:
        write_safetensors(part, model.tensors, metadata)
        if verify and (keras or model.run is None):
            load_for_proof(part, values).close()
        elif verify:
            from exporter.proof import prove  # needs PyTorch
            prove(part, model.run, values)
    return metadata


def describe(function, *args):
    """An exception that nobody foresaw is a refusal as well: a module that is not understood is not exported"""
    try:
        return function(*args)
    except Refused:
        raise
    except Exception as error:
        raise Refused(f"the module is not understood: {class_name(error)}: {error}") from error


@contextlib.contextmanager
def new_file(path):
    """The name to write to. The file becomes `path` if all goes well, for a stream may be reading the old one; else it is
    removed"""
    part = f"{os.fspath(path)}.part"
    try:
        yield part
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)


# ---- the command ----

def load(what):
    """A module saved by torch.save(), or made by the callable of FILE.py:CALLABLE. Either runs the file's code."""
    file, _, function = what.partition(".py:")
    if function:
        file += ".py"
        sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
        spec = importlib.util.spec_from_file_location(os.path.basename(file)[:-3], file)
        code = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = code
        spec.loader.exec_module(code)
        if not hasattr(code, function):
            raise Refused(f"{file} has no {function}")
        return getattr(code, function)()
    if torch is None:
        raise Refused(f"{what}: reading it needs PyTorch (Debian: python3-torch)")
    sys.path.insert(0, os.getcwd())
    try:
        return torch.load(what, map_location="cpu", weights_only=False)
    except OSError:
        raise
    except Exception as error:
        raise Refused(f"{what} is no module that torch.load() reads here ({error}): try FILE.py:CALLABLE") from error


def setting(item):
    key, equals, value = item.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, found {item}")
    return key, value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", help="a file written by torch.save(module), or FILE.py:CALLABLE that returns a "
                                       "module; its code is run")
    parser.add_argument("output", help="the model file to write")
    parser.add_argument("--sequence-len", type=int, help="the window, in vectors")
    parser.add_argument("--labels", type=lambda s: s.split(","), help="class names, separated by commas")
    parser.add_argument("--attention", help="the kind of attention, where the module does not say it")
    parser.add_argument("--query-index", type=int, help="which position of the window is asked; -1, the newest, by "
                                                        "default")
    parser.add_argument("--positions", help="of a continual-inference module: the child that adds table[t mod P]")
    parser.add_argument("--prefix", help="of a model of transformers: the part to run, where it is not the usual one")
    parser.add_argument("--no-verify", dest="verify", action="store_false",
                        help="do not compare the file with the module (needs no libcontinual)")
    parser.add_argument("--set", action="append", default=[], type=setting, metavar="KEY=VALUE",
                        help="a key of a model file that the module does not say")
    args = parser.parse_args()
    try:
        metadata = export(load(args.module), args.output, args.sequence_len, args.labels, args.attention,
                          args.query_index, args.positions, args.prefix, args.verify, **dict(args.set))
    except (Refused, OSError) as error:
        sys.exit(f"export.py: {error}")
    print(f"{args.output}: " + ", ".join(f"{key} {value}" for key, value in metadata.items()))


if __name__ == "__main__":
    main()
