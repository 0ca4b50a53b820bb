# The library itself, and what OpenBLAS takes for the same weights
# SPDX-License-Identifier: LGPL-2.1-or-later
import ctypes
import os

import core
import numpy

FILL = 64


class Here:
    """Steps of S streams, which all get the same vectors, of T vectors each"""

    def __init__(self, model, streams, steps):
        info = model.info
        self.model, self.streams = model, streams
        self.stream = ctypes.c_void_p(core.lib.co_stream_new(ctypes.c_void_p(model.model), streams))
        self.x, self.y, self.args = self.prepared(steps)

    def prepared(self, steps):
        """Room for the input and the answers of @steps vectors, and the arguments of a call"""
        info = self.model.info
        n = core.lib.co_stream_max_outputs(self.stream, ctypes.c_size_t(steps))
        x = numpy.zeros((self.streams, steps, info.n_inputs), numpy.float32)
        y = numpy.zeros((self.streams, n // self.streams, info.n_positions, info.n_outputs), numpy.float32)
        return x, y, (self.stream, ctypes.byref(core.Input(x=x.ctypes.data)), ctypes.c_size_t(steps), 1,
                      ctypes.byref(core.Result(capacity=n, y=y.ctypes.data)))

    def __call__(self, x):
        self.x[:] = x
        core.lib.co_stream_forward_steps(*self.args)
        return self.y[0, :, -1]

    def fill(self, x):
        """Takes vectors in the fastest way; their answers are lost."""
        for t in range(0, len(x), FILL):
            self.chunk(min(FILL, len(x) - t))(x[t:t + FILL])

    def chunk(self, steps):
        """A call for chunks of another length"""
        x, y, args = self.prepared(steps)

        def call(vectors, _keep=y):
            x[:] = vectors
            core.lib.co_stream_forward_steps(*args)
        return call

    def restart(self):
        core.lib.co_stream_clean_state(self.stream, core.ALL_STREAMS)

    def close(self):
        core.lib.co_stream_unref(self.stream)


class Floor:
    """Every weight streamed once by OpenBLAS, and the feed-forward that cannot be avoided: tests/bench/floor.h"""

    def __init__(self, build, kind, shape):
        self.lib = ctypes.CDLL(os.path.join(build, "tests", "bench", "libbench-floor.so"))
        self.lib.bench_floor_set(kind.encode(), *map(ctypes.c_size_t, shape))

    def __call__(self, _):
        self.lib.bench_floor_step()


class Read:
    """@n weights read once by OpenBLAS"""

    def __init__(self, build, n):
        self.lib = ctypes.CDLL(os.path.join(build, "tests", "bench", "libbench-floor.so"))
        self.lib.bench_read_set(ctypes.c_size_t(n))

    def __call__(self, _):
        self.lib.bench_read()
