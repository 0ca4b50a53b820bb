#!/usr/bin/python3
# libcontinual from Python by introspection: no ctypes, values as bytes
# SPDX-License-Identifier: LGPL-2.1-or-later
import array
import gc
import json
import os
import struct
import sys
import unittest

try:
    import gi
    gi.require_version("Continual", "0")
    from gi.repository import Continual, GLib
except (ImportError, ValueError) as missing:
    print(f"SKIPPED: {missing}: scripts/setup test")
    sys.exit(77)

GOLDEN = os.path.join(os.environ["CONTINUAL_TEST_DATA"], "golden")
CODES = {"F32": "f", "F64": "d"}


class Case:
    """A golden case: the model and its tensors, as lists of float"""

    def __init__(self, name):
        self.path = os.path.join(GOLDEN, name, "model.safetensors")
        with open(os.path.join(GOLDEN, name, "io.safetensors"), "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            data = file.read()
        self.metadata = header.pop("__metadata__")
        self.tensors = {key: array.array(CODES[t["dtype"]], data[slice(*t["data_offsets"])]) for key, t in header.items()}
        self.first, self.atol = int(self.metadata["first"]), float(self.metadata["atol"])
        self.model = Continual.Model.load(self.path, None)

    def bytes(self, name, first=0, width=0, n=None):
        values = self.tensors[name][first * width:(first + n) * width if n is not None else None]
        return GLib.Bytes.new(array.array("f", values).tobytes())


def floats(data):
    return array.array("f", data.get_data() or b"")


def counts(data):
    return list(array.array("Q", data.get_data() or b""))


class Introspection(unittest.TestCase):
    def assert_near(self, found, expected, atol):
        self.assertEqual(len(found), len(expected))
        self.assertLessEqual(max(abs(a - b) for a, b in zip(found, expected)), atol)

    def test_chunk(self):
        case = Case("encoder-2-relu")
        stream = Continual.Stream.new(case.model, 1)
        y, answered, status = stream.forward_bytes(case.bytes("x"), True)
        self.assert_near(floats(y), case.tensors["y"], case.atol)
        n = len(status.get_data())
        self.assertEqual(set(status.get_data()), {int(Continual.VectorStatus.TAKEN)})
        self.assertEqual(counts(answered), [v for t in range(case.first, n) for v in (0, t, 0)])
        self.assertEqual(stream.get_position(0), n)

    def test_steps_equal_the_chunk(self):
        case = Case("encoder-1-relu")
        stream, width, found = Continual.Stream.new(case.model, 1), case.model.get_info().n_inputs, []
        for t in range(len(case.tensors["x"]) // width):
            found += floats(stream.forward_bytes(case.bytes("x", t, width, 1), True)[0])
        self.assert_near(found, case.tensors["y"], case.atol)

    def test_no_update(self):
        case = Case("encoder-1-relu")
        stream = Continual.Stream.new(case.model, 1)
        before, _, _ = stream.forward_bytes(case.bytes("x"), False)
        self.assertEqual(stream.get_position(0), 0)
        self.assertEqual(stream.forward_bytes(case.bytes("x"), True)[0].get_data(), before.get_data())

    def test_streams_and_absent(self):
        """The second of two streams is absent at first: its answers come later."""
        case = Case("encoder-1-relu")
        width = case.model.get_info().n_inputs
        stream = Continual.Stream.new(case.model, 2)
        nan = array.array("f", [float("nan")] * width).tobytes()
        row = case.bytes("x", 0, width, 1).get_data()
        _, _, status = stream.forward_bytes(GLib.Bytes.new(row + nan), True)
        self.assertEqual(list(status.get_data()), [int(Continual.VectorStatus.TAKEN), int(Continual.VectorStatus.ABSENT)])
        self.assertEqual([stream.get_position(i) for i in (0, 1)], [1, 0])

    def test_snapshot(self):
        case = Case("recurrent-linear-2")
        info, total = case.model.get_info(), len(case.tensors["x"])
        width, half = info.n_inputs, total // info.n_inputs // 2
        stream = Continual.Stream.new(case.model, 1)
        stream.forward_bytes(case.bytes("x", 0, width, half), True)
        other = Continual.Stream.new(case.model, 1)
        other.set_state(stream.get_state())
        rest = case.bytes("x", half, width, total // width - half)
        self.assertEqual(other.forward_bytes(rest, True)[0].get_data(), stream.forward_bytes(rest, True)[0].get_data())

    def test_separate(self):
        case = Case("mha-single-output-qkv-kdim-vdim")
        y, _, _ = Continual.Stream.new(case.model, 1).forward_separate_bytes(
            case.bytes("query"), case.bytes("key"), case.bytes("value"), True)
        self.assert_near(floats(y), case.tensors["y"], case.atol)

    def test_memory(self):
        case = Case("decoder-linear-full")
        stream = Continual.Stream.new(case.model, 1)
        _, _, status = stream.forward_bytes(case.bytes("x"), False)
        self.assertEqual(set(status.get_data()), {int(Continual.VectorStatus.WAITING)})
        stream.set_memory_bytes(Continual.ALL_STREAMS, case.bytes("memory"))
        self.assert_near(floats(stream.forward_bytes(case.bytes("x"), True)[0]), case.tensors["y"], case.atol)

    def test_drain(self):
        case = Case("kernel-relu-chunk-4-window-2-decay")
        width = case.model.get_info().n_inputs
        stream = Continual.Stream.new(case.model, 1)
        found = floats(stream.forward_bytes(case.bytes("x"), True)[0])
        y, answered = stream.drain_bytes()
        found += floats(y)
        self.assert_near(found, case.tensors["y"], case.atol)
        self.assertEqual(len(counts(answered)) // 3, len(case.tensors["x"]) // width % 4)

    def test_window(self):
        case = Case("encoder-1-relu")
        info = case.model.get_info()
        y = floats(case.model.forward_bytes(case.bytes("x", 0, info.n_inputs, info.warm_up)))
        self.assert_near(y, case.tensors["y"][:len(y)], case.atol)

    def test_info_outlives_the_model(self):
        path = os.path.join(GOLDEN, "classifier-1", "model.safetensors")
        model = Continual.Model.load(path, None)
        self.assertFalse(model.get_labels())
        self.assertIn("single-output", model.describe())
        info = model.get_info()
        del model
        gc.collect()
        self.assertEqual((info.kind, info.n_inputs, info.n_outputs, info.sequence_len, info.n_heads),
                         ("single-output", 20, 5, 8, 4))
        self.assertEqual(info.scores, Continual.Scores.LOGITS)

    def test_options(self):
        options = Continual.Options.new()
        options.set("sequence_len", "5")
        model = Continual.Model.load(os.path.join(GOLDEN, "encoder-1-relu", "model.safetensors"), options)
        self.assertEqual(model.get_info().sequence_len, 5)

    def assert_error(self, code, words, call):
        with self.assertRaises(GLib.Error) as caught:
            call()
        self.assertTrue(caught.exception.matches(Continual.error_quark(), code), caught.exception)
        for word in words:
            self.assertIn(word, caught.exception.message)

    def test_errors(self):
        case = Case("encoder-1-relu")
        stream = Continual.Stream.new(case.model, 2)
        mha = Continual.Stream.new(Case("mha-single-output").model, 1)
        error = Continual.Error
        self.assert_error(error.NOT_FOUND, ["/nowhere"], lambda: Continual.Model.load("/nowhere.safetensors", None))
        self.assert_error(error.CORRUPT, [], lambda: Continual.Model.load_bytes(GLib.Bytes.new(b"no model"), None))
        self.assert_error(error.STATE, ["expected"], lambda: stream.set_state(GLib.Bytes.new(b"no state")))
        self.assert_error(error.INPUT, ["expected a multiple of 256", "found 4"],
                          lambda: stream.forward_bytes(GLib.Bytes.new(b"1234"), True))
        self.assert_error(error.INPUT, ["bare attention"],
                          lambda: stream.forward_separate_bytes(case.bytes("x"), case.bytes("x"), None, True))
        self.assert_error(error.INPUT, ["as many steps", "1, found 0 and 0"],
                          lambda: mha.forward_separate_bytes(GLib.Bytes.new(bytes(24 * 4)), GLib.Bytes.new(b""), None, True))
        self.assert_error(error.INPUT, ["decoder"], lambda: stream.set_memory_bytes(0, case.bytes("x")))
        self.assert_error(error.INPUT, ["at least"], lambda: case.model.forward_bytes(case.bytes("x", 0, 32, 1)))
        # Finite, and larger than what a stream takes
        large = GLib.Bytes.new(array.array("f", [1e16] * len(case.tensors["x"])).tobytes())
        self.assert_error(error.INPUT, ["up to 1e15"], lambda: case.model.forward_bytes(large))
        self.assertEqual(stream.get_position(0), 0)

    def test_empty(self):
        stream = Continual.Stream.new(Case("encoder-1-relu").model, 1)
        y, answered, status = stream.forward_bytes(GLib.Bytes.new(b""), True)
        self.assertEqual((y.get_size(), answered.get_size(), status.get_size()), (0, 0, 0))


if __name__ == "__main__":
    unittest.main()
