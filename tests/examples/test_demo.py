#!/usr/bin/python3
# examples/demo: what it writes where, and what it leaves behind
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SPOTTER = os.path.join(ROOT, "examples", "keyword-spotting")


def words():
    with open(os.path.join(SPOTTER, "recording.tsv"), encoding="utf-8") as file:
        return [line.split()[1] for line in file]


def processes_of(session):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(") ", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session:
            found.append(pid)
    return found


class Demo(unittest.TestCase):
    """In a tree whose plugin is built: nothing is installed or compiled."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        for name in ("examples", "scripts", "bin", "build", "tmp"):
            os.mkdir(os.path.join(self.dir, name))
        shutil.copy(os.path.join(ROOT, "examples", "demo"), self.path("examples", "demo"))
        os.symlink(SPOTTER, self.path("examples", "keyword-spotting"))
        for stub in ("scripts/setup", "bin/ninja"):
            with open(self.path(stub), "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\necho {stub}\n")
            os.chmod(self.path(stub), 0o755)
        for name in ("meson.build", "build/build.ninja"):
            open(self.path(name), "w").close()
        os.symlink(os.environ["GST_PLUGIN_PATH_1_0"], self.path("build", "gst"))

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def run_demo(self, *args, stdout=subprocess.PIPE):
        environment = {**os.environ, "PATH": self.path("bin") + ":" + os.environ["PATH"], "TMPDIR": self.path("tmp")}
        environment.pop("GST_DEBUG", None)
        demo = subprocess.Popen([self.path("examples", "demo"), *args], stdout=stdout, stderr=subprocess.PIPE, text=True,
                                env=environment, start_new_session=True, stdin=subprocess.DEVNULL)
        out, err = demo.communicate(timeout=120)
        self.assertEqual(os.listdir(self.path("tmp")), [])
        self.assertEqual(processes_of(demo.pid), [])
        return demo.returncode, out, err

    def check_lines(self, text):
        self.assertEqual([line.split("\t")[1] for line in text.splitlines()], words())

    def test_words_alone_are_on_standard_output(self):
        code, out, err = self.run_demo()
        self.assertEqual((code, err), (0, "scripts/setup\nbin/ninja\n"))
        self.check_lines(out)

    def test_a_redirected_output_keeps_what_was_there(self):
        for mode in ("w", "a"):
            with self.subTest(mode=mode), open(self.path("out"), mode, encoding="utf-8") as file:
                file.write("before\n")
                file.flush()
                code, _, err = self.run_demo(stdout=file)
                self.assertEqual(code, 0, err)
                subprocess.run(["echo", "after"], stdout=file, check=True)
        with open(self.path("out"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        half = len(lines) // 2
        for part in (lines[:half], lines[half:]):
            self.assertEqual((part[0], part[-1]), ("before", "after"))
            self.check_lines("\n".join(part[1:-1]))

    def test_a_file_without_audio_is_named(self):
        for name, content in (("text.wav", b"no audio\n" * 100), ("empty.ogg", b""), ("noise", bytes(range(1, 256)) * 40)):
            with self.subTest(name=name):
                with open(self.path(name), "wb") as file:
                    file.write(content)
                code, out, err = self.run_demo(self.path(name))
                self.assertEqual((code, out), (1, ""))
                self.assertIn(f"expected audio that can be decoded, found none in '{self.path(name)}'",
                              err.splitlines()[-1])

    def test_a_file_that_is_not_there_is_named(self):
        code, out, err = self.run_demo(self.path("nosuch.wav"))
        self.assertEqual((code, out), (1, ""))
        self.assertIn(self.path("nosuch.wav"), err)

    def test_a_name_is_no_part_of_the_pipeline(self):
        name = self.path("a ! fakesink \"'.flac")
        shutil.copy(os.path.join(SPOTTER, "recording.flac"), name)
        code, out, err = self.run_demo(name)
        self.assertEqual(code, 0, err)
        self.check_lines(out)


class Subtitles(unittest.TestCase):
    def test_the_line_of_the_page(self):
        if subprocess.run(["gst-inspect-1.0", "--exists", "srtenc"]).returncode:
            self.skipTest("there is no element srtenc")
        with open(os.path.join(ROOT, "docs", "classlabeler.md"), encoding="utf-8") as file:
            blocks = re.findall(r"^    (\. examples/keyword-spotting/pipeline\.sh\n(?:    .*\n)*)", file.read(), re.M)
            lines = next(block for block in blocks if "srtenc" in block)
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.path.join(ROOT, "examples"), os.path.join(folder, "examples"))
            run = subprocess.run(["bash", "-euc", re.sub("^    ", "", lines, flags=re.M)], cwd=folder, capture_output=True,
                                 timeout=120)
            self.assertEqual((run.returncode, run.stderr), (0, b""))
            with open(os.path.join(folder, "words.srt"), encoding="utf-8") as file:
                texts = [part.split("\n") for part in file.read().strip().split("\n\n")]
        self.assertEqual([text[2] for text in texts], words())
        times = [time for text in texts for time in text[1].split(" --> ")]
        self.assertEqual(times, sorted(times))
        self.assertEqual(len(set(text[1] for text in texts)), len(texts))


if __name__ == "__main__":
    missing = [name for name in ("gst-launch-1.0", "bash") if not shutil.which(name)]
    if missing or subprocess.run(["gst-inspect-1.0", "--exists", "decodebin"]).returncode:
        sys.exit(77)
    unittest.main(verbosity=2)
