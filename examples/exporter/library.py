# libcontinual, through ctypes
# SPDX-License-Identifier: LGPL-2.1-or-later
import ctypes
import glob
import os

from .model import Refused, torch

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build")
# The file's weights as they are, and every answer from the first full window on
OPTIONS = {"precision": "float32", "warm_up": "drop", "answer_interval": "1"}
INSTALLED = ("libcontinual.so.0", "libcontinual.so")
HOW = ("build it (meson setup build && ninja -C build), install it, or set CONTINUAL_LIBRARY to the path of "
       "libcontinual.so; verify=False (--no-verify) writes a file that is not compared with the module")


class GError(ctypes.Structure):
    _fields_ = [("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p)]


class Info(ctypes.Structure):  # CoModelInfo, as far as it is used
    _fields_ = [("kind", ctypes.c_char_p)] + [(name, ctypes.c_size_t) for name in (
        "n_inputs", "n_keys", "n_values", "n_memory", "n_outputs", "n_positions")]


class Input(ctypes.Structure):  # CoInput
    _fields_ = [(name, ctypes.c_void_p) for name in ("x", "key", "value", "mask")] + [("padding", ctypes.c_void_p * 4)]


class Result(ctypes.Structure):  # CoResult
    _fields_ = [("capacity", ctypes.c_size_t)] + [
        (name, ctypes.c_void_p) for name in ("y", "weights", "outputs", "status")] + [("padding", ctypes.c_void_p * 4)]


def find_library():
    """CONTINUAL_LIBRARY, then the dynamic loader's, then the one in build/ beside examples/"""
    named = os.environ.get("CONTINUAL_LIBRARY")
    names = [named] if named else [*INSTALLED] + sorted(glob.glob(os.path.join(BUILD, "core", "libcontinual.so*")))
    reason = ""
    for name in names:
        try:
            lib = ctypes.CDLL(name)
        except OSError as error:
            reason = str(error)
            continue
        for function in ("co_model_load", "co_options_new", "co_stream_new"):
            getattr(lib, function).restype = ctypes.c_void_p
        for function in ("co_stream_max_outputs", "co_stream_forward_steps"):
            getattr(lib, function).restype = ctypes.c_size_t
        lib.co_model_get_info.restype = ctypes.POINTER(Info)
        return lib
    where = f"CONTINUAL_LIBRARY is {named}: {reason}" if named else "by the dynamic loader, nor in build/core"
    raise Refused(f"the file cannot be proved: no libcontinual is found ({where}): {HOW}")


class LoadedModel:
    """A model file as libcontinual understands it"""

    def __init__(self, lib, path, options):
        self.lib, self.model = lib, None
        given, error = ctypes.c_void_p(lib.co_options_new()), ctypes.POINTER(GError)()
        for key, value in options.items():
            lib.co_options_set(given, key.encode(), value.encode(), None)
        self.model = lib.co_model_load(os.fsencode(path), given, ctypes.byref(error))
        lib.co_options_free(given)
        if not self.model:
            raise Refused("libcontinual does not load what was to be written: "
                          f"{error.contents.message.decode(errors='replace')}")
        self.info = lib.co_model_get_info(ctypes.c_void_p(self.model)).contents

    def close(self):
        if self.model:
            self.lib.co_model_unref(ctypes.c_void_p(self.model))
        self.model = None

    def run(self, x, key=None, value=None):
        """x (T, C), and what a bare attention takes beside it, through a fresh stream: its outputs (n, positions, D)"""
        x, key, value = (None if t is None else t.float().contiguous() for t in (x, key, value))
        stream = ctypes.c_void_p(self.lib.co_stream_new(ctypes.c_void_p(self.model), 1))
        capacity = self.lib.co_stream_max_outputs(stream, ctypes.c_size_t(len(x)))
        y = torch.empty(capacity, self.info.n_positions, self.info.n_outputs)
        given = Input(*(t.data_ptr() if t is not None else None for t in (x, key, value)))
        n = self.lib.co_stream_forward_steps(stream, ctypes.byref(given), ctypes.c_size_t(len(x)), 1,
                                             ctypes.byref(Result(capacity, y.data_ptr())))
        self.lib.co_stream_unref(stream)
        return y[:n].double()


def load_for_proof(path, values, **given):
    """The file at `path` as it is compared; values: its settings; given: options for the comparison. Raises Refused"""
    options = {**OPTIONS, **given}
    for key in ("sequence_len", "max_len"):  # as options they are trusted
        if values.get(key):
            options[key] = str(values[key])
    return LoadedModel(find_library(), path, options)
