#!/usr/bin/env python3
# libcontinual: writes the safetensors files that the reader must take (valid/) or refuse (invalid/)
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each directory gets a MANIFEST of tab-separated lines. valid/: FILE, TENSOR, shape ("2,3"; "" for a
scalar), values; or FILE, __metadata__, key, value; or FILE, __buffer__, TENSOR, dtype. invalid/: FILE, a fragment of the message expected.
Needs nothing but Python; the files are committed, so that nobody has to run it to test."""
import io
import json
import pathlib
import shutil
import struct
import zipfile

HERE = pathlib.Path(__file__).parent
NOT_SAFETENSORS = "not a safetensors file"


def raw(header, data=b"", length=None):
    """A file of a header (bytes, str or object), its length unless given, and data."""
    if not isinstance(header, (bytes, str)):
        header = json.dumps(header, ensure_ascii=False, separators=(",", ":"))
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def info(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def one(**changes):
    """A header of one tensor "a" of two F32, changed."""
    return {"a": {**info("F32", [2], 0, 8), **changes}}


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def halves(*bits):
    return struct.pack(f"<{len(bits)}H", *bits)


def doubles(*values):
    return struct.pack(f"<{len(values)}d", *values)


def archive(*names):
    """A zip of files with these names, as a PyTorch writer makes it: nothing compressed, data before the directory."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(name), b"\0" * 600)
    return content.getvalue()


def integers(*dtypes):
    """Two elements of each of these types, between two halves of a float tensor's file."""
    header, at = {"a": info("F32", [2], 0, 8)}, 8
    for dtype, size in dtypes:
        header[dtype.lower()] = info(dtype, [2], at, at + 2 * size)
        at += 2 * size
    header["z"] = info("F32", [1], at, at + 4)
    return raw(header, TWO + b"\xff" * (at - 8) + floats(7))


def values(*numbers):
    return " ".join(float(x).hex() for x in numbers)


TWO = floats(1, -2)
INTEGERS = [("BOOL", 1), ("U8", 1), ("I8", 1), ("U16", 2), ("I16", 2), ("U32", 4), ("I32", 4), ("U64", 8), ("I64", 8)]
ONE_LINE = ("a", "2", values(1, -2))

VALID = {
    "no-tensors": (raw({}), []),
    "f32": (raw({"w": info("F32", [2, 3], 0, 24)}, floats(1, 2.5, -3, 2**-149, -0.0, 2**127)),
            [("w", "2,3", values(1, 2.5, -3, 2**-149, -0.0, 2**127))]),
    "f16": (raw({"w": info("F16", [5], 0, 10)}, halves(0x3c00, 0xc100, 0x0001, 0x8400, 0x7bff)),
            [("w", "5", values(1, -2.5, 2**-24, -2**-14, 65504))]),
    "bf16": (raw({"w": info("BF16", [4], 0, 8)}, halves(0x3f80, 0xc020, 0x0001, 0x7f00)),
             [("w", "4", values(1, -2.5, 2**-133, 2**127))]),
    "f64": (raw({"w": info("F64", [4], 0, 32)}, doubles(1, 1 + 2**-30, -2**-149, 1e-300)),
            [("w", "4", values(1, 1, -2**-149, 0))]),
    "scalar": (raw({"s": info("F32", [], 0, 4)}, floats(7)), [("s", "", values(7))]),
    "eight-dimensions": (raw(one(shape=[1, 1, 2, 1, 1, 1, 1, 1]), TWO),
                         [("a", "1,1,2,1,1,1,1,1", values(1, -2))]),
    "zero-elements": (raw({"e": info("F32", [0], 0, 0)}), [("e", "0", "")]),
    "zero-elements-between": (
        raw({"a": info("F32", [1], 0, 4), "e": info("F16", [3, 0], 4, 4), "b": info("F32", [1], 4, 8)}, TWO),
        [("a", "1", values(1)), ("b", "1", values(-2)), ("e", "3,0", "")]),
    "zero-elements-first": (raw({"a": info("F32", [2], 0, 8), "e": info("F64", [0, 9], 0, 0)}, TWO),
                            [ONE_LINE, ("e", "0,9", "")]),
    "other-order": (
        raw({"a": info("F32", [1], 8, 12), "c": info("F32", [1], 4, 8), "b": info("F32", [1], 0, 4)},
            floats(1, 2, 3)),
        [("a", "1", values(3)), ("b", "1", values(1)), ("c", "1", values(2))]),
    "misaligned-header": (raw(json.dumps(one(), separators=(",", ":")).ljust(61), TWO), [ONE_LINE]),
    "misaligned-tensors": (
        raw({"h": info("F16", [1], 0, 2), "f": info("F32", [2], 2, 10), "d": info("F64", [1], 10, 18)},
            halves(0x3c00) + TWO + doubles(5)),
        [("d", "1", values(5)), ("f", "2", values(1, -2)), ("h", "1", values(1))]),
    "padded": (raw(json.dumps(one()) + " " * 40, TWO), [ONE_LINE]),
    "spaced": (raw(json.dumps(one(), indent=2), TWO), [ONE_LINE]),
    "metadata": (raw({"__metadata__": {"nhead": "4", "labels": '["yes","no"]', "": "é"}, **one()}, TWO),
                 [ONE_LINE, ("__metadata__", "nhead", "4"), ("__metadata__", "labels", '["yes","no"]'),
                  ("__metadata__", "", "é")]),
    "metadata-empty": (raw({**one(), "__metadata__": {}}, TWO), [ONE_LINE]),
    "name-unicode": (raw({"poids.été.🎹": info("F32", [2], 0, 8)}, TWO),
                     [("poids.été.🎹", "2", values(1, -2))]),
    "name-escaped": (raw('{"\\u0061":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', TWO), [ONE_LINE]),
    "name-empty": (raw({"": info("F32", [2], 0, 8)}, TWO), [("", "2", values(1, -2))]),
    # integers and booleans: skipped, wherever they are
    "integers": (integers(*INTEGERS), [ONE_LINE, ("z", "1", values(7))]
                 + [("__buffer__", dtype.lower(), dtype) for dtype, size in INTEGERS]),
    "integers-first": (raw({"n": info("I64", [], 0, 8), "mask": info("BOOL", [3], 8, 11), "a": info("F32", [2], 11, 19)},
                           b"\2" * 11 + TWO),
                       [ONE_LINE, ("__buffer__", "n", "I64"), ("__buffer__", "mask", "BOOL")]),
    "integers-only": (raw({"n": info("I64", [], 0, 8)}, b"\0" * 8), [("__buffer__", "n", "I64")]),
    "integers-empty": (raw({"n": info("I32", [0], 0, 0), **one()}, TWO), [ONE_LINE, ("__buffer__", "n", "I32")]),
}

A = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
OFFSETS = '{"a":{"dtype":"F32","shape":[2],"data_offsets":%s}}'
SHAPE = '{"a":{"dtype":"F32","shape":%s,"data_offsets":[0,8]}}'

ONNX = b"\x08\x07\x12\x07pytorch\x1a\x052.1.0:\x80\x02" + bytes(400)

# Files of other formats: what the message says they are, and the way out
FOREIGN = {
    "foreign-pt": (archive("archive/data.pkl", "archive/data/0", "archive/version"),
                   "found a PyTorch file, as torch.save() writes it (.pt, .pth, .bin); convert it with `examples/export.py"),
    "foreign-pt-late": (archive(*(f"best/data/{i}" for i in range(8)), "best/data.pkl"), "found a PyTorch file"),
    "foreign-torchscript": (archive("m/data/0", "m/data.pkl", "m/code/__torch__.py", "m/constants.pkl"),
                            "found a TorchScript archive; save its weights in PyTorch"),
    "foreign-torch-export": (archive("m/archive_format", "m/models/model.json"), "found a torch.export archive (.pt2)"),
    "foreign-keras": (archive("metadata.json", "config.json", "model.weights.h5"), "found a Keras archive"),
    "foreign-npz": (archive("w.npy"), "found a NumPy archive"),
    "foreign-zip": (archive("model.safetensors"), "found a zip archive; unpack it"),
    "foreign-zip-empty": (archive(), "found a zip archive"),
    "foreign-pickle": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "found a pickle, as old torch.save() writes it"),
    "foreign-pickle-short": (b"\x80\x04N.", "found a Python pickle"),
    "foreign-onnx": (ONNX, "found an ONNX graph (.onnx); export the PyTorch module"),
    "foreign-onnx-bare": (b"\x08\x03:\x05" + bytes(5), "found an ONNX graph"),
    "foreign-gguf": (b"GGUF\x03\0\0\0" + bytes(24), "found a GGUF file"),
    "foreign-hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "found an HDF5 file"),
    "foreign-npy": (b"\x93NUMPY\x01\0v\0{'descr': '<f4'}\n", "found a NumPy array"),
    "foreign-git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n",
                        "found a Git LFS pointer in the place of the file; run `git lfs pull`"),
    "foreign-json": (b'{"architectures": ["BertModel"]}', "such as a config.json or a shard index; give the path"),
    # none of these, though they begin like one
    "almost-onnx": (b"\x08\x03" + bytes(3) + b"\1" * 9, NOT_SAFETENSORS),
    "almost-pickle": (b"\x80\x01" + bytes(3) + b"\1" * 9, NOT_SAFETENSORS),
    "almost-safetensors": (raw("{}", length=0x3a0308), "expected a header of 3801864 bytes, found 2"),
}

INVALID = {
    **FOREIGN,
    # the length
    "empty-file": (b"", "found 0 bytes in all"),
    "seven-bytes": (b"\x02\0\0\0\0\0\0", "found 7 bytes in all"),
    "length-alone": (b"\x02\0\0\0\0\0\0\0", "found 0 bytes after its length"),
    "length-zero": (raw("{}", length=0), "at least 2 bytes ({}), found a length of 0"),
    "length-one": (raw("{}", length=1), "at least 2 bytes ({}), found a length of 1"),
    "length-beyond-file": (raw("{}", length=3), "expected a header of 3 bytes, found 2"),
    "length-beyond-limit": (raw("{}", length=10**8 + 1), "at most 100000000 bytes, found a length of 100000001"),
    "length-2-63": (raw("{}", length=2**63), "found a length of 9223372036854775808"),
    "length-2-64-less-1": (raw("{}", length=2**64 - 1), "found a length of 18446744073709551615"),
    "length-big-endian": (struct.pack(">Q", 2) + b"{}", NOT_SAFETENSORS),
    "length-short-of-header": (raw("{" + A + "}", TWO, length=40), "header in JSON"),
    # the JSON
    "not-an-object": (raw("[1]"), "begins with '{', found byte 0x5b"),
    "space-first": (raw(" {}"), "begins with '{', found byte 0x20"),
    "byte-order-mark": (raw("\ufeff{}"), "begins with '{', found byte 0xef"),
    "nested": (raw('{"a":' + "[" * 3000), "maximum parsing depth reached"),
    "nested-objects": (raw('{"a":' * 3000), "maximum parsing depth reached"),
    "unclosed": (raw("{" + A, TWO), "header in JSON, found an error"),
    "trailing-text": (raw("{" + A + "}x", TWO), "end of file expected"),
    "trailing-nul": (raw("{" + A + "}\0", TWO), "header in JSON, found a NUL"),
    "nul-behind-number": (raw("{" + A.replace("[2]", "[2\0]") + "}", TWO), "header in JSON, found a NUL"),
    "trailing-comma": (raw("{" + A + ",}", TWO), "header in JSON, found an error"),
    "comment": (raw("{/**/" + A + "}", TWO), "header in JSON, found an error"),
    "single-quotes": (raw("{'a':1}"), "header in JSON, found an error"),
    "unquoted-key": (raw("{a:1}"), "header in JSON, found an error"),
    "not-utf-8": (raw(b'{"\xff":1}'), "unable to decode byte 0xff"),
    "utf-8-overlong": (raw(b'{"\xc0\x80":1}'), "unable to decode byte 0xc0"),
    "utf-8-surrogate": (raw(b'{"\xed\xa0\x80":1}'), "unable to decode byte"),
    "lone-surrogate": (raw('{"\\ud800":1}'), "invalid Unicode"),
    "utf-16": (raw("{}".encode("utf-16-le")), "header in JSON, found a NUL"),
    "key-with-nul": (raw('{"a\\u0000":' + A[4:] + "}", TWO), "header in JSON, found an error"),
    "key-with-newline": (raw('{"a\n":1}'), "header in JSON, found an error"),
    "duplicate-tensors": (raw("{" + A + "," + A + "}", TWO), "duplicate object key"),
    "duplicate-escaped": (raw("{" + A + "," + A.replace("a", "\\u0061", 1) + "}", TWO), "duplicate object key"),
    "duplicate-dtype": (raw('{"a":{"dtype":"F16",' + A[5:] + "}", TWO), "duplicate object key"),
    "duplicate-metadata": (raw('{"__metadata__":{},"__metadata__":{}}'), "duplicate object key"),
    "duplicate-metadata-key": (raw('{"__metadata__":{"k":"1","k":"2"}}'), "duplicate object key"),
    # the metadata
    "metadata-nested": (raw({"__metadata__": {"a": {"b": "c"}}}), "value of 'a' to be a string, found an object"),
    "metadata-number": (raw({"__metadata__": {"nhead": 4}}), "value of 'nhead' to be a string, found 4"),
    "metadata-null": (raw({"__metadata__": {"nhead": None}}), "value of 'nhead' to be a string, found null"),
    "metadata-true": (raw({"__metadata__": {"norm_first": True}}), "to be a string, found true"),
    "metadata-nul": (raw('{"__metadata__":{"k":"a\\u0000b"}}'), "header in JSON, found an error"),
    "metadata-array": (raw({"__metadata__": []}), "__metadata__: expected an object, found an array of 0 items"),
    "metadata-is-null": (raw({"__metadata__": None}), "__metadata__: expected an object, found null"),
    "metadata-is-a-tensor": (raw({"__metadata__": info("F32", [2], 0, 8)}, TWO), "to be a string, found an array"),
    # a tensor's description
    "tensor-number": (raw({"a": 1}), "tensor 'a': expected an object of dtype, shape and data_offsets, found 1"),
    "tensor-array": (raw({"a": []}), "expected an object of dtype, shape and data_offsets, found an array"),
    "tensor-empty": (raw({"a": {}}), "found an object of 0 members"),
    "tensor-more-members": (raw(one(scale=2), TWO), "found an object of 4 members"),
    "no-dtype": (raw({"a": {"type": "F32", "shape": [2], "data_offsets": [0, 8]}}, TWO),
                 "dtype of F32, F16, BF16 or F64 (integers and booleans are skipped), found nothing"),
    "no-shape": (raw({"a": {"dtype": "F32", "size": [2], "data_offsets": [0, 8]}}, TWO),
                 "expected a shape, an array of at most 8 dimensions, found nothing"),
    "no-offsets": (raw({"a": {"dtype": "F32", "shape": [2], "offsets": [0, 8]}}, TWO),
                   "expected data_offsets, an array of 2 numbers, found nothing"),
    "name-with-escape": (raw({"\x1b[2J\n\u202e": 1}), "tensor '\\u001b[2J\\u000a\\u202e'"),
    "name-long": (raw({"n" * 1000: 1}), "tensor '" + "n" * 120 + "...'"),
    # dtypes
    "dtype-f8": (raw({"w": info("F8_E4M3", [2], 0, 2)}, b"\0\0"),
                 "dtype of F32, F16, BF16 or F64 (integers and booleans are skipped), found 'F8_E4M3'; dequantize it"),
    "dtype-f8-scale": (raw({"w": info("F8_E8M0", [2], 0, 2)}, b"\0\0"), "tensor 'w': expected a dtype of F32"),
    "dtype-f4": (raw({"w": info("F4", [2], 0, 1)}, b"\0"), "found 'F4'; dequantize it"),
    "dtype-complex": (raw({"w": info("C64", [1], 0, 8)}, b"\0" * 8), "found 'C64'; models with complex weights cannot run"),
    "dtype-u4": (raw({"w": info("U4", [2], 0, 1)}, b"\0"), "found 'U4'; convert it with tensor.float()"),
    "dtype-unknown": (raw(one(dtype="F33"), TWO), "found 'F33'"),
    "dtype-lower-case": (raw(one(dtype="f32"), TWO), "found 'f32'"),
    "dtype-number": (raw(one(dtype=32), TWO), "skipped), found 32"),
    # integers are skipped, and validated before
    "integer-shape": (raw({"n": info("I64", [2], 0, 8)}, b"\0" * 8), "16 bytes apart for 2 elements of I64, found 0 to 8"),
    "integer-bool-bytes": (raw({"n": info("BOOL", [8], 0, 1)}, b"\0"), "8 bytes apart for 8 elements of BOOL, found 0 to 1"),
    "integer-overflow": (raw({"n": info("I32", [2**63 - 1], 0, 8)}, b"\0" * 8), "found 9223372036854775807 elements of I32"),
    "integer-overlaps": (raw({"a": info("F32", [2], 0, 8), "n": info("I32", [1], 4, 8)}, TWO),
                         "tensor 'n': expected its data at byte 8"),
    "integer-truncated": (raw({"a": info("F32", [2], 0, 8), "n": info("I64", [1], 8, 16)}, TWO),
                          "expected 16 bytes of data for its tensors, found 8"),
    # shapes
    "shape-number": (raw(one(shape=2), TWO), "expected a shape, an array of at most 8 dimensions, found 2"),
    "shape-nine-dimensions": (raw(one(shape=[1] * 8 + [2]), TWO), "found an array of 9 items"),
    "shape-negative": (raw(one(shape=[-2]), TWO), "expected dimension 0 to be a whole number, not negative, found -2"),
    "shape-two-negatives": (raw(one(shape=[-1, -2]), TWO), "dimension 0 to be a whole number, not negative, found -1"),
    "shape-fraction": (raw(one(shape=[1, 2.0]), TWO), "expected dimension 1 to be a whole number, not negative, found the fractional number 2"),
    "shape-string": (raw(one(shape=["2"]), TWO), "dimension 0 to be a whole number, not negative, found '2'"),
    "shape-true": (raw(one(shape=[True, 2]), TWO), "found true"),
    "shape-exponent": (raw(SHAPE % "[2e0]", TWO), "found the fractional number 2"),
    "shape-2-64": (raw(SHAPE % "[18446744073709551616]", TWO), "too big integer"),
    "shape-product-overflows": (raw(one(shape=[2**32, 2**32]), TWO), "product overflows"),
    "shape-product-wraps-to-size": (raw(one(shape=[2**62 + 1, 4, 2**62 - 1]), TWO), "product overflows"),
    "shape-bytes-overflow": (raw(one(shape=[2**62]), TWO), "found 4611686018427387904 elements of F32"),
    "shape-zero-overflows": (raw({"a": info("F32", [2**62, 2**62, 0], 0, 0)}), "product overflows"),
    "shape-too-large": (raw(one(shape=[3]), TWO), "12 bytes apart for 3 elements of F32, found 0 to 8"),
    "shape-too-small": (raw(one(shape=[1]), TWO), "4 bytes apart for 1 elements of F32, found 0 to 8"),
    "shape-huge": (raw(one(shape=[2**40], data_offsets=[0, 2**42]), TWO), "expected 4398046511104 bytes of data for its tensors, found 8"),
    # offsets
    "offsets-number": (raw(one(data_offsets=0), TWO), "data_offsets, an array of 2 numbers, found 0"),
    "offsets-one": (raw(one(data_offsets=[0]), TWO), "found an array of 1 items"),
    "offsets-three": (raw(one(data_offsets=[0, 8, 8]), TWO), "found an array of 3 items"),
    "offsets-negative": (raw(one(data_offsets=[-8, 0]), TWO), "data_offsets to be whole numbers, not negative, found -8"),
    "offsets-fraction": (raw(one(data_offsets=[0, 8.5]), TWO), "found the fractional number 8.5"),
    "offsets-real": (raw(one(data_offsets=[0.0, 8.0]), TWO), "found the fractional number 0"),
    "offsets-string": (raw(one(data_offsets=["0", "8"]), TWO), "not negative, found '0'"),
    "offsets-null": (raw(one(data_offsets=[None, 8]), TWO), "not negative, found null"),
    "offsets-2-63": (raw(OFFSETS % "[0,9223372036854775808]", TWO), "too big integer"),
    "offsets-2-64-less-1": (raw(OFFSETS % "[0,18446744073709551615]", TWO), "too big integer"),
    "offsets-2-64-wraps": (raw(OFFSETS % "[18446744073709551608,0]", TWO), "too big integer"),
    "offsets-real-overflow": (raw(OFFSETS % "[0,1e400]", TWO), "real number overflow"),
    "offsets-leading-zero": (raw(OFFSETS % "[0,08]", TWO), "header in JSON, found an error"),
    "offsets-hexadecimal": (raw(OFFSETS % "[0,0x8]", TWO), "header in JSON, found an error"),
    "offsets-backwards": (raw(one(data_offsets=[8, 0]), TWO), "found 8 to 0"),
    "offsets-backwards-wrap": (
        raw({"a": info("F32", [2], 0, 8), "b": info("F64", [2**61 - 1], 8, 0)}), "found 8 to 0"),
    # the tiling
    "overlap": (raw({"a": info("F32", [2], 0, 8), "b": info("F32", [2], 4, 12)}, floats(1, 2, 3)),
                "tensor 'b': expected its data at byte 8, where the data before it ends, found 4: they overlap"),
    "same-data": (raw({"a": info("F32", [2], 0, 8), "b": info("F32", [2], 0, 8)}, TWO), "found 0: they overlap"),
    "gap": (raw({"a": info("F32", [1], 0, 4), "b": info("F32", [1], 8, 12)}, floats(1, 2, 3)),
            "tensor 'b': expected its data at byte 4, where the data before it ends, found 8: there is a gap"),
    "gap-first": (raw(one(data_offsets=[4, 12]), floats(1, 2, 3)), "found 4: there is a gap"),
    "zero-elements-inside": (raw({**one(), "e": info("F32", [0], 4, 4)}, TWO), "tensor 'e': expected its data at byte 8"),
    "zero-elements-beyond": (raw({**one(), "e": info("F32", [0], 12, 12)}, TWO), "there is a gap"),
    "zero-elements-with-data": (raw({"e": info("F32", [0], 0, 8)}, TWO), "0 bytes apart for 0 elements"),
    "short-by-one": (raw(one(), TWO[:-1]), "expected 8 bytes of data for its tensors, found 7: the file is truncated"),
    "no-data": (raw(one()), "expected 8 bytes of data for its tensors, found 0: the file is truncated"),
    "trailing-byte": (raw(one(), TWO + b"\0"), "found 9: something was added"),
    "data-without-tensors": (raw({}, TWO), "expected 0 bytes of data for its tensors, found 8"),
    # values
    "nan": (raw(one(), floats(1, float("nan"))), "tensor 'a': expected values that are finite in float32, found nan at index 1 of 2"),
    "f32-infinity": (raw(one(), floats(float("-inf"), 1)), "found -inf at index 0 of 2"),
    "f16-infinity": (raw({"a": info("F16", [2], 0, 4)}, halves(0, 0x7c00)), "found inf at index 1 of 2"),
    "f16-nan": (raw({"a": info("F16", [2], 0, 4)}, halves(0, 0x7c01)), "found nan at index 1 of 2"),
    "bf16-infinity": (raw({"a": info("BF16", [2], 0, 4)}, halves(0xff80, 0)), "found -inf at index 0 of 2"),
    "f64-infinity": (raw({"a": info("F64", [1], 0, 8)}, doubles(float("inf"))), "found inf at index 0 of 1"),
    "f64-beyond-float": (raw({"a": info("F64", [3], 0, 24)}, doubles(1, 2, -1e300)), "found -1e+300 at index 2 of 3"),
}


def write(directory, files):
    folder = HERE / directory
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    manifest = []
    for name, (content, expected) in sorted(files.items()):
        (folder / f"{name}.safetensors").write_bytes(content)
        lines = [(expected,)] if isinstance(expected, str) else expected or [()]
        manifest += ["\t".join((f"{name}.safetensors", *line)) for line in lines]
    (folder / "MANIFEST").write_text("\n".join(manifest) + "\n", encoding="utf-8")


write("valid", VALID)
write("invalid", INVALID)
