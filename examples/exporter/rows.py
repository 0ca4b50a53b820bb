# The proof of layers that answer every vector under masks of their own
# SPDX-License-Identifier: LGPL-2.1-or-later
import json

import torch

from .library import load_for_proof
from .model import Refused

ANY = 24  # vectors, where there is no window


def reach(values):
    """The longest window of a layer, with the vectors ahead, and the vectors ahead of all layers"""
    if "attention_windows" in values:
        pairs = values["attention_windows"]
        pairs = json.loads(pairs) if isinstance(pairs, str) else pairs
        return max(left + right for left, right in pairs), sum(right for _, right in pairs)
    return int(values.get("sequence_len") or 0), 0


def pairs_of(path, run, values):
    """Answers of the file, and the module's rows for the same vectors. run: rows (x (T, C)) in double, and width"""
    kind, (n, ahead) = values["attention"], reach(values)
    if kind in ("single-output", "retroactive"):
        yield windows(path, run, values, n)
        return
    count = min(ANY, int(values.get("max_len") or ANY)) if kind == "recurrent-full" else n + ahead + ANY
    model = load_for_proof(path, values, **({"warm_up": "partial"} if kind == "deep" else {}))
    try:
        x = torch.randn(count, run.width)
        y = model.run(x)[:, 0]
    finally:
        model.close()
    if len(y) != count - ahead:
        raise Refused(f"libcontinual answers {len(y)} times to {count} vectors, expected {count - ahead}; nothing is written")
    truth = run.rows(x)
    yield (y, truth[:len(y)]) if len(truth) == count else (y[-1:], truth)


def windows(path, run, values, n):
    """Some windows of one stream"""
    x = torch.randn(n + min(n, 8, 20000 // n) + 2, run.width)
    model = load_for_proof(path, values)
    try:
        y = model.run(x)
    finally:
        model.close()
    if len(y) != len(x) - n + 1:
        raise Refused(f"libcontinual answers {len(y)} times to {len(x)} vectors, expected {len(x) - n + 1}; nothing is written")
    some = sorted({0, len(y) // 2, len(y) - 1})
    truth = torch.stack([run.rows(x[i:i + n]) for i in some])
    if values["attention"] == "retroactive":
        return y[some], truth
    return y[some, 0], truth[:, int(values.get("query_index", -1))]
