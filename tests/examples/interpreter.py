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


def python_with_gi():
    return python_with("import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst")
