#!/usr/bin/python3
# Every gst-launch line of every page, as it stands, in bash and in zsh
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Microphones and cameras are replaced by recordings, windows are not opened, and servers are programs of this test. A block with … or
with words like SOURCE_A is a pattern and not run. Models that are not bundled are replaced by small ones of the same family."""
import array
import glob
import http.server
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PAGES = ["README.md", *sorted(glob.glob("docs/*.md", root_dir=ROOT)), *sorted(glob.glob("examples/*/README.md", root_dir=ROOT))]
SHELLS = [shell for shell in ("bash", "zsh") if shutil.which(shell)]
INDENTED = r"(?:^    [^\n]*\S[^\n]*\n|^\n(?=    ))+"
BLOCK = re.compile(rf"^```(\w+)\n(.*?)^```$|({INDENTED})", re.M | re.S)
PATTERN = re.compile(r"…|\b(?:SOURCE|FOLDER|LINE|FILE|ONE|OTHER|MODEL)(?:_\w+)?\b(?!=)")
RECORDING = "filesrc location=examples/keyword-spotting/recording.flac ! flacparse ! flacdec"
REPLACED = {"autoaudiosrc": RECORDING, "autoaudiosink": "fakesink", "autovideosink": "fakesink sync=false",
            "autovideosrc": "videotestsrc num-buffers=60", "v4l2src": "videotestsrc num-buffers=60", "localhost:8000": "localhost:{port}"}
# Where to run the others: [words of the block, why it is not run here]
ELSEWHERE = [
    ("meson setup build", "tests/packages runs these lines"),
    ("onnxinference", "tests/onnx has an ONNX model"),
    ("natstensor", "tests/nats runs the elements with servers"),
    ("tcpserversink", "tests/network runs elements on two machines"),
]
FAMILIES = {"mimi": "mimi", "moonshine-streaming-tiny": "moonshine-encoder", "voxtral-realtime": "voxtral-encoder", "llama": "llama",
            "bert": "bert", "vit": None, "hubert": "wav2vec2", "whisper-tiny": "whisper"}
FAMILY_WIDTH = 16


def blocks(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        text = file.read()
    for match in BLOCK.finditer(text):
        language, fenced, indented = match.groups()
        body = fenced if language else re.sub(r"^    ", "", indented, flags=re.M)
        yield language or "sh", body, text.count("\n", 0, match.start()) + 1


def tensors(*path):
    with open(os.path.join(ROOT, "tests", *path, "io.safetensors"), "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__")
    codes = {"F32": "f", "F64": "d"}
    return {name: array.array("f", array.array(codes[t["dtype"]], data[slice(*t["data_offsets"])]))
            for name, t in header.items() if t["dtype"] in codes}


class Words(http.server.BaseHTTPRequestHandler):
    """A server that takes words"""

    def do_POST(self):
        self.server.words.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        for name in ("examples", "tests", "docs"):
            os.symlink(os.path.join(ROOT, name), os.path.join(cls.dir, name))
        decoder, attention = tensors("golden", "decoder-linear-full"), tensors("golden", "mha-single-output")
        for name, values in (("features", tensors("golden", "classifier-1")["x"]), ("query", attention["x"]), ("key", attention["x"]),
                             ("stream", decoder["x"]), ("memory", decoder["memory"])):
            with open(os.path.join(cls.dir, name + ".f32"), "wb") as file:
                file.write(values.tobytes())
        with open(os.path.join(cls.dir, "vectors.f32"), "wb") as file:
            file.write(tensors("golden-models", "hf-mimi")["x"].tobytes() * 4)
        bin_dir = os.path.join(cls.dir, "bin")
        os.mkdir(bin_dir)
        with open(os.path.join(bin_dir, "mosquitto_pub"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexec cat\n")
        os.chmod(os.path.join(bin_dir, "mosquitto_pub"), 0o755)
        cls.env = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"}
        cls.server = http.server.ThreadingHTTPServer(("localhost", 0), Words)
        cls.server.words = []
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)

    def instead(self, text):
        for name, other in REPLACED.items():
            text = text.replace(name, other.format(port=self.server.server_port))
        family = re.search(r"model-path=([\w-]+) ", text)
        if family and family[1] in FAMILIES:
            folder = FAMILIES[family[1]]
            if not folder:
                return None
            text = text.replace(f"model-path={family[1]}", f"model-path=tests/golden-models/hf-{folder}")
            text = re.sub(r"dimensions=\(string\)\d+", f"dimensions=(string){FAMILY_WIDTH}", text)
        return text

    def missing_elements(self, text):
        names = set(re.findall(r"(?:!|gst-launch-1\.0(?: -q)?|\.(?: queue !)?) ([a-z]\w+)(?= )", text))
        # Not --exists: it wants the version of GStreamer from other plugins, too.
        return [name for name in sorted(names)
                if subprocess.run(["gst-inspect-1.0", name], env=self.env, stdout=subprocess.DEVNULL).returncode]

    def run_in(self, shell, text):
        run = subprocess.run([shell, "-e", "-c", text], cwd=self.dir, env=self.env, capture_output=True, text=True, timeout=300)
        self.assertEqual(run.returncode, 0, f"{text}\n{run.stdout}\n{run.stderr}")
        return run.stdout

    def test_lines(self):
        n = {"run": 0, "missing": []}
        for page in PAGES:
            if page == "docs/tutorial.md":  # has a test of its own
                continue
            before = ""
            for language, body, line in blocks(page):
                if language != "sh" or PATTERN.search(body) or any(words in body for words, _why in ELSEWHERE):
                    continue
                if "gst-launch-1.0" not in body:
                    if body.startswith(". examples"):
                        before = body
                    continue
                with self.subTest(page=page, line=line):
                    text = self.instead(body)
                    missing = self.missing_elements(text) if text else ["a model of the family"]
                    if missing:
                        n["missing"].append(f"{page}:{line}: {missing}")
                        continue
                    for shell in SHELLS:
                        self.run_in(shell, before + text)
                    n["run"] += 1
        print(n, file=sys.stderr)
        self.assertGreater(n["run"], 10)

    def test_words_arrive(self):
        """What the gallery sends is the words."""
        before, sent = "", None
        for language, body, _line in blocks("docs/gallery.md"):
            before = before or body
            if "curl" in body and language == "sh":
                sent = self.instead(body)
        if self.missing_elements(sent) or not shutil.which("curl"):
            self.skipTest("an element or curl is missing")
        self.server.words.clear()
        self.run_in("bash", before + sent)
        with open(os.path.join(ROOT, "examples", "keyword-spotting", "recording.tsv"), encoding="utf-8") as file:
            expected = [row.split()[1] for row in file]
        self.assertEqual([word["label"] for word in self.server.words], expected)

    def test_python_of_the_readme(self):
        code = next(body for language, body, _line in blocks("README.md") if language == "python" and "Gst.init" in body)
        if self.missing_elements("! flacdec "):
            self.skipTest("flacdec is missing")
        with open(os.path.join(self.dir, "readme.py"), "w", encoding="utf-8") as file:
            file.write(code)
        with open(os.path.join(ROOT, "examples", "keyword-spotting", "recording.tsv"), encoding="utf-8") as file:
            expected = [row.split()[1] for row in file]
        self.assertEqual(self.run_in("bash", f"{sys.executable} readme.py").split(), expected)
        for found in ("words.safetensors", "continualencoder"):  # a file, an element that is not there
            with open(os.path.join(self.dir, "wrong.py"), "w", encoding="utf-8") as file:
                file.write(code.replace(found, "nonesuch"))
            run = subprocess.run([sys.executable, "wrong.py"], cwd=self.dir, env=self.env, capture_output=True, text=True, timeout=60)
            self.assertEqual((run.returncode, run.stdout), (1, ""))
            self.assertIn("nonesuch", run.stderr)

    def test_numpy(self):
        try:
            import numpy  # noqa: F401
        except ImportError:
            self.skipTest("numpy is missing")
        code = next(body for language, body, _line in blocks("docs/gallery.md") if language == "python")
        path = os.path.join(self.dir, "numpy-in.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(code)
        lines = self.run_in("bash", f"{sys.executable} numpy-in.py").splitlines()
        self.assertEqual(len(lines), 40 - 7)
        self.assertTrue(lines[0].startswith("0.14 s: class "))


if __name__ == "__main__":
    unittest.main(verbosity=2)
