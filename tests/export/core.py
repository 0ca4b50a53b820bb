# The core, through ctypes
# SPDX-License-Identifier: LGPL-2.1-or-later
import ctypes
import os


class Error(Exception):
    pass


class GError(ctypes.Structure):
    _fields_ = [("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p)]


class Info(ctypes.Structure):  # CoModelInfo
    _fields_ = [("kind", ctypes.c_char_p)] + [(name, ctypes.c_size_t) for name in (
        "n_inputs", "n_keys", "n_values", "n_memory", "n_outputs", "n_positions", "d_model", "n_heads", "n_layers",
        "sequence_len", "warm_up", "delay", "chunk_len")] + [
        ("bare_attention", ctypes.c_int), ("n_weights", ctypes.c_size_t), ("n_labels", ctypes.c_size_t),
        ("labels", ctypes.POINTER(ctypes.c_char_p)), ("model_bytes", ctypes.c_size_t), ("state_bytes", ctypes.c_size_t),
        ("macs", ctypes.c_uint64)]


class Input(ctypes.Structure):  # CoInput
    _fields_ = [(name, ctypes.c_void_p) for name in ("x", "key", "value", "mask")] + [("padding", ctypes.c_void_p * 4)]


class Result(ctypes.Structure):  # CoResult
    _fields_ = [("capacity", ctypes.c_size_t)] + [
        (name, ctypes.c_void_p) for name in ("y", "weights", "outputs", "status")] + [("padding", ctypes.c_void_p * 4)]


class Choice(ctypes.Structure):  # CoChoice
    _fields_ = [("name", ctypes.c_char_p), ("blurb", ctypes.c_char_p)]


class Setting(ctypes.Structure):  # CoSetting
    _fields_ = [(name, ctypes.c_char_p) for name in ("key", "alias", "property", "nick", "blurb")] + [
        (name, ctypes.c_double) for name in ("min", "max", "unset")] + [
        ("fallback", ctypes.c_char_p), ("choices_name", ctypes.c_char_p), ("choices", ctypes.POINTER(Choice))] + [
        (name, ctypes.c_uint) for name in ("n_choices", "type", "scope", "kinds")]


INTEGER, NUMBER, BOOLEAN, CHOICE, TEXT = range(5)  # CoSettingType
ALL_STREAMS = ctypes.c_uint(-1)


lib = ctypes.CDLL(os.environ["CONTINUAL_LIB"])
lib.co_model_load.restype = ctypes.c_void_p
lib.co_options_new.restype = ctypes.c_void_p
lib.co_model_get_info.restype = ctypes.POINTER(Info)
lib.co_stream_new.restype = ctypes.c_void_p
lib.co_stream_max_outputs.restype = ctypes.c_size_t
lib.co_stream_forward_steps.restype = ctypes.c_size_t
lib.co_stream_drain.restype = ctypes.c_size_t
lib.co_setting_get.restype = ctypes.POINTER(Setting)


def settings():
    """The table of hyper-parameters"""
    return [lib.co_setting_get(i).contents for i in range(lib.co_setting_count())]


def floats(tensor):
    return tensor.detach().float().contiguous()


def address(tensor):
    return ctypes.c_void_p(tensor.data_ptr()) if tensor is not None else None


class Model:
    def __init__(self, path, **options):
        error = ctypes.POINTER(GError)()
        given = ctypes.c_void_p(lib.co_options_new())
        for key, value in options.items():
            lib.co_options_set(given, key.encode(), value.encode(), None)
        self.model = lib.co_model_load(path.encode(), given, ctypes.byref(error))
        lib.co_options_free(given)
        if not self.model:
            raise Error(error.contents.message.decode())
        # Valid as long as this object is
        self.info = lib.co_model_get_info(ctypes.c_void_p(self.model)).contents

    def __del__(self):
        if self.model:
            lib.co_model_unref(ctypes.c_void_p(self.model))

    def run(self, x, key=None, value=None, memory=None, chunk=None):
        """Tensors of torch: x (T, C) in chunks, or as one, through a fresh stream: y (outputs, n_positions, D), drained"""
        import torch
        x, key, value, memory = (None if t is None else floats(t) for t in (x, key, value, memory))
        info, stream = self.info, ctypes.c_void_p(lib.co_stream_new(ctypes.c_void_p(self.model), 1))
        if memory is not None:
            lib.co_stream_set_memory(stream, ALL_STREAMS, address(memory), ctypes.c_size_t(len(memory)), None)
        T, n = len(x), 0
        chunk = chunk or T
        # The last chunk, and then the drain, must find room for whatever it may answer.
        capacity = sum(times * lib.co_stream_max_outputs(stream, ctypes.c_size_t(n)) for times, n in (
            (T, 1), (1, chunk), (1, 0)))
        y = torch.full((capacity, info.n_positions, info.n_outputs), float("nan"))
        for t in range(0, T, chunk):
            given = Input(*(address(None if v is None else v[t:]) for v in (x, key, value)), None)
            n += lib.co_stream_forward_steps(stream, ctypes.byref(given), ctypes.c_size_t(min(chunk, T - t)), 1,
                                             ctypes.byref(Result(capacity - n, address(y[n:]))))
        n += lib.co_stream_drain(stream, ctypes.byref(Result(capacity - n, address(y[n:]))))
        lib.co_stream_unref(stream)
        return y[:n].double()
