# The library itself, and what OpenBLAS takes for the same weights
# SPDX-License-Identifier: LGPL-2.1-or-later
import ctypes
import os

import core
import numpy


class Here:
    """Steps of S streams, which all get the same vectors, of T vectors each"""

    def __init__(self, model, streams, steps):
        info = model.info
        stream = ctypes.c_void_p(core.lib.co_stream_new(ctypes.c_void_p(model.model), streams))
        n = core.lib.co_stream_max_outputs(stream, ctypes.c_size_t(steps))
        self.x = numpy.zeros((streams, steps, info.n_inputs), numpy.float32)
        self.y = numpy.zeros((streams, n // streams, info.n_positions, info.n_outputs), numpy.float32)
        self.model, self.stream = model, stream
        self.args = (stream, ctypes.byref(core.Input(x=self.x.ctypes.data)), ctypes.c_size_t(steps), 1,
                     ctypes.byref(core.Result(capacity=n, y=self.y.ctypes.data)))

    def __call__(self, x):
        self.x[:] = x
        core.lib.co_stream_forward_steps(*self.args)
        return self.y[0, :, -1]

    def close(self):
        core.lib.co_stream_unref(self.stream)


class Floor:
    """Every weight streamed once by OpenBLAS, and the feed-forward that cannot be avoided: tests/bench/floor.h"""

    def __init__(self, build, kind, shape):
        self.lib = ctypes.CDLL(os.path.join(build, "tests", "bench", "libbench-floor.so"))
        self.lib.bench_floor_set(kind.encode(), *map(ctypes.c_size_t, shape))

    def __call__(self, _):
        self.lib.bench_floor_step()
