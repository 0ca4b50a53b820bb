# Writes safetensors files with the standard library alone
# SPDX-License-Identifier: LGPL-2.1-or-later
import ctypes
import json
import struct

from .model import Refused, torch


def tensor_bytes(name, tensor):
    """dtype, shape and bytes of a torch tensor, or of anything with numpy()"""
    if torch is not None and torch.is_tensor(tensor):
        dtypes = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64"}
        tensor, dtype = tensor.cpu().contiguous(), dtypes.get(tensor.dtype)
        if dtype:
            return dtype, list(tensor.shape), ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())
    else:
        tensor = tensor.numpy() if hasattr(tensor, "numpy") else tensor
        dtype = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}.get(str(tensor.dtype))
        if dtype:
            return dtype, list(tensor.shape), tensor.tobytes()
    raise Refused(f"{name} is of type {tensor.dtype}: expected float32, float16, bfloat16 or float64")


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, []
    offset = 0
    for name, tensor in sorted(tensors.items()):
        dtype, shape, content = tensor_bytes(name, tensor)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(content)]}
        data.append(content)
        offset += len(content)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        file.writelines(data)
