#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets `model`, `snapshot` and `labels`.

usage: tests/fuzz/seeds.py    (writes tests/fuzz/models/, snapshots/ and labels/)

Models: what is in each golden file, an eighth as wide. Snapshots: states of some models, with all of the frame right or
parts of it. SPDX-License-Identifier: LGPL-2.1-or-later
"""
import json
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent

LABELS = {
    "lines": b"yes\nno\n",
    "json": b'["yes", "no", "gr\\u00fcn"]',
    "mark": b"\xef\xbb\xbf yes \r\n[PAD]\r\n",
    "empty-line": b"yes\n\nno",
    "number": b'["yes", 3]',
    "unclosed": b'["yes"',
    "not-utf-8": b"yes\xff\n",
    "commas": b"a, b,",
}


def narrow(size):
    return size // 8 if size % 8 == 0 else size


def describe(path):
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    lines = [f"{key}={value}" for key, value in sorted(header.pop("__metadata__", {}).items())]
    for name, tensor in header.items():
        lines.append(" ".join([name, *(str(narrow(d)) for d in tensor["shape"])]))
    return ("\n".join(lines) + "\n").encode()


def snapshot(variant, right):
    """A head, positions, then halves, as doubles or as floats."""
    return bytes([variant, right]) + bytes(64) + struct.pack("<Q", 5) + bytes(56) + struct.pack("<16d", *[0.5] * 16)


def main():
    models = {path.parent.name: describe(path) for path in sorted((HERE.parent / "golden").glob("*/model.safetensors"))}
    snapshots = {f"{variant}-{right}": snapshot(variant, right) for variant in range(0, 50, 7) for right in (7, 6, 5, 3)}
    for folder, files in (("models", models), ("snapshots", snapshots), ("labels", LABELS)):
        (HERE / folder).mkdir(exist_ok=True)
        for name, content in files.items():
            (HERE / folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
