# Frames as the element gives them.
# SPDX-License-Identifier: LGPL-2.1-or-later
import array
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def setting(name):
    """A variable of pipeline.sh."""
    script = '. "$1" && echo "$%s"' % name
    path = os.path.join(HERE, "pipeline.sh")
    return subprocess.run(["bash", "-c", script, "-", path], check=True, capture_output=True, text=True).stdout.strip()


# What `videototensor mean=0.5 std=0.25` makes of a grey pixel, to the bit, as tests/examples/test_motion.py proves.
PIXELS = array.array("f", [(pixel * (1 / 255) - 0.5) / 0.25 for pixel in range(256)])


def normalize(frames):
    """uint8 (..., height, width) -> float32 (..., height * width)."""
    import numpy as np  # the table does without

    return np.array(PIXELS)[frames.reshape(*frames.shape[:-2], -1)]
