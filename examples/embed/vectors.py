#!/usr/bin/python3
# A model inside a Python program without GStreamer: libcontinual by introspection
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a model on float32 vectors from standard input, and prints a line for each output: the number of the vector that it
answers, and its values.

    examples/embed/vectors.py MODEL [--state FILE] [--set KEY=VALUE]... < features.f32

With --state the stream goes on where the last run ended.

With numpy, an array x of shape (T, C) goes in and y of shape (n, D) comes out:

    y, answered, status = stream.forward_bytes(GLib.Bytes.new(x.astype("float32").tobytes()), True)
    y = numpy.frombuffer(y.get_data(), "float32").reshape(-1, info.n_outputs)

Needs PyGObject and Continual-0.typelib: scripts/setup test; meson devenv -C build
"""
import argparse
import array
import os
import sys

try:
    import gi
    gi.require_version("Continual", "0")
    from gi.repository import Continual, GLib
except (ImportError, ValueError) as missing:
    sys.exit(f"vectors.py: {missing}: run scripts/setup test, and in a tree that is not installed: meson devenv -C build")


def read_state(stream, path):
    if path and os.path.exists(path):
        with open(path, "rb") as file:
            stream.set_state(GLib.Bytes.new(file.read()))


def write_state(stream, path):
    """A new file, then renamed: a run that is killed leaves the old state"""
    if path:
        with open(f"{path}.new", "wb") as file:
            file.write(stream.get_state().get_data())
        os.replace(f"{path}.new", path)


def whole_vectors(file, size):
    """Pieces of whole vectors, as they come"""
    rest = b""
    while piece := file.read1(1 << 16):
        piece = rest + piece
        n = len(piece) // size * size
        rest = piece[n:]
        if n:
            yield piece[:n]
    if rest:
        raise ValueError(f"expected whole vectors of {size} bytes, found {len(rest)} bytes at the end")


def run(args):
    options = Continual.Options.new()
    for setting in args.set:
        key, _, value = setting.partition("=")
        options.set(key, value)
    model = Continual.Model.load(args.model, options)
    info = model.get_info()
    stream = Continual.Stream.new(model, 1)
    read_state(stream, args.state)
    width = info.n_positions * info.n_outputs
    for vectors in whole_vectors(sys.stdin.buffer, info.n_inputs * 4):
        begin = stream.get_position(0)
        y, answered, status = stream.forward_bytes(GLib.Bytes.new(vectors), True)
        y, answered = array.array("f", y.get_data() or b""), array.array("Q", answered.get_data() or b"")
        refused = sum(s != int(Continual.VectorStatus.TAKEN) for s in status.get_data())
        if refused:
            print(f"vectors.py: {refused} vectors were left out: they have a NaN or an infinity", file=sys.stderr)
        for i in range(len(answered) // 3):
            step, age = answered[3 * i + 1], answered[3 * i + 2]
            print(begin + step - age, *(f"{v:.6g}" for v in y[i * width:(i + 1) * width]), sep="\t", flush=True)
    write_state(stream, args.state)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--state", metavar="FILE")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="a hyper-parameter")
    try:
        run(parser.parse_args())
    except (GLib.Error, ValueError, OSError) as error:
        sys.exit(f"vectors.py: {error.message if isinstance(error, GLib.Error) else error}")


if __name__ == "__main__":
    main()
