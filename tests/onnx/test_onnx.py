#!/usr/bin/python3
# onnxinference ! continualencoder ! classlabeler on video, against the same features as tensors (GStreamer 1.26)
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import random
import struct
import sys
import tempfile

SKIPPED = 77
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "classifier-1")
MODEL = os.path.join(GOLDEN, "model.safetensors")
SIDE, FEATURES, FRAMES, WINDOW = 8, 20, 30, 8
PIXELS = SIDE * SIDE * 3
VIDEO = f"video/x-raw,format=RGB,width={SIDE},height={SIDE},framerate=50/1"
CAMERA = f"videotestsrc pattern=zone-plate kx2=20 ky2=20 kt=20 num-buffers={FRAMES} ! {VIDEO}"

try:
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
except (ImportError, ValueError) as missing:
    print(f"SKIPPED: PyGObject for GStreamer is missing ({missing}): scripts/setup test")
    sys.exit(SKIPPED)


# The few words of protobuf that an ONNX file of three nodes needs
def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(op, inputs, output, *attributes):
    return b"".join([*(field(1, name) for name in inputs), field(2, output), field(3, op), field(4, op),
                     *(field(5, attribute) for attribute in attributes)])


def integer(name, value):
    return field(1, name) + field(3, value) + field(20, 2)


def value_info(name, element_type, shape):
    dims = b"".join(field(1, field(1, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, element_type) + field(2, dims)))


def onnx_model(weights):
    """uint8 pixels (1, H, W, 3) to float32 features (1, FEATURES): one product"""
    matrix = b"".join(struct.pack(f"<{FEATURES}f", *row) for row in weights)
    initializer = field(1, PIXELS) + field(1, FEATURES) + field(2, 1) + field(8, "weights") + field(9, matrix)
    graph = b"".join([
        field(1, node("Cast", ["image"], "floats", integer("to", 1))),
        field(1, node("Flatten", ["floats"], "flat", integer("axis", 1))),
        field(1, node("MatMul", ["flat", "weights"], "features")),
        field(2, "features"), field(5, initializer),
        field(11, value_info("image", 2, (1, SIDE, SIDE, 3))),
        field(12, value_info("features", 1, (1, FEATURES)))])
    return (field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))
            + field(14, field(1, "features") + field(2, "features")))


# What GStreamer 1.28 wants beside the model
MODELINFO = f"""[modelinfo]
version=1.0
group-id=features

[image]
id=image
type=uint8
dims=1,{SIDE},{SIDE},3
dir=input
ranges=0.0,255.0;0.0,255.0;0.0,255.0

[features]
id=features
type=float32
dims=1,{FEATURES}
dir=output
"""


def run(pipeline, feed=()):
    """The class-label messages of the pipeline"""
    labels = []
    if pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
        message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
        sys.exit("\n".join(map(str, message.parse_error())) if message else "the pipeline does not start, and says no reason")
    source = pipeline.get_by_name("in")
    for t, row in enumerate(feed):
        buffer = Gst.Buffer.new_wrapped(struct.pack(f"<{FEATURES}f", *row))
        buffer.pts, buffer.duration = t * Gst.SECOND // 50, Gst.SECOND // 50
        source.emit("push-buffer", buffer)
    if source:
        source.emit("end-of-stream")
    while True:
        message = pipeline.get_bus().timed_pop(60 * Gst.SECOND)
        if message is None:
            sys.exit("expected the end of the stream within a minute, found none")
        if message.type == Gst.MessageType.ERROR:
            sys.exit("\n".join(map(str, message.parse_error())))
        if message.type == Gst.MessageType.ELEMENT and message.get_structure().get_name() == "class-label":
            s = message.get_structure()
            labels.append((s.get_value("index"), s.get_value("score"), s.get_value("timestamp")))
        if message.type == Gst.MessageType.EOS:
            pipeline.set_state(Gst.State.NULL)
            return labels


def main():
    Gst.init(None)
    if not Gst.ElementFactory.find("onnxinference"):
        print("SKIPPED: the element onnxinference is missing: scripts/setup network, on a Debian 13 or newer")
        return SKIPPED
    rng = random.Random(1)
    weights = [[rng.uniform(-1, 1) / 1000 for _ in range(FEATURES)] for _ in range(PIXELS)]

    frames = []
    pipeline = Gst.parse_launch(f"{CAMERA} ! fakesink name=out signal-handoffs=true")
    pipeline.get_by_name("out").connect(
        "handoff", lambda _, buffer, pad: frames.append(buffer.extract_dup(0, buffer.get_size())))
    run(pipeline)
    features = [[sum(p * row[j] for p, row in zip(frame, weights)) for j in range(FEATURES)] for frame in frames]
    assert len(frames) == FRAMES and all(len(frame) == PIXELS for frame in frames)
    expected = run(Gst.parse_launch(
        "appsrc name=in format=time caps=other/tensors,format=static,num_tensors=1,types=(string)float32,"
        f"dimensions=(string){FEATURES},framerate=50/1 ! continualencoder model-path={MODEL}"
        " ! classlabeler softmax=false ! fakesink"), features)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "features.onnx")
        with open(path, "wb") as file:
            file.write(onnx_model(weights))
        with open(f"{path}.modelinfo", "w", encoding="utf-8") as file:
            file.write(MODELINFO)
        found = run(Gst.parse_launch(
            f"{CAMERA} ! onnxinference model-file={path} ! continualencoder model-path={MODEL}"
            " input-tensor=features ! classlabeler softmax=false ! fakesink"))
    assert len(found) == len(expected) == FRAMES - WINDOW + 1, (len(found), len(expected))
    assert len({label for label, _, _ in expected}) > 0
    for a, b in zip(found, expected):
        assert a[0] == b[0] and abs(a[1] - b[1]) < 1e-3 and a[2] == b[2], (a, b)
    return 0


sys.exit(main())
