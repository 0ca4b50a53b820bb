#!/usr/bin/python3
# Features of one process, the model in another, over loopback; the sender stops and comes back
# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples"))
from test_embed import EMBED, FEATURES, FIRST, MODEL, SKIPPED, X, Y, pack, python_with_gi  # noqa: E402

PATIENCE = 60
CAPS = "other/tensors,format=static,num_tensors=1,types=(string)float32,dimensions=(string){},framerate=50/1"
PYTHON = python_with_gi()

# Sends vectors of standard input, once somebody listens. Says the port it has.
EDGE = """
import struct, sys, threading
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
line, caps, n_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
pipeline = Gst.parse_launch(f"appsrc name=in format=time caps={caps} ! {line}")
source, sink = pipeline.get_by_name("in"), pipeline.get_by_name("out")
ready = threading.Event()
if sink.get_factory().get_name() == "tcpserversink":
    sink.connect("client-added", lambda *_: ready.set())
    pipeline.set_state(Gst.State.PLAYING)
    print(sink.get_property("current-port"), flush=True)
    ready.wait()
else:
    pipeline.set_state(Gst.State.PLAYING)
data = sys.stdin.buffer.read()
for t in range(len(data) // n_bytes):
    buffer = Gst.Buffer.new_wrapped(data[t * n_bytes:(t + 1) * n_bytes])
    buffer.pts, buffer.duration = t * Gst.SECOND // 50, Gst.SECOND // 50
    source.emit("push-buffer", buffer)
source.emit("end-of-stream")
message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
sys.exit(message.type != Gst.MessageType.EOS)
"""


def has_element(name):
    return subprocess.run(["gst-inspect-1.0", "--exists", name]).returncode == 0


class Network(unittest.TestCase):
    def require(self, *elements):
        missing = [name for name in elements if not has_element(name)]
        if missing:
            self.skipTest(f"{', '.join(missing)} missing: scripts/setup network")

    def start(self, command, **options):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=options.pop("text", True), **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_edge(self, line, vectors):
        width = len(vectors[0])
        edge = self.start([PYTHON, "-c", EDGE, line, CAPS.format(width), str(4 * width)], stdin=subprocess.PIPE,
                          text=False)
        edge.stdin.write(pack(vectors))
        edge.stdin.close()
        return edge

    def read_lines(self, process, file=None):
        """Those of its standard output, or of @file, as they come, without waiting longer than PATIENCE for one"""
        lines = queue.Queue()

        def read():
            for line in file or process.stdout:
                lines.put(line)
        threading.Thread(target=read, daemon=True).start()
        return lines

    def expect_outputs(self, found, vectors):
        """Those of a fresh state."""
        expected = Y[:len(vectors) - FIRST]
        self.assertEqual(len(found), len(expected))
        for scores, y in zip(found, expected):
            self.assertLess(max(abs(a - b) for a, b in zip(scores, y)), 1e-4)


class Gdp(Network):
    """examples/embed/central.py, and the senders of its pages"""

    def setUp(self):
        self.require("gdppay", "gdpdepay", "tcpserversink", "tcpclientsrc")

    def serve(self, port, vectors):
        edge = self.start_edge(f"gdppay ! tcpserversink name=out host=127.0.0.1 port={port}", vectors)
        return edge, int(edge.stdout.readline())

    def collect(self, lines, n):
        """Scores and times of the next @n outputs of each edge"""
        outputs = {}
        while any(len(of_edge) < n for of_edge in outputs.values()) or len(outputs) < self.n_edges:
            line = json.loads(lines.get(timeout=PATIENCE))
            outputs.setdefault(line["edge"], []).append((line["scores"], line["time"]))
        return outputs

    def start_central(self, *ports, **options):
        self.n_edges = len(ports)
        addresses = [f"127.0.0.1:{port}" for port in ports]
        return self.start([PYTHON, os.path.join(EMBED, "central.py"), "--model", MODEL, "--latency", "1000", *addresses],
                          **options)

    def interrupt(self, central):
        """As Ctrl-C does"""
        central.send_signal(signal.SIGINT)
        self.assertEqual(central.wait(PATIENCE), 0)

    def test_sender_comes_back(self):
        first, port = self.serve(0, X[:20])
        central = self.start_central(port)
        lines = self.read_lines(central)
        before = self.collect(lines, 20 - FIRST)[f"127.0.0.1:{port}"]
        self.expect_outputs([scores for scores, _ in before], X[:20])
        self.assertEqual(first.wait(PATIENCE), 0)

        # Its caps, segment and stream-start come anew: the state is a fresh one, and time goes on.
        second, again = self.serve(port, X[:15])
        self.assertEqual(again, port)
        after = self.collect(lines, 15 - FIRST)[f"127.0.0.1:{port}"]
        self.expect_outputs([scores for scores, _ in after], X[:15])
        self.assertEqual(second.wait(PATIENCE), 0)
        for outputs in (before, after):
            for (_, a), (_, b) in zip(outputs, outputs[1:]):
                self.assertAlmostEqual(b - a, 0.02, 4)
        self.assertGreater(after[0][1], before[-1][1])
        self.assertIsNone(central.poll())

    def test_absent_sender(self):
        """From the start on: the others go on, it is taken when it comes, and Ctrl-C ends all."""
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            absent = reserved.getsockname()[1]
        _, port = self.serve(0, X[:20])
        central = self.start_central(absent, port, stderr=subprocess.DEVNULL)
        lines = self.read_lines(central)
        found = [json.loads(lines.get(timeout=PATIENCE)) for _ in range(20 - FIRST)]
        self.assertEqual({line["edge"] for line in found}, {f"127.0.0.1:{port}"})
        self.expect_outputs([line["scores"] for line in found], X[:20])
        self.serve(absent, X[:12])
        found = [json.loads(lines.get(timeout=PATIENCE)) for _ in range(12 - FIRST)]
        self.assertEqual({line["edge"] for line in found}, {f"127.0.0.1:{absent}"})
        self.expect_outputs([line["scores"] for line in found], X[:12])
        self.interrupt(central)

    def test_nobody(self):
        """No sender at all: Ctrl-C ends it."""
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            absent = reserved.getsockname()[1]
        central = self.start_central(absent, stderr=subprocess.PIPE)
        self.addCleanup(central.stderr.close)
        self.assertIn(f"127.0.0.1:{absent}", central.stderr.readline())
        self.interrupt(central)

    def test_sender_of_another_width(self):
        """It alone is refused, at the start as well as later; another one in its place is taken."""
        wide = [(*row, 0.0) for row in X[:20]]
        refused, other = self.serve(0, wide)
        _, port = self.serve(0, X[:20])
        central = self.start_central(other, port, stderr=subprocess.PIPE)
        self.addCleanup(central.stderr.close)
        errors = self.read_lines(central, central.stderr)
        lines = self.read_lines(central)
        while "Stream 0 is refused" not in (text := errors.get(timeout=PATIENCE)):
            pass
        self.assertIn(f"expected dimensions {FEATURES}", text)
        self.assertIn(f"found {FEATURES + 1}", text)
        found = [json.loads(lines.get(timeout=PATIENCE)) for _ in range(20 - FIRST)]
        self.assertEqual({line["edge"] for line in found}, {f"127.0.0.1:{port}"})
        self.expect_outputs([line["scores"] for line in found], X[:20])
        refused.kill()
        refused.wait()
        self.serve(other, X[:12])
        found = [json.loads(lines.get(timeout=PATIENCE)) for _ in range(12 - FIRST)]
        self.assertEqual({line["edge"] for line in found}, {f"127.0.0.1:{other}"})
        self.expect_outputs([line["scores"] for line in found], X[:12])
        self.interrupt(central)

    def test_two_senders(self):
        """Each to the model as if it were alone, one of them restarted."""
        (_, a), (first, b) = self.serve(0, X[:30]), self.serve(0, X[:12])
        lines = self.read_lines(self.start_central(a, b))
        outputs = {}
        for _ in range(30 - FIRST + 12 - FIRST):
            line = json.loads(lines.get(timeout=PATIENCE))
            outputs.setdefault(line["edge"], []).append(line["scores"])
        self.expect_outputs(outputs[f"127.0.0.1:{a}"], X[:30])
        self.expect_outputs(outputs[f"127.0.0.1:{b}"], X[:12])
        first.wait(PATIENCE)
        self.serve(b, X[:10])
        found = [json.loads(lines.get(timeout=PATIENCE)) for _ in range(10 - FIRST)]
        self.assertEqual({line["edge"] for line in found}, {f"127.0.0.1:{b}"})
        self.expect_outputs([line["scores"] for line in found], X[:10])


class Rtp(Network):
    """A datagram for each vector: nobody connects, so that the receiver needs no supervision"""

    def setUp(self):
        self.require("rtpgstpay", "rtpjitterbuffer", "rtpgstdepay", "udpsrc", "udpsink")

    def test_sender_comes_back(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        receiver = self.start(
            [PYTHON, "-c", RECEIVER, f"udpsrc address=127.0.0.1 port={port} caps=\"application/x-rtp,media=application,"
             "clock-rate=90000,encoding-name=X-GST\" ! rtpjitterbuffer ! rtpgstdepay ! continualencoder name=encoder model-path="
             f"{MODEL}"])
        self.assertEqual(receiver.stdout.readline(), "ready\n")
        lines = self.read_lines(receiver)
        for n in (20, 15):
            edge = self.start_edge(f"rtpgstpay config-interval=1 ! udpsink name=out host=127.0.0.1 port={port}", X[:n])
            found = [json.loads(lines.get(timeout=PATIENCE)) for _ in range(n - FIRST)]
            self.expect_outputs(found, X[:n])
            self.assertEqual(edge.wait(PATIENCE), 0)


RECEIVER = """
import json, struct, sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst
Gst.init(None)
pipeline = Gst.parse_launch(sys.argv[1] + " ! appsink name=out sync=false emit-signals=true")

def on_sample(sink):
    buffer = sink.emit("pull-sample").get_buffer()
    data = buffer.extract_dup(0, buffer.get_size())
    print(json.dumps(struct.unpack(f"<{len(data) // 4}f", data)), flush=True)
    return Gst.FlowReturn.OK

pipeline.get_by_name("out").connect("new-sample", on_sample)
pipeline.set_state(Gst.State.PLAYING)
print("ready", flush=True)
message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
sys.exit(message.parse_error()[0].message)
"""

if __name__ == "__main__":
    if not PYTHON:
        print("SKIPPED: PyGObject for GStreamer is missing: scripts/setup test")
        sys.exit(SKIPPED)
    result = unittest.main(argv=sys.argv[:1] + sys.argv[2:], defaultTest=sys.argv[1:2] or None, exit=False,
                           verbosity=2).result
    sys.exit(not result.wasSuccessful() or (SKIPPED if result.testsRun and len(result.skipped) == result.testsRun else 0))
