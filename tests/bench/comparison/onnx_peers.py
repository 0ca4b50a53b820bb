# ONNX Runtime as a peer: the step with cached keys, alone and in a Scan over a chunk, and the whole window
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy

from . import graph
from .onnxruntime import Session

POSITIONS = 1 << 14  # whose angles are in a table


def zeros(*shape):
    return numpy.zeros(shape, numpy.float32)


class Rings:
    """Caches of a step, those of a kind and length in one array, so that what is new is put in place at once: a graph reads and
    writes parts of the arrays, without copies."""

    def __init__(self, net):
        self.t, self.bound_in, self.bound_out, self.groups, self.held = 0, {}, {}, [], []
        kinds = {}
        for name, (shape, axis) in graph.cache_shapes(net).items():
            kinds.setdefault((shape, axis, name.startswith("held")), []).append(name)
        for (shape, axis, held), names in kinds.items():
            ring, new = zeros(len(names), *shape), zeros(len(names), *graph.new_shape(shape, axis))
            # The place of the oldest: an index per array, of all layers
            slots = [(slice(None),) * (axis + 1) + (slice(n, n + 1),) for n in range(shape[axis])]
            oldest = zeros(*new.shape) if held else None
            (self.held if held else self.groups).append((ring, new, slots, oldest))
            for i, name in enumerate(names):
                self.bound_in[name] = oldest[i] if held else ring[i]
                self.bound_out["new_" + name] = new[i]

    def before(self):
        for ring, _, slots, oldest in self.held:
            oldest[:] = ring[slots[self.t % len(slots)]]

    def after(self):
        for ring, new, slots, _ in self.groups + self.held:
            ring[slots[self.t % len(slots)]] = new
        self.t += 1


class Peer:
    def close(self):
        self.session.close()


class Step(Peer):
    def __init__(self, library, net):
        self.rings, self.x, self.y = Rings(net), zeros(1, net.n_inputs), zeros(1, net.n_outputs)
        self.angles = None
        inputs = {"x": self.x, **self.rings.bound_in}
        if net.theta:
            self.angles, self.table = zeros(2, 1, 1, net.head_size // 2), numpy.stack(net.angles(range(POSITIONS)))
            inputs.update(cos=self.angles[0].reshape(1, 1, -1), sin=self.angles[1].reshape(1, 1, -1))
        self.session = Session(library, graph.step(net))
        self.run = self.session.bind(inputs, {"y": self.y, **self.rings.bound_out})

    def __call__(self, x):
        self.x[:] = x
        if self.angles is not None:
            self.angles[:, 0] = self.table[:, self.rings.t % POSITIONS]
        if self.rings.held:
            self.rings.before()
        self.run()
        self.rings.after()
        return self.y


class Scan(Peer):
    """A chunk of vectors with one call: the caches go out of one set of buffers into another."""

    def __init__(self, library, net, steps):
        shapes = graph.cache_shapes(net)
        self.t, self.steps = 0, steps
        self.x, self.y = zeros(steps, net.n_inputs), zeros(steps, net.n_outputs)
        sets = [{name: zeros(*shape) for name, (shape, _) in shapes.items()} for _ in range(2)]
        inputs, self.table, self.slots = {"x": self.x}, None, {}
        if net.theta:
            half = net.head_size // 2
            self.angles, self.table = zeros(2, steps, half), numpy.stack(net.angles(range(POSITIONS)))[:, :, 0]
            inputs.update(cos=self.angles[0], sin=self.angles[1])
        for name, (shape, axis) in shapes.items():
            if not name.startswith("held"):
                self.slots[shape[axis]] = numpy.zeros(steps, numpy.int64)
        inputs.update(("slot_%d" % n, slots) for n, slots in self.slots.items())
        self.session = Session(library, graph.scan(net, steps))
        self.runs = [self.session.bind({**inputs, **sets[i]}, {
            "y": self.y, **{"next_" + name: cache for name, cache in sets[1 - i].items()}}) for i in range(2)]

    def __call__(self, x):
        self.x[:] = x
        now = numpy.arange(self.t, self.t + self.steps)
        for n, slots in self.slots.items():
            slots[:] = now % n
        if self.table is not None:
            self.angles[:] = self.table[:, now % POSITIONS]
        self.runs[self.t // self.steps % 2]()
        self.t += self.steps
        return self.y


class Window(Peer):
    """Everything anew for each vector"""

    def __init__(self, library, net, n):
        self.x, self.y = zeros(n, net.n_inputs), zeros(1 if net.head else n, net.n_outputs)
        self.session = Session(library, graph.window(net, n))
        self.run = self.session.bind({"x": self.x}, {"y": self.y})
        self.row = -1 - (0 if net.head else net.delay)

    def __call__(self, x):
        self.x[:-1] = self.x[1:]
        self.x[-1] = x
        self.run()
        return self.y[self.row][None]

    def fill(self, x):
        self.x[1:] = x[1 - len(self.x):]
