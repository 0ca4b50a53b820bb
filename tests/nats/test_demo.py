#!/usr/bin/python3
# examples/cluster/demo: both microphones' words, although a worker dies
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import signal
import socket
import subprocess
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def free_ports(n):
    """The first of n ports that nobody uses"""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        others = [socket.socket() for _ in range(n)]
        try:
            for i, other in enumerate(others):
                other.bind(("127.0.0.1", port + i))
            return port
        except (OSError, OverflowError):
            pass
        finally:
            for other in others:
                other.close()


class Demo(unittest.TestCase):
    def test_words(self):
        with open(os.path.join(ROOT, "examples", "keyword-spotting", "recording.tsv"), encoding="utf-8") as file:
            expected = [line.split()[1] for line in file]
        environment = {**os.environ, "CONTINUAL_PORT": str(free_ports(6))}
        demo = subprocess.Popen([os.path.join(ROOT, "examples", "cluster", "demo")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=environment, start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            out, errors = demo.communicate(timeout=150)
        finally:
            try:
                os.killpg(demo.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.assertEqual(demo.returncode, 0, errors)
        self.assertIn("dies", errors)
        for microphone in ("mic1", "mic2"):
            lines = [line.split("\t") for line in out.splitlines()]
            self.assertEqual([line[2] for line in lines if line[0] == microphone], expected, errors)


if __name__ == "__main__":
    unittest.main()
