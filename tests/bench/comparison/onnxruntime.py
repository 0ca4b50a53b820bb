# ONNX Runtime by its C API: one thread, bound buffers, nothing between a call from here and the call of its library.
# SPDX-License-Identifier: LGPL-2.1-or-later
import ctypes
import ctypes.util
import os

import numpy

API_VERSION = 17
# Places of functions in the table OrtApi, which the project only ever extends at its end
FUNCTIONS = {
    "GetErrorMessage": 2, "CreateEnv": 3, "CreateSessionFromArray": 8, "CreateSessionOptions": 10, "SetSessionExecutionMode": 13,
    "SetSessionGraphOptimizationLevel": 23, "SetIntraOpNumThreads": 24, "SetInterOpNumThreads": 25,
    "CreateTensorWithDataAsOrtValue": 49, "CreateCpuMemoryInfo": 69, "ReleaseStatus": 93, "ReleaseSession": 95,
    "ReleaseValue": 96, "AddSessionConfigEntry": 130, "RunWithBinding": 133, "CreateIoBinding": 134, "ReleaseIoBinding": 135,
    "BindInput": 136, "BindOutput": 137,
}
SEQUENTIAL, ENABLE_ALL, WARNING = 0, 99, 2
TYPES = {numpy.dtype(numpy.float32): 1, numpy.dtype(numpy.int64): 7}  # ONNXTensorElementDataType
CONFIG = {"session.intra_op.allow_spinning": "0", "session.inter_op.allow_spinning": "0",
          "session.set_denormal_as_zero": "1"}


class Base(ctypes.Structure):  # OrtApiBase
    _fields_ = [("GetApi", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)),
                ("GetVersionString", ctypes.CFUNCTYPE(ctypes.c_char_p))]


class Library:
    """libonnxruntime: the file that ONNXRUNTIME_LIB names, or the system's; ImportError where there is none"""

    def __init__(self):
        path = os.environ.get("ONNXRUNTIME_LIB") or ctypes.util.find_library("onnxruntime")
        if not path:
            raise ImportError("libonnxruntime is missing: install python3-onnxruntime, or point ONNXRUNTIME_LIB to it")
        try:
            self.library = ctypes.CDLL(path)
        except OSError as error:
            raise ImportError(str(error)) from error
        self.library.OrtGetApiBase.restype = ctypes.POINTER(Base)
        base = self.library.OrtGetApiBase().contents
        self.version = base.GetVersionString().decode()
        table = ctypes.cast(base.GetApi(API_VERSION), ctypes.POINTER(ctypes.c_void_p))
        self.functions = {name: ctypes.CFUNCTYPE(ctypes.c_void_p)(table[i]) for name, i in FUNCTIONS.items()}
        self.functions["GetErrorMessage"].restype = ctypes.c_char_p
        self.environment = self.make("CreateEnv", WARNING, b"compare")
        self.memory = self.make("CreateCpuMemoryInfo", 0, 0)

    def call(self, name, *args):
        status = self.functions[name](*args)
        if status:
            raise RuntimeError(self.functions["GetErrorMessage"](ctypes.c_void_p(status)).decode())

    def make(self, name, *args):
        made = ctypes.c_void_p()
        self.call(name, *args, ctypes.byref(made))
        return made

    def release(self, kind, pointer):
        self.functions["Release" + kind](pointer)


class Session:
    def __init__(self, library, model, **config):
        """@model: the bytes of an ONNX file"""
        self.library = library
        options = library.make("CreateSessionOptions")
        library.call("SetSessionExecutionMode", options, SEQUENTIAL)
        library.call("SetSessionGraphOptimizationLevel", options, ENABLE_ALL)
        library.call("SetIntraOpNumThreads", options, 1)
        library.call("SetInterOpNumThreads", options, 1)
        for key, value in {**CONFIG, **config}.items():
            library.call("AddSessionConfigEntry", options, key.encode(), value.encode())
        self.session = library.make("CreateSessionFromArray", library.environment, model, ctypes.c_size_t(len(model)), options)
        self.values, self.bindings = [], []

    def bind(self, inputs, outputs):
        """A call that runs the graph: arrays of numpy by name are read and written in place, and kept."""
        library = self.library
        binding = library.make("CreateIoBinding", self.session)
        self.bindings.append(binding)
        for bind, arrays in (("BindInput", inputs), ("BindOutput", outputs)):
            for name, array in arrays.items():
                library.call(bind, binding, name.encode(), self.value(array))
        run, session = library.functions["RunWithBinding"], self.session

        def call():
            if run(session, None, binding):
                library.call("RunWithBinding", session, None, binding)
        return call

    def value(self, array):
        assert array.flags.c_contiguous
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        value = self.library.make("CreateTensorWithDataAsOrtValue", self.library.memory, ctypes.c_void_p(array.ctypes.data),
                                  ctypes.c_size_t(array.nbytes), shape, ctypes.c_size_t(array.ndim), TYPES[array.dtype])
        self.values.append((value, array))
        return value

    def close(self):
        for binding in self.bindings:
            self.library.release("IoBinding", binding)
        for value, _ in self.values:
            self.library.release("Value", value)
        self.library.release("Session", self.session)
