# The ONNX graphs of a network (comparison/network.py): the step with cached keys, the same inside a Scan over a chunk, and the
# whole window. Keys are cached as (H, D, n) and values as (H, n, D), so that no product has to transpose; the order of cached
# vectors is of no account to a softmax, so that the caller may keep them in rings.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy
from onnx import TensorProto, helper, numpy_helper

OPSET, IR = 20, 9


class Graph:
    def __init__(self, net):
        self.net, self.nodes, self.initializers, self.inputs, self.outputs, self.n = net, [], [], [], [], 0
        self.constants = {}

    def name(self):
        self.n += 1
        return "t%d" % self.n

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [self.name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, array):
        array = numpy.ascontiguousarray(array)
        key = array.tobytes() + repr(array.shape).encode() if array.size < 64 else None
        if key is None or key not in self.constants:
            name = self.name()
            self.initializers.append(numpy_helper.from_array(array, name))
            if key is None:
                return name
            self.constants[key] = name
        return self.constants[key]

    def input(self, name, shape, dtype=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, name, value, shape):
        """@value is made by a node here, and is called @name from now on."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [name if n == value else n for n in names]
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def reshape(self, x, *shape):
        return self.op("Reshape", x, self.constant(numpy.array(shape, numpy.int64)))

    def split(self, x, axis, *sizes):
        return self.op("Split", x, self.constant(numpy.array(sizes, numpy.int64)), outputs=len(sizes), axis=axis)

    def linear(self, x, part):
        weight = self.constant(part.weight.T)
        return self.op("MatMul", x, weight) if part.bias is None else self.op("Gemm", x, weight, self.constant(part.bias))

    def norm(self, x, part):
        more = [] if part.bias is None else [self.constant(part.bias)]
        return self.op("LayerNormalization", x, self.constant(part.gain), *more, epsilon=self.net.eps)

    def rotated(self, x, angles):
        """@x: (n, heads, D); @angles: cosines and sines, (n, 1, D / 2)"""
        half = self.net.head_size // 2
        a, b = self.split(x, 2, half, half)
        cos, sin = angles
        first = self.op("Sub", self.op("Mul", a, cos), self.op("Mul", b, sin))
        second = self.op("Add", self.op("Mul", b, cos), self.op("Mul", a, sin))
        return self.op("Concat", first, second, axis=2)

    def projected(self, layer, h, n, angles):
        """Queries, keys and values of @n rows: (n, H, D) each"""
        net = self.net
        E, H, D = net.d_model, net.n_heads, net.head_size
        qkv = self.linear(self.norm(h, layer.norm1) if net.norm_first else h, layer.qkv)
        if net.theta is None:
            return [self.reshape(part, n, H, D) for part in self.split(qkv, 1, E, E, E)]
        qk, v = self.split(qkv, 1, 2 * E, E)
        q, k = self.split(self.rotated(self.reshape(qk, n, 2 * H, D), angles), 1, H, H)
        return q, k, self.reshape(v, n, H, D)

    def after_attention(self, layer, h, context, n):
        net = self.net
        h = self.op("Add", h, self.linear(self.reshape(context, n, net.d_model), layer.out))
        if not net.norm_first:
            h = self.norm(h, layer.norm1)
        inner = self.op("Gelu", self.linear(self.norm(h, layer.norm2) if net.norm_first else h, layer.up))
        h = self.op("Add", h, self.linear(inner, layer.down))
        return h if net.norm_first else self.norm(h, layer.norm2)

    def after_layers(self, h):
        if self.net.norm:
            h = self.norm(h, self.net.norm)
        return self.linear(h, self.net.head) if self.net.head else h

    def attended(self, q, k, v, n, mask=None):
        """@q: (H, n, D), @k: (H, D, m), @v: (H, m, D): (n, H, D)"""
        logits = self.op("MatMul", q, k)
        if mask is not None:
            logits = self.op("Add", logits, mask)
        context = self.op("MatMul", self.op("Softmax", logits, axis=-1), v)
        return context if n == 1 else self.op("Transpose", context, perm=[1, 0, 2])

    def heads(self, q, k, v, n):
        """From (n, H, D) to (H, n, D), (H, D, n), (H, n, D)"""
        H, D = self.net.n_heads, self.net.head_size
        if n == 1:
            return self.reshape(q, H, 1, D), self.reshape(k, H, D, 1), self.reshape(v, H, 1, D)
        return (self.op("Transpose", q, perm=[1, 0, 2]), self.op("Transpose", k, perm=[1, 2, 0]),
                self.op("Transpose", v, perm=[1, 0, 2]))

    def model(self, name="graph"):
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR).SerializeToString()


def cache_shapes(net):
    """Name and shape of what a step needs to know of earlier ones; of each, what it makes anew: the same with 1 along the axis"""
    E, H, D = net.d_model, net.n_heads, net.head_size
    shapes = {}
    for i, layer in enumerate(net.layers if net.rows else net.layers[:1]):
        n = layer.cached
        shapes["k%d" % i] = (H, D, n), 2
        shapes["v%d" % i] = (H, n, D), 1
        if not net.rows:
            shapes["q%d" % i] = (H, n, D), 1
            shapes["h%d" % i] = (n, E), 0
        if layer.right:
            shapes["held%d" % i] = (layer.right, 2 * E), 0  # queries and residuals that wait for what is ahead
    return shapes


def row_layer(g, i, h, angles, caches):
    """A layer's answer to one row, and what it adds to the caches"""
    net, layer = g.net, g.net.layers[i]
    E, H, D = net.d_model, net.n_heads, net.head_size
    q, k, v = g.heads(*g.projected(layer, h, 1, angles), 1)
    new = {"k%d" % i: k, "v%d" % i: v}
    if layer.right:
        new["held%d" % i] = g.op("Concat", g.reshape(q, 1, E), h, axis=1)
        q, h = g.split(caches["held%d" % i], 1, E, E)
        q = g.reshape(q, H, 1, D)
    # The newest key apart, so that nothing that is cached has to be copied
    logits = g.op("Concat", g.op("MatMul", q, caches["k%d" % i]), g.op("MatMul", q, k), axis=2)
    cached, newest = g.split(g.op("Softmax", logits, axis=-1), 2, layer.cached, 1)
    context = g.op("Add", g.op("MatMul", cached, caches["v%d" % i]), g.op("Mul", newest, v))
    return g.after_attention(layer, h, context, 1), new


def window_layers(g, h, caches):
    """Layers of which the first has its projections cached; all rows change, and the newest is answered."""
    net, first = g.net, g.net.layers[0]
    n = first.cached + 1
    q, k, v = g.heads(*g.projected(first, h, 1, None), 1)
    new = {"q0": q, "k0": k, "v0": v, "h0": h}
    q, k, v, h = (g.op("Concat", caches[name], new[name], axis=axis) for name, axis in
                  (("q0", 1), ("k0", 2), ("v0", 1), ("h0", 0)))
    for i, layer in enumerate(net.layers):
        rows = 1 if i + 1 == len(net.layers) else n
        if i:
            q, k, v = g.heads(*g.projected(layer, h, n, None), n)
            if rows == 1:
                q, h = g.split(q, 1, n - 1, 1)[1], g.split(h, 0, n - 1, 1)[1]
        h = g.after_attention(layer, h, g.attended(q, k, v, rows), rows)
    return h, new


def step_body(g, x, angles, caches):
    h = g.linear(x, g.net.embed) if g.net.embed else x
    new = {}
    if g.net.rows:
        for i in range(len(g.net.layers)):
            h, more = row_layer(g, i, h, angles, caches)
            new.update(more)
    else:
        h, new = window_layers(g, h, caches)
    return g.after_layers(h), new


def angle_inputs(g, *shape):
    return None if g.net.theta is None else [g.input(name, [*shape, g.net.head_size // 2]) for name in ("cos", "sin")]


def new_shape(shape, axis):
    return tuple(1 if i == axis else n for i, n in enumerate(shape))


def step(net):
    """Inputs x (1, C), cos and sin where positions are rotary, and the caches (of held only the oldest row);
    outputs y (1, D), and new_* for each cache"""
    g = Graph(net)
    x, angles = g.input("x", [1, net.n_inputs]), angle_inputs(g, 1, 1)
    shapes = cache_shapes(net)
    caches = {name: g.input(name, new_shape(*shape) if name.startswith("held") else shape[0]) for name, shape in shapes.items()}
    y, new = step_body(g, x, angles, caches)
    g.output("y", y, [1, net.n_outputs])
    for name, shape in shapes.items():
        g.output("new_" + name, new[name], new_shape(*shape))
    return g.model()


def scan(net, steps):
    """Inputs the caches, x (T, C), cos and sin, slot_N (T) for each length N of a ring; outputs next_* caches, and y (T, D)"""
    shapes = cache_shapes(net)
    rings = sorted({shape[axis] for name, (shape, axis) in shapes.items() if not name.startswith("held")})
    half = net.head_size // 2
    body = Graph(net)
    caches = {name: body.input("body_" + name, shape) for name, (shape, _) in shapes.items()}
    x = body.reshape(body.input("body_x", [net.n_inputs]), 1, net.n_inputs)
    angles = net.theta and [body.reshape(body.input("body_" + name, [half]), 1, 1, half) for name in ("cos", "sin")]
    slots = {n: body.reshape(body.input("body_slot_%d" % n, [], TensorProto.INT64), 1) for n in rings}
    given, waiting = dict(caches), {}
    for name, (shape, axis) in shapes.items():
        if name.startswith("held"):
            given[name], waiting[name] = body.split(caches[name], 0, 1, shape[0] - 1)
    y, new = step_body(body, x, angles, given)
    places = {}
    for name, (shape, axis) in shapes.items():
        if name.startswith("held"):
            value = body.op("Concat", waiting[name], new[name], axis=0)
        else:
            one = new_shape(shape, axis)
            place = shape[axis], one
            if place not in places:
                places[place] = body.op("Expand", slots[shape[axis]], body.constant(numpy.array(one, numpy.int64)))
            value = body.op("ScatterElements", caches[name], places[place], new[name], axis=axis)
        body.output("next_" + name, value, shape)
    body.output("body_y", body.reshape(y, net.n_outputs), [net.n_outputs])

    g = Graph(net)
    for name, (shape, _) in shapes.items():
        g.input(name, shape)
    g.input("x", [steps, net.n_inputs])
    if net.theta:
        for name in ("cos", "sin"):
            g.input(name, [steps, half])
    for n in rings:
        g.input("slot_%d" % n, [steps], TensorProto.INT64)
    inner = helper.make_graph(body.nodes, "body", body.inputs, body.outputs)
    g.initializers = body.initializers  # the body sees them, and they are packed once
    outputs = ["next_" + name for name in shapes] + ["y"]
    g.nodes.append(helper.make_node("Scan", [value.name for value in g.inputs], outputs, body=inner,
                                    num_scan_inputs=len(g.inputs) - len(shapes)))
    g.outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in
                 zip(outputs, [shape for shape, _ in shapes.values()] + [(steps, net.n_outputs)])]
    return g.model()


def window(net, n):
    """Input x (n, C); output y: the rows that leave the layers (n, D), or with a head (1, D) of the newest"""
    g = Graph(net)
    x = g.input("x", [n, net.n_inputs])
    h = g.linear(x, net.embed) if net.embed else x
    angles = net.theta and [g.constant(a) for a in net.angles(range(n))]
    masks = {}
    for layer in net.layers:
        seen = (layer.left, layer.right)
        if net.rows and seen not in masks:
            ahead = numpy.arange(n)[None] - numpy.arange(n)[:, None]
            masks[seen] = g.constant(numpy.where((ahead > -layer.left) & (ahead <= layer.right), 0, -1e30).astype(numpy.float32))
        q, k, v = g.heads(*g.projected(layer, h, n, angles), n)
        h = g.after_attention(layer, h, g.attended(q, k, v, n, masks.get(seen)), n)
    if net.head:
        h = g.split(h, 0, n - 1, 1)[1]
    g.output("y", g.after_layers(h), [1 if net.head else n, net.n_outputs])
    return g.model()
