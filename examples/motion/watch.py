#!/usr/bin/python3
# Pictures that are moved over, into the pipeline of README.md; what comes out of it, frame by frame.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves a view over a picture, or closer to it, perhaps turns what is seen, and prints one line for each frame:
seconds, label, score. Labels say where what is seen moves: left when the view goes right."""
import argparse
import math
import os

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstController", "1.0")
from gi.repository import Gst, GstController

from features import HERE, setting

MODEL = os.path.join(HERE, "motion.safetensors")
RATE = 30
# What videoflip does to a way (x to the right, y down), by its video-direction.
FLIPS = {
    "identity": lambda x, y: (x, y),
    "horiz": lambda x, y: (-x, y),
    "vert": lambda x, y: (x, -y),
    "90r": lambda x, y: (-y, x),
    "90l": lambda x, y: (y, -x),
    "180": lambda x, y: (-x, -y),
    "ul-lr": lambda x, y: (y, x),
    "ur-ll": lambda x, y: (-y, -x),
}
WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def flipped(label, flip):
    """What a label becomes when videoflip turns the picture."""
    if label not in WAYS:
        return label
    way = FLIPS[flip](*WAYS[label])
    return next(name for name, other in WAYS.items() if other == way)


def watch(source, crops=None, model=MODEL):
    """Runs `source`, a piece of a gst-launch line; returns [(seconds, label, score)]. `crops`: for the element named
    "crop", {property: [(seconds, value)]}, with straight lines between."""
    Gst.init(None)
    pipeline = Gst.parse_launch("%s ! %s ! %s model-path=%s ! %s ! fakesink" % (
        source, setting("MOTION_FRAMES"), setting("MOTION_ENCODER"), model, setting("MOTION_LABELER")))
    for name, points in (crops or {}).items():
        curve = GstController.InterpolationControlSource(mode=GstController.InterpolationMode.LINEAR)
        for seconds, value in points:
            curve.set(int(seconds * Gst.SECOND), value)
        pipeline.get_by_name("crop").add_control_binding(
            GstController.DirectControlBinding.new_absolute(pipeline.get_by_name("crop"), name, curve))
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    heard = []
    try:
        while True:
            message = bus.timed_pop_filtered(
                60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR | Gst.MessageType.ELEMENT)
            if message is None:
                raise TimeoutError("a minute without a frame: " + source)
            if message.type == Gst.MessageType.ERROR:
                raise RuntimeError("%s: %s" % message.parse_error())
            if message.type == Gst.MessageType.EOS:
                return heard
            if message.get_structure().get_name() == "class-label":
                value = message.get_structure().get_value
                heard.append((value("timestamp") / Gst.SECOND, value("label"), value("score")))
    finally:
        pipeline.set_state(Gst.State.NULL)


def size(picture):
    """Width and height of the first frame of `picture`, a piece of a gst-launch line."""
    Gst.init(None)
    pipeline = Gst.parse_launch(picture + " ! fakesink name=sink")
    pipeline.set_state(Gst.State.PAUSED)
    state, _, _ = pipeline.get_state(60 * Gst.SECOND)
    caps = pipeline.get_by_name("sink").get_static_pad("sink").get_current_caps()
    pipeline.set_state(Gst.State.NULL)
    if state != Gst.StateChangeReturn.SUCCESS or not caps:
        raise RuntimeError("no picture: " + picture)
    return [caps.get_structure(0).get_value(side) for side in ("width", "height")]


def moves(label, width, height, speed, frames, at=(0.5, 0.5)):
    """How a view of a picture is cropped so that what is seen moves this way: {property: [(seconds, value)]}, and for
    how many frames at most, as a picture has an end. `speed`: the part of the view's width that passes in a frame; at
    its edges, for towards and away. `at`: the part of the free room left of and above the view."""
    wide = min(width / 2.5, height * 4 / 7.5)
    if label in ("towards", "away"):
        frames = min(frames, int(math.log(4) / (2 * speed)))
        spans = [wide * 2 * math.exp(-2 * speed * frames * i / 16) for i in range(17)]
        spans = spans[::-1] if label == "away" else spans
    else:
        spans = [wide] * 2
    crops = {"left": [], "right": [], "top": [], "bottom": []}
    for low, high, whole, shape, part, way in (("left", "right", width, 1, at[0], WAYS.get(label, (0, 0))[0]),
                                               ("top", "bottom", height, 3 / 4, at[1], WAYS.get(label, (0, 0))[1])):
        if way:
            frames = min(frames, int((whole - shape * wide) / (speed * wide)))
        room = whole - shape * wide
        far = way * speed * wide * frames
        first = min(max(part * room, far), room + min(0, far))
        for i, span in enumerate(spans):
            # The view goes the other way than what is seen in it.
            begin = first - far * i if way else part * (whole - shape * span)
            crops[low].append((frames / RATE * i / (len(spans) - 1), begin))
            crops[high].append((frames / RATE * i / (len(spans) - 1), whole - shape * span - begin))
    return crops, frames


def pan(picture, label, speed=0.03, frames=60, flip="identity", at=(0.5, 0.5), model=MODEL):
    """What is seen when a view moves over a picture, a piece of a gst-launch line that gives it once."""
    crops, frames = moves(label, *size(picture), speed, frames, at)
    return watch("%s ! imagefreeze num-buffers=%d ! video/x-raw,framerate=%d/1 ! videocrop name=crop "
                 "! videoscale method=bilinear2 add-borders=false ! video/x-raw,width=160,height=120 ! videoflip video-direction=%s" % (
                     picture, frames, RATE, flip), crops, model)


def file_picture(path):
    return "filesrc location=%s ! decodebin ! videoconvert" % path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", help="a file")
    parser.add_argument("label", choices=[*WAYS, "towards", "away", "still"])
    parser.add_argument("--speed", type=float, default=0.03, help="part of the view's width in a frame")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--flip", choices=FLIPS, default="identity")
    options = parser.parse_args()
    for seen in pan(file_picture(options.picture), options.label, options.speed, options.frames, options.flip):
        print("%.3f\t%s\t%.3f" % seen)


if __name__ == "__main__":
    main()
