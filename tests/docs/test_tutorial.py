#!/usr/bin/python3
# docs/tutorial.md: every block, from the first to the last, in an empty folder
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What needs a microphone gets scene.wav in its place, and windows are not opened."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ["CONTINUAL_BUILD"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
SAVED = re.compile(r"(?:# |/\* )(\S+\.(?:py|c|service))\b")
REPLACED = {"autoaudiosrc": "filesrc location=scene.wav ! wavparse", "autovideosink": "fakesink sync=false"}
SHELLS = [shell for shell in ("bash", "zsh") if shutil.which(shell)]
SKIPPED = 77


def missing():
    try:
        import torch  # noqa: F401
    except ImportError:
        return "PyTorch (scripts/setup torch)"
    if subprocess.run(["gst-inspect-1.0", "--exists", "wavenc"]).returncode:
        return "the element wavenc (scripts/setup test)"
    return None


class Tutorial(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        bin_dir = os.path.join(self.dir, "bin")
        self.folder = os.path.join(self.dir, "empty")
        os.mkdir(bin_dir)
        os.mkdir(self.folder)
        # What an installation has
        os.symlink(os.path.join(ROOT, "examples", "export.py"), os.path.join(bin_dir, "continual-export"))
        os.symlink(os.path.join(BUILD, "tools", "continual-inspect"), os.path.join(bin_dir, "continual-inspect"))
        os.symlink(sys.executable, os.path.join(bin_dir, "python3"))
        self.env = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1",
                    "PKG_CONFIG_PATH": os.path.join(BUILD, "meson-uninstalled"),
                    "CONTINUAL_LIBRARY": os.path.join(BUILD, "core", "libcontinual.so"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run_block(self, shell, text):
        for name, instead in REPLACED.items():
            text = text.replace(name, instead)
        run = subprocess.run([shell, "-e", "-c", text], cwd=self.folder, env=self.env, capture_output=True, text=True,
                             timeout=600)
        self.assertEqual(run.returncode, 0, f"{text}\n{run.stdout}\n{run.stderr}")
        return run.stdout

    def check_output(self, found, expected):
        """The words of each expected line, in this order, somewhere in the output"""
        words = iter(found.split())
        for word in expected.split():
            self.assertIn(word, words, f"expected {word} in its place in:\n{found}")

    def run_service(self, text):
        """The line of the service, in this folder"""
        line = re.search(r"^ExecStart=((?:.*\\\n)*.*)$", text, re.M)[1].replace("\\\n", " ")
        line = line.replace("/srv/sounds/", "").replace("/var/lib/sounds/", "").replace("/usr/bin/gst-launch-1.0", "gst-launch-1.0")
        self.check_output(self.run_block("bash", line), "")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "stream.state")))

    def has(self, text):
        if "tensorscope" not in text:
            return True
        return not subprocess.run(["gst-inspect-1.0", "tensorscope"], stdout=subprocess.DEVNULL).returncode

    def test_every_block(self):
        with open(os.path.join(ROOT, "docs", "tutorial.md"), encoding="utf-8") as file:
            blocks = BLOCK.findall(file.read())
        found, seen = None, set()
        for language, text in blocks:
            seen.add(language)
            saved = SAVED.match(text)
            if saved:
                with open(os.path.join(self.folder, saved[1]), "w", encoding="utf-8") as file:
                    file.write(text)
                if language == "ini":
                    self.run_service(text)
            elif language == "sh":
                # Training takes as long in one shell as in another.
                for shell in SHELLS[:1] if "train.py" in text else SHELLS:
                    if self.has(text):
                        found = self.run_block(shell, text)
            else:
                self.assertEqual(language, "text")
                self.check_output(found, text)
        self.assertEqual(seen, {"sh", "python", "c", "text", "ini"})


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"SKIPPED: missing {reason}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
