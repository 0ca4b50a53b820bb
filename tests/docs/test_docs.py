#!/usr/bin/python3
# docs/ against the library: costs and sizes of the kinds' pages, keys and names of docs/model-files.md
# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import os
import re
import struct
import sys
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests", "export"))
import core

GOLDEN = os.path.join(ROOT, "tests", "golden")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def blocks(page):
    return re.findall(r"```python\n(.*?)```", read("docs", "kinds", page + ".md"), re.S)


def header(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        tensors = json.loads(file.read(length))
    return tensors.pop("__metadata__"), {name: tensor["shape"] for name, tensor in tensors.items()}


def variables(path, info):
    """What the formulas speak of, from a model's file"""
    meta, shapes = header(path)

    def shape(*suffixes):
        return next((s for name, s in shapes.items() for suffix in suffixes if name.endswith(suffix)), None)
    H, E = info.n_heads, info.d_model
    keras, q = shape("query.kernel"), shape("q_proj_weight", "query_projection.weight")
    v = shape("v_proj_weight", "value_projection.weight")
    dk = keras[2] if keras else q[0] // H if q else E // H
    dv = shape("value.kernel")[2] if keras else v[0] // H if v else E // H
    linear1 = shape("linear1.weight")
    P = int(meta.get("num_random_features", 256)) if keras else 0
    kernel = {"c": int(meta.get("causal_chunk_length", 1)), "w": int(meta.get("causal_window_length", 3)),
              "cache": meta.get("cache") == "true"}
    return {"C": info.n_inputs, "D": info.n_outputs, "E": E, "F": linear1[0] if linear1 else 0, "L": info.n_layers,
            "H": H, "dk": dk, "dv": dv, "K": info.n_keys if info.bare_attention else E,
            "V": info.n_values if info.bare_attention else E, "N": info.sequence_len,
            "x": (shape("bias_k") is not None) + (meta.get("add_zero_attn") == "true"), "b": info.delay,
            "embed": info.n_inputs * E if "0.weight" in shapes else 0,
            "head": info.n_outputs * E if "4.weight" in shapes else 0, "R": E if linear1 else 0, "P": P, "M": P or dk,
            "max_len": int(meta.get("max_len", 4096)), "self_attention": info.kind.decode(), **kernel}


class Costs(unittest.TestCase):
    def test_costs_and_sizes(self):
        seen = set()
        for name in sorted(os.listdir(GOLDEN)):
            path = os.path.join(GOLDEN, name, "model.safetensors")
            if not os.path.exists(path):
                continue
            model = core.Model(path)
            info = model.info
            kind = "decoder" if info.n_memory else info.kind.decode()
            page = blocks(kind)
            several = kind == "single-output" and info.n_layers > 1
            scope = variables(path, info)
            exec(blocks("README")[0], scope)
            exec(page[several], scope)
            with self.subTest(case=name, page=kind):
                self.assertEqual(scope["macs"], info.macs, f"docs/kinds/{kind}.md: macs")
                self.assertEqual(scope["state"], info.state_bytes, f"docs/kinds/{kind}.md: state")
            seen.add((kind, several))
        self.assertEqual(len(seen), 8, f"every page is checked by a model: {seen}")


class ModelFiles(unittest.TestCase):
    page = read("docs", "model-files.md") if os.path.exists(os.path.join(ROOT, "docs", "model-files.md")) else ""

    def names(self, array):
        source = read("core", "model", "settings.c") + read("core", "math", "activation.c")
        return re.findall(r'"([^"]+)"', re.search(array + r"\[\] = \{(.*?)\}", source, re.S)[1])

    def test_every_key(self):
        table = re.search(r"settings\[\] = \{(.*?)\n\};", read("core", "model", "settings.c"), re.S)[1]
        table = table.replace("MAX_COUNT", "16777216")
        rows = re.findall(r'\{"(\w+)", (NULL|"\w+"), (\w+), AT \(\w+\)(.*?)\}', table, re.S)
        documented = {}
        for line in self.page.split("\n"):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if len(cells) == 4 and re.match(r"`\w+`", cells[0]):
                documented[re.match(r"`(\w+)`", cells[0])[1]] = cells
        self.assertEqual(set(documented), {row[0] for row in rows})
        for key, alias, kind, rest in rows:
            fallback = re.match(r'\s*,\s*"([^"]*)"', rest)
            fallback = fallback[1] if fallback else "none"
            limits = [float(n) for n in re.findall(r"-?\d[-\d.e]*", rest.split('"')[-1])]
            what = {"BOOLEAN": "`true`, `false`", "TEXT": "text"}.get(kind)
            if kind in ("INTEGER", "NUMBER"):
                what = f"{'whole number' if kind == 'INTEGER' else 'number'}, {limits[0]:.9g} to {limits[1]:.9g}"
                if fallback == "none" or not limits[0] <= float(fallback) <= limits[1]:
                    fallback = "none"
            if kind == "NAME":
                what = ", ".join(f"`{name}`" for name in self.names(re.search(r"names =\s*(\w+)", rest)[1]))
            with self.subTest(key=key):
                names = f"`{key}`" + (f", `{alias[1:-1]}`" if alias != "NULL" else "")
                self.assertEqual(documented[key][0], names)
                self.assertEqual(documented[key][1], what)
                self.assertEqual(documented[key][2], f"`{fallback}`" if fallback != "none" else "none")

    def test_every_tensor_name(self):
        source = read("core", "model", "scheme.c")
        names = re.findall(r'\{(?:prefix )?"([\w.]+)", CO_ROLE', source)
        names += re.findall(r'prefix "([\w.]+)"', source)
        self.assertGreater(len(set(names)), 25)
        for name in sorted(set(names)):
            self.assertIn(f"`{name}`", self.page)

    def test_every_refused_key(self):
        keys = re.findall(r'\{"(\w+)", "\w+",\n', read("core", "model", "kinds.c"))
        self.assertEqual(len(keys), 5)
        for key in keys:
            self.assertIn(f"`{key}`", self.page)


class Links(unittest.TestCase):
    def test_pages_exist(self):
        for folder, _, files in os.walk(os.path.join(ROOT, "docs")):
            for name in files:
                if name.endswith(".md"):
                    for target in re.findall(r"\]\(([\w./-]+\.md)", read(folder, name)):
                        with self.subTest(page=name):
                            self.assertTrue(os.path.exists(os.path.join(folder, target)), target)


if __name__ == "__main__":
    unittest.main(verbosity=2)
