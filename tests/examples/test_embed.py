#!/usr/bin/python3
# examples/embed: both applications, run as their readers run them
# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import math
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

from interpreter import python_with_gi

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
EMBED = os.path.join(ROOT, "examples", "embed")
GOLDEN = os.path.join(ROOT, "tests", "golden", "classifier-1")
MODEL = os.path.join(GOLDEN, "model.safetensors")
OTHER_MODEL = os.path.join(ROOT, "tests", "golden", "encoder-1-relu", "model.safetensors")
FEATURES, CLASSES, FIRST = 20, 5, 7
SKIPPED = 77


def golden():
    with open(os.path.join(GOLDEN, "io.safetensors"), "rb") as file:
        data = file.read()
    base = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:base])

    def rows(name, width):
        begin, end = header[name]["data_offsets"]
        values = struct.unpack(f"<{(end - begin) // 4}f", data[base + begin:base + end])
        return [values[i:i + width] for i in range(0, len(values), width)]
    return rows("x", FEATURES), rows("y", CLASSES)


X, Y = golden()


def pack(rows):
    return b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)


class C(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("cc") or subprocess.run(["pkg-config", "--exists", "gstreamer-app-1.0"]).returncode:
            raise unittest.SkipTest("cc or gstreamer-app-1.0 is missing: scripts/setup build")
        cls.dir = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        source = os.path.join(EMBED, "scores.c")
        shutil.copy(source, cls.dir)
        with open(source, encoding="utf-8") as file:
            line = re.search(r"^ \*   (cc .*)$", file.read(), re.M)[1]
        subprocess.run(line.replace("cc ", "cc -Wall -Werror ", 1), shell=True, cwd=cls.dir, check=True)
        cls.program = os.path.join(cls.dir, "scores")

    def run_scores(self, data, *args, features=FEATURES, model=MODEL, **options):
        return subprocess.run([self.program, "--features", str(features), *args, model], input=data,
                              capture_output=True, timeout=60, **options)

    def outputs(self, run):
        self.assertEqual(run.returncode, 0, run.stderr.decode())
        return [[float(v) for v in line.split("\t")] for line in run.stdout.decode().splitlines()]

    def check(self, lines, expected):
        self.assertEqual(len(lines), len(expected))
        for (_time, *line), row in zip(lines, expected):
            for a, b in zip(line, row, strict=True):
                self.assertAlmostEqual(a, b, delta=2e-4)

    def state(self, name):
        path = os.path.join(self.dir, name)
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        return path

    def test_scores(self):
        lines = self.outputs(self.run_scores(pack(X), "--rate", "50"))
        self.check(lines, Y)
        self.assertEqual([line[0] for line in lines], [round(i / 50, 3) for i in range(FIRST, len(X))])

    def test_state_outlives_the_process(self):
        path = self.state("restart")
        lines = self.outputs(self.run_scores(pack(X[:3]), "--state", path))
        lines += self.outputs(self.run_scores(pack(X[3:20]), "--state", path))
        lines += self.outputs(self.run_scores(pack(X[20:]), "--state", path))
        self.check(lines, Y)

    def test_interrupt_saves(self):
        path = self.state("interrupt")
        process = subprocess.Popen([self.program, "--features", str(FEATURES), "--state", path, MODEL],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(pack(X[:20]))
        process.stdin.flush()
        lines = [process.stdout.readline() for _ in range(20 - FIRST)]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, rest), (0, b""), errors)
        lines = [[float(v) for v in line.split()] for line in lines]
        lines += self.outputs(self.run_scores(pack(X[20:]), "--state", path))
        self.check(lines, Y)

    def test_state_of_another_model(self):
        path = self.state("other")
        self.outputs(self.run_scores(pack(X[:3]), "--state", path))
        with open(path, "rb") as file:
            before = file.read()
        run = self.run_scores(b"", "--state", path, model=OTHER_MODEL)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"remove it to begin anew", run.stderr)
        self.assertIn(b"encoder:", run.stderr)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_errors_from_the_bus(self):
        path = self.state("none")
        for data, changes, found in (
                (pack(X), {"model": "/nowhere.safetensors"}, b"/nowhere.safetensors"),
                (bytes(21 * 4) * 9999, {"features": 21}, b"found 21"),
                (pack(X)[:-1], {}, b"found 79 of 80 bytes")):
            with self.subTest(found=found):
                run = self.run_scores(data, "--state", path, **changes)
                self.assertEqual(run.returncode, 1)
                self.assertIn(found, run.stderr)
                self.assertFalse(os.path.exists(path))


    def test_says_what_is_missing(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GST_PLUGIN")}
        environment["GST_REGISTRY_1_0"] = os.path.join(self.dir, "registry.bin")
        run = self.run_scores(pack(X), env={**environment, "GST_PLUGIN_PATH_1_0": self.dir})
        if not run.returncode:
            self.skipTest("gst-continual is installed on this machine")
        self.assertEqual((run.returncode, run.stdout), (1, b""))
        self.assertEqual(run.stderr.decode(), "scores: there is no element continualencoder, which is part of gst-continual: "
                         "install it, or set GST_PLUGIN_PATH to the folder of libgstcontinual.so\n")

        environment["GST_PLUGIN_SYSTEM_PATH_1_0"] = self.dir
        run = self.run_scores(pack(X), env={**environment, "GST_PLUGIN_PATH_1_0": os.environ["GST_PLUGIN_PATH_1_0"]})
        self.assertEqual((run.returncode, run.stdout), (1, b""))
        self.assertIn("no element appsrc", run.stderr.decode())
        self.assertIn("gstreamer1.0-plugins-base", run.stderr.decode())


class Library(unittest.TestCase):
    """vectors.py: libcontinual by introspection"""

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        self.python = python_with_gi()
        if not self.python or subprocess.run(
                [self.python, "-c", "import gi; gi.require_version('Continual', '0')"], capture_output=True).returncode:
            self.skipTest("PyGObject or Continual-0.typelib is missing: scripts/setup test")

    def run_vectors(self, data, *args):
        return subprocess.run([self.python, "-B", os.path.join(EMBED, "vectors.py"), *args], input=data,
                              capture_output=True, timeout=60)

    def check(self, run, first, expected):
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        lines = [line.split("\t") for line in run.stdout.decode().splitlines()]
        self.assertEqual([int(line[0]) for line in lines], list(range(first, first + len(expected))))
        for line, row in zip(lines, expected):
            for a, b in zip(line[1:], row, strict=True):
                self.assertAlmostEqual(float(a), b, delta=2e-4)

    def test_whole(self):
        self.check(self.run_vectors(pack(X), MODEL), FIRST, Y)

    def test_state(self):
        state = os.path.join(self.dir, "stream.state")
        half = len(X) // 2
        self.check(self.run_vectors(pack(X[:half]), MODEL, "--state", state), FIRST, Y[:half - FIRST])
        self.check(self.run_vectors(pack(X[half:]), MODEL, "--state", state), half, Y[half - FIRST:])
        self.assertEqual(os.listdir(self.dir), ["stream.state"])
        run = self.run_vectors(pack(X), OTHER_MODEL, "--state", state)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"expected one that get_state made", run.stderr)

    def test_errors(self):
        for data, args, words in ((b"", ["/nowhere"], b"/nowhere"), (b"123", [MODEL], b"found 3 bytes"),
                                  (b"", [MODEL, "--set", "seqence_len=4"], b"seqence_len")):
            run = self.run_vectors(data, *args)
            self.assertEqual((run.returncode, run.stdout), (1, b""))
            self.assertIn(words, run.stderr)


class Python(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.python = python_with_gi()
        if not cls.python:
            raise unittest.SkipTest("PyGObject for GStreamer is missing: scripts/setup test")
        cls.dir = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        vectors = os.path.join(cls.dir, "x.f32")
        with open(vectors, "wb") as file:
            file.write(pack(X))
        cls.line = (f"filesrc location={vectors} ! other/tensors,format=static,num_tensors=1,types=float32,"
                    f"dimensions=(string){FEATURES},framerate=50/1 ! continualencoder model-path={MODEL}")
        cls.command = [cls.python, os.path.join(EMBED, "bars.py"), "--fast"]

    def scores(self, row):
        powers = [math.exp(y) for y in row]
        return [power / sum(powers) for power in powers]

    def test_plain(self):
        run = subprocess.run([*self.command, self.line], capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        lines = run.stdout.splitlines()
        self.assertEqual(len(lines), len(Y))
        for i, (line, row) in enumerate(zip(lines, Y)):
            time, *scores = line.split("\t")
            self.assertEqual(time, f"{(FIRST + i) / 50:.3f}")
            for k, (text, score) in enumerate(zip(scores, self.scores(row), strict=True)):
                label, value = text.split("=")
                self.assertEqual(label, str(k))
                self.assertAlmostEqual(float(value), score, delta=1e-3)

    def on_terminal(self, encoding):
        try:
            main, other = pty.openpty()
        except OSError as error:
            self.skipTest(f"this machine has no pseudo-terminals: {error}")
        environment = {**os.environ, "COLUMNS": "30", "LINES": "24", "PYTHONIOENCODING": encoding}
        process = subprocess.Popen([*self.command, self.line], stdout=other, stderr=other, env=environment)
        os.close(other)
        data = b""
        try:
            while chunk := os.read(main, 65536):
                data += chunk
        except OSError:  # how a terminal ends
            pass
        os.close(main)
        self.assertEqual(process.wait(timeout=60), 0, data)
        return data.decode(encoding)

    def test_bars(self):
        for encoding, full in (("utf-8", "█"), ("ascii", "#")):
            with self.subTest(encoding=encoding):
                text = self.on_terminal(encoding)
                last = re.sub(r"\033\[\d*[A-Za-z]", "", text).replace("\r", "").splitlines()[-CLASSES - 1:]
                self.assertEqual(last[0], f"{(len(X) - 1) / 50:.2f} s")
                width = 30 - 1 - 8
                scores = self.scores(Y[-1])
                for k, (line, score) in enumerate(zip(last[1:], scores, strict=True)):
                    self.assertRegex(line, rf"^{k} ")
                    self.assertAlmostEqual(float(line[-5:]), score, delta=1e-3)
                    self.assertLessEqual(len(line), 30)
                    self.assertAlmostEqual(line.count(full), score * width, delta=1.01)
                best = scores.index(max(scores))
                self.assertIn(f"\033[1m{best} ", text.split("\r\033[K")[-CLASSES + best])

    def test_errors(self):
        for line, found in ((self.line.replace(MODEL, "/nowhere.safetensors"), "/nowhere.safetensors"),
                            ("filesrc ! nonesuch", "nonesuch"),
                            (self.line.replace(f"(string){FEATURES}", "(string)21"), "found 21")):
            with self.subTest(found=found):
                run = subprocess.run([*self.command, line], capture_output=True, text=True, timeout=60)
                self.assertEqual(run.returncode, 1)
                self.assertIn(found, run.stderr)
                self.assertNotIn("Traceback", run.stderr)

    def test_says_what_is_missing(self):
        with open(os.path.join(self.dir, "gi.py"), "w", encoding="utf-8") as file:
            file.write("raise ImportError('no gi')\n")
        run = subprocess.run([*self.command, self.line], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "PYTHONPATH": self.dir})
        self.assertEqual(run.returncode, 1)
        self.assertIn("PyGObject", run.stderr)
        self.assertIn("scripts/setup test", run.stderr)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if result.skipped and len(result.skipped) >= result.testsRun else 0)
