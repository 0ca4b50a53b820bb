# Which Python has what the examples need
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import subprocess
import sys


def python_with(check):
    """A Python that runs `check`; None if there is none."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run([python, "-c", check], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


def keyword_spotting(check):
    """For a test of the example's own code: goes on in a Python that runs `check`, with the example's modules at hand;
    skips if there is none."""
    python = python_with(check)
    if not python:
        sys.exit(77)
    if python != sys.executable:
        os.execv(python, [python, "-B", *sys.argv])
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples",
                                    "keyword-spotting"))


def python_with_gi():
    return python_with("import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst")
