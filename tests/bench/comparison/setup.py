# Imported before anything else: one thread for everybody, and where things are
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import sys

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before torch is imported: Debian's torch heeds nothing later
TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
os.environ.setdefault("CONTINUAL_LIB", os.path.join(BUILD, "core", "libcontinual.so"))
sys.path[:0] = [os.path.join(TOP, "examples"), os.path.join(TOP, "tests", "export")]

import torch  # noqa: E402

torch.set_num_threads(1)
