#!/usr/bin/python3
# docs/ against the library: costs and sizes of the kinds' pages, keys and names of docs/model-files.md
# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import os
import re
import struct
import sys
import tempfile
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


TABLE = re.compile(r"(\| key \| values \| default \| kinds \| meaning \|\n)(?:\|.*\n)+")


def table_of_settings():
    """What docs/model-files.md says of the hyper-parameters, from the library's table"""
    settings = core.settings()
    kinds = [choice.name.decode() for choice in choices(next(s for s in settings if s.key == b"attention"))]
    lines = ["| key | values | default | kinds | meaning |", "|---|---|---|---|---|"]
    for s in settings:
        names = f"`{s.key.decode()}`" + (f", `{s.alias.decode()}`" if s.alias else "")
        values = {core.BOOLEAN: "`true`, `false`", core.TEXT: "text",
                  core.INTEGER: f"whole number, {s.min:.9g} to {s.max:.9g}", core.NUMBER: f"number, {s.min:.9g} to {s.max:.9g}",
                  core.CHOICE: ", ".join(f"`{choice.name.decode()}`" for choice in choices(s))}[s.type]
        default = f"`{s.fallback.decode()}`" if s.fallback else "none"
        fitting = [kind for i, kind in enumerate(kinds) if s.kinds >> i & 1]
        lines.append(f"| {names} | {values} | {default} | {kinds_to_text(s, kinds, fitting)} | {s.blurb.decode()} |")
    return "\n".join(lines) + "\n"


def choices(setting):
    return [setting.choices[i] for i in range(setting.n_choices)]


def kinds_to_text(setting, kinds, fitting):
    if setting.scope == 4:  # CO_FOR_DECODER
        return "decoders"
    if len(fitting) == len(kinds):
        return "all"
    if len(fitting) == len(kinds) - 1:
        return "all but " + next(f"`{kind}`" for kind in kinds if kind not in fitting)
    return ", ".join(f"`{kind}`" for kind in fitting)


class ModelFiles(unittest.TestCase):
    page = read("docs", "model-files.md")

    def test_table_of_settings(self):
        self.assertEqual(TABLE.search(self.page)[0], table_of_settings(),
                         "run tests/docs/test_docs.py --write, which puts the table right")

    def test_every_tensor_name(self):
        folder = os.path.join(ROOT, "core", "names", "schemes")
        source = "".join(read("core", "names", "schemes", name) for name in sorted(os.listdir(folder)))
        names = re.findall(r'(?:CO_PAIR|KERNEL|PROJECTION) \((?:prefix )?"([\w.]+)"', source)
        names += re.findall(r'\{(?:prefix )?"([\w.]+)", *CO_ROLE', source)
        names += re.findall(r'CO_NORMS \("(\w+)"', source)
        self.assertGreater(len(set(names)), 60)
        for name in sorted(set(names)):
            self.assertTrue(f"`{name}`" in self.page or f"`{name}.kernel`" in self.page, name)

    def test_every_family(self):
        sources = "".join(read("core", "settings", f"families-{name}.c") for name in ("encoders", "streaming", "text"))
        families = re.findall(r'(?:SPEECH \(|CoFamily \w+ = \{\n  )"(\w+)"', sources)
        self.assertEqual(len(families), 14)
        for family in families:
            self.assertIn(f"`{family}`", self.page)
            self.assertIn(f"`{family}`", read("docs", "families.md"))

    def test_every_wrapper(self):
        source = re.search(r"wrappers\[\] = \{(.*?)\}", read("core", "names", "tensors.c"), re.S)[1]
        for wrapper in re.findall(r'"(\w+)"', source):
            self.assertIn(f"`{wrapper}`", self.page)

    def test_every_refused_key(self):
        keys = re.findall(r'\{"(\w+)", "\w+",\n', read("core", "model", "kinds.c"))
        self.assertEqual(len(keys), 5)
        for key in keys:
            self.assertIn(f"`{key}`", self.page)


def write_model(path, metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, shape in tensors.items():
        begin, count = len(data), 1
        for size in shape:
            count *= size
        data += struct.pack(f"<{count}f", *((i % 11) / 11 for i in range(count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def layer(prefix, E, F):
    tensors = {"self_attn.in_proj_weight": [3 * E, E], "self_attn.in_proj_bias": [3 * E], "linear1.weight": [F, E],
               "self_attn.out_proj.weight": [E, E], "self_attn.out_proj.bias": [E], "linear1.bias": [F],
               "linear2.weight": [E, F], "linear2.bias": [E]}
    tensors.update((f"norm{n}.{kind}", [E]) for n in (1, 2) for kind in ("weight", "bias"))
    return {prefix + name: shape for name, shape in tensors.items()}


class WhichModelsRun(unittest.TestCase):
    page = read("docs", "which-models-run.md")
    E, F, N = 64, 128, 64
    rows = {  # of the table of costs: layout, position_index, norm_first
        "newest vector, no positions or recycled ones": (["encoder"], "recycle", False),
        "newest vector, positions of the window": (["pe", "encoder"], "window", False),
        "newest vector, positions of the window, pre-norm": (["pe", "encoder"], "window", True),
        "class token, positions of the window": (["pe", "cls", "encoder", "pool:cls"], "window", False),
        "mean, no positions or recycled ones": (["encoder", "pool:mean"], "recycle", False),
        "mean, positions of the window": (["pe", "encoder", "pool:mean"], "window", False)}

    def cost(self, n_layers, layout, position_index, norm_first):
        tensors = {"pe": [self.N, self.E]} if "pe" in layout else {}
        if "cls" in layout:
            tensors["cls"] = [1, 1, self.E]
        for i in range(n_layers):
            tensors.update(layer(f"encoder.layers.{i}.", self.E, self.F))
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            write_model(file.name, {"nhead": "4", "sequence_len": str(self.N), "layout": json.dumps(layout),
                                    "position_index": position_index, "norm_first": str(norm_first)}, tensors)
            model = core.Model(file.name)
            return model.info.macs

    def test_costs(self):
        found = dict(re.findall(r"^\| ([\w, -]+) \| (\d+ \| \d+) \|$", self.page, re.M))
        self.assertEqual(found, {name: f"{self.cost(1, *row)} | {self.cost(2, *row)}" for name, row in self.rows.items()})

    def test_cost_of_a_window(self):
        E, F, N = self.E, self.F, self.N
        self.assertIn(f"{N * (4 * E * E + 2 * N * E + 2 * E * F)} for each layer", self.page)


def sources(*folders):
    for folder in folders:
        for place, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield read(place, name)


def texts(source):
    """The string literals of C, joined as the compiler does, with … for each thing that is filled in."""
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.S)
    literal = r'"(?:[^"\\\n]|\\.)*"'
    for run in re.findall(rf"{literal}(?:\s*(?:[A-Z]\w*\s*)?{literal})*", source):
        text = re.sub(r'"\s*[A-Z]\w*\s*"', "…", run)
        text = re.sub(r'(?<!\\)"\s*"', "", text)[1:-1].replace('\\"', '"')
        yield re.sub("…+", "…", re.sub(r"%[-+#0 ]*[\d.*]*[a-z]*", "…", text))


class Troubleshooting(unittest.TestCase):
    def test_every_message_is_in_the_source(self):
        messages = re.findall(r"^\| (`.*?`) \| ", read("docs", "troubleshooting.md"), re.M)
        messages = [message.strip("`") for message in messages]
        self.assertGreaterEqual(len(messages), 50)
        found = "\n".join(text for source in sources("core", "gst", "nats") for text in texts(source))
        for message in messages:
            pattern = ".*?".join(re.escape(part) for part in message.split("…"))
            with self.subTest(message=message):
                self.assertRegex(found, pattern)
                self.assertGreater(len(message), 20)


class Elements(unittest.TestCase):
    """What each element says of itself, in its ElementAbout"""
    abouts = [re.findall(r"\.(\w+) = ((?:\s*\"[^\"]*\")+)", about) for source in sources("gst", "nats")
              for about in re.findall(r"const ElementAbout about = \{(.*?)\};", source, re.S)]
    abouts = [{key: "".join(re.findall('"(.*?)"', value)) for key, value in about} for about in abouts]

    def test_every_element_has_one(self):
        names = re.findall(r"GST_ELEMENT_REGISTER \((\w+),", read("gst", "plugin.c") + read("nats", "plugin", "plugin.c"))
        self.assertGreaterEqual(len(names), 8)
        self.assertEqual(sorted(about["name"] for about in self.abouts), sorted(names))

    def test_descriptions_are_short(self):
        for about in self.abouts:
            with self.subTest(element=about["name"]):
                self.assertRegex(about["description"], r"^[A-Z][^.]{20,119}$")
                self.assertRegex(about["example"], rf"\b{about['name']}\b")
                self.assertNotIn("\n", about["example"])
                self.assertLessEqual(len(about["example"]), 120)

    def test_pages(self):
        for about in self.abouts:
            with self.subTest(element=about["name"]):
                self.assertIn(f"`{about['name']}`", read(*about["page"].split("/")))
                self.assertRegex(read("README.md"), rf"`{about['name']}`.*\({re.escape(about['page'])}\)")

    def test_every_category_is_one_of_an_element(self):
        self.assertIn("GST_DEBUG_CATEGORY_INIT (category, about->name", read("gst", "tensor", "about.c"))
        for source in sources("gst", "nats"):
            if re.search(r"GST_(ELEMENT_)?(ERROR|WARNING|INFO|DEBUG|LOG)(_OBJECT)? \(", source):
                place = source.splitlines()[0]
                with self.subTest(file=place):
                    own = re.search(r"#define GST_CAT_DEFAULT", source)
                    shared = re.search(r'#include "(attention/private|encoder/filter|decoder/continualdecoder|encoder/continualencoder'
                                       r'|\w+/private)\.h"', source)
                    self.assertTrue(own or shared, "GST_CAT_DEFAULT is not defined")

    def test_every_number_of_the_statistics(self):
        source = re.search(r"gst_structure_new \(\"continual-stats\",(.*?)\);", read("gst", "host", "stats.c"), re.S)[1]
        fields = re.findall(r'"([\w-]+)", G_TYPE', source)
        for place in (("encoder", "continualfilter.c"), ("decoder", "continualdecoder.c"), ("attention", "output.c")):
            added = re.search(r"gst_structure_set \(stats,(.*?)\);", read("gst", *place), re.S)[1]
            fields += re.findall(r'"([\w-]+)", G_TYPE', added)
        self.assertEqual(len(fields), 15)
        rows = re.findall(r"^\| (`.*?) \| [^|]+ \| [^|]+ \|$", read("docs", "reliability.md"), re.M)
        documented = re.findall("`([\\w-]+)`", " ".join(rows))
        for field in fields:
            self.assertIn(field, documented)


class Links(unittest.TestCase):
    def test_pages_exist(self):
        for folder, _, files in os.walk(os.path.join(ROOT, "docs")):
            for name in files:
                if name.endswith(".md"):
                    for target in re.findall(r"\]\(([\w./-]+\.md)", read(folder, name)):
                        with self.subTest(page=name):
                            self.assertTrue(os.path.exists(os.path.join(folder, target)), target)


if __name__ == "__main__":
    if "--write" in sys.argv:
        page = TABLE.sub(lambda _: table_of_settings(), read("docs", "model-files.md"))
        with open(os.path.join(ROOT, "docs", "model-files.md"), "w", encoding="utf-8") as file:
            file.write(page)
        sys.exit()
    unittest.main(verbosity=2)
