#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets `model`, `snapshot`, `labels`, `checkpoint` and `config`.

usage: tests/fuzz/seeds.py    (writes tests/fuzz/models/, snapshots/, labels/, checkpoints/ and configs/)

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

SHARDS = b'{"metadata":{"total_size":16},"weight_map":{"a.w":"s1.safetensors","b":"s1.safetensors","n":"s2.safetensors"}}'

# An index, a NUL, and config.json, beside the shards that checkpoint.c writes
CHECKPOINTS = {
    "shards": SHARDS,
    "shards-config": SHARDS + b'\0{"model_type":"bert","hidden_size":8}',
    "aliases": SHARDS.replace(b'"total_size":16', b'"c.w":"a.w","d.n":"n","positions":"b"'),
    "alias-missing": SHARDS.replace(b'"total_size":16', b'"c.w":"d.w"'),
    "metadata-differs": SHARDS.replace(b'"total_size":16', b'"k":"w"'),
    "elsewhere": SHARDS.replace(b'"b":"s1', b'"b":"s2'),
    "too-few": SHARDS.replace(b'"b":"s1.safetensors",', b""),
    "too-many": SHARDS.replace(b'"b":', b'"c":"s1.safetensors","b":'),
    "missing": SHARDS.replace(b"s2", b"s3"),
    "up": SHARDS.replace(b"s2", b"../s2"),
    "config": b'\0{"model_type":"whisper","layers":[1,2.5,null,true,"x"]}',
    "config-broken": b'\0{"a":',
    "config-nul": b'\0{"a":1\0}',
    "nothing": b"",
}

# Beside the config.json of tests/golden-models: objects in objects, windows and rotary positions of every sort
CONFIGS = {
    "moonshine": b'{"model_type":"moonshine_streaming","encoder_config":{"num_hidden_layers":1,"sliding_windows":[[16,0]]}}',
    "moonshine-nothing": b'{"model_type":"moonshine_streaming"}',
    "moonshine-pairs": b'{"model_type":"moonshine_streaming_encoder","num_hidden_layers":2,"sliding_windows":[[1,2],[3]]}',
    "voxtral": b'{"model_type":"voxtral_realtime","audio_config":{"model_type":"voxtral_realtime_encoder","head_dim":null}}',
    "qwen2-sliding": b'{"model_type":"qwen2","use_sliding_window":true,"sliding_window":9,"max_window_layers":0}',
    "qwen3-types": b'{"model_type":"qwen3","num_hidden_layers":1,"use_sliding_window":true,"layer_types":["sliding_attention"]}',
    "mistral-null": b'{"model_type":"mistral","sliding_window":null,"num_key_value_heads":null}',
    "llama-scaled": b'{"model_type":"llama","rope_scaling":{"type":"linear","factor":2.0}}',
    "llama-old": b'{"model_type":"llama","rope_scaling":{},"rope_theta":500000.0,"mlp_bias":true,"attention_bias":true}',
    "llama-part": b'{"model_type":"llama","rope_parameters":{"rope_type":"default","partial_rotary_factor":0.5}}',
    "quantized": b'{"model_type":"mimi","quantization_config":{"bits":4}}',
}


def narrow(size):
    return size // 8 if size % 8 == 0 else size


def read_header(path):
    data = path.read_bytes()
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])


def describe(path):
    header = read_header(path)
    properties = read_header(path.parent / "io.safetensors")["__metadata__"].get("properties", "").split()
    # What config.json says, which this target has not
    given = ["nhead=2", "sequence_len=3"] if (path.parent / "config.json").exists() else []
    lines = given + ["!" + value for value in properties]
    lines += [f"{key}={value}" for key, value in sorted(header.pop("__metadata__", {}).items())]
    for name, tensor in header.items():
        if tensor["dtype"] == "I64":
            continue
        lines.append(" ".join([name, *(str(narrow(d)) for d in tensor["shape"])]))
    return ("\n".join(lines) + "\n").encode()


def snapshot(variant, right):
    """A head, positions, then halves, as doubles or as floats."""
    return bytes([variant, right]) + bytes(64) + struct.pack("<Q", 5) + bytes(56) + struct.pack("<16d", *[0.5] * 16)


def main():
    models = {path.parent.name: describe(path) for path in sorted(HERE.parent.glob("golden*/*/model.safetensors"))}
    configs = {path.parent.name: path.read_bytes() for path in sorted(HERE.parent.glob("golden-models/*/config.json"))} | CONFIGS
    snapshots = {f"{variant}-{right}": snapshot(variant, right) for variant in range(0, 50, 7) for right in (7, 6, 5, 3)}
    for folder, files in (
            ("models", models), ("snapshots", snapshots), ("labels", LABELS), ("checkpoints", CHECKPOINTS),
            ("configs", configs)):
        (HERE / folder).mkdir(exist_ok=True)
        for name, content in files.items():
            (HERE / folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
