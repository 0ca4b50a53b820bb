#!/usr/bin/python3
# Features from many machines through one model, each connection supervised
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Takes the features of other machines over TCP, runs them through one model, and prints a JSON line for each output:

    examples/embed/central.py --model model.safetensors camera-1:5000 camera-2:5000

On each of them, features with caps, times and events:

    gst-launch-1.0 … ! videototensor ! gdppay ! tcpserversink host=0.0.0.0 port=5000

A machine that is gone, or that sends features of another width, is called again every second; its stream begins anew when
it is back. Nobody waits for it.
Needs PyGObject, the plugin, and gdpdepay of GStreamer's "bad" plugins; export GST_PLUGIN_PATH=build/gst
"""
import argparse
import json
import signal
import struct
import sys
import threading

try:
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import GLib, Gst
except (ImportError, ValueError) as missing:
    sys.exit(f"central.py: PyGObject for GStreamer is missing ({missing}): run scripts/setup test, and /usr/bin/python3")

RETRY_MS = 1000


def apart(function, *args):
    """In a thread of its own: connecting may take long, and the others go on"""
    threading.Thread(target=function, args=args, daemon=True).start()


class Edge:
    """The connection to one machine: a branch that ends at a slot of the mux and is made to play again and again"""

    def __init__(self, pipeline, mux, slot, address):
        host, _, port = address.rpartition(":")
        self.pipeline, self.address = pipeline, address
        self.branch = Gst.parse_bin_from_description("tcpclientsrc name=source ! gdpdepay name=depay", True)
        source = self.branch.get_by_name("source")
        source.set_property("host", host)
        source.set_property("port", int(port))
        self.branch.set_locked_state(True)  # it may fail when the others don't
        pipeline.add(self.branch)
        self.src = self.branch.get_static_pad("src")
        self.src.link(mux.request_pad_simple(f"sink_{slot}"))
        self.src.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self.on_event)
        self.branch.get_by_name("depay").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, self.on_buffer)
        self.begun = self.waiting = False

    def connect(self):
        self.waiting = False
        self.begun = False
        apart(self.branch.set_state, Gst.State.PLAYING)
        return GLib.SOURCE_REMOVE

    def close(self):
        """From here on the pipeline stops it with the rest, in order: what it pushes into first."""
        self.waiting = True
        self.branch.set_locked_state(False)

    def lost(self, why):
        """In the main loop: whatever is left of the connection goes, and a new one is tried after a while."""
        if self.waiting:
            return
        self.waiting = True
        print(f"{self.address}: {why}, trying again", file=sys.stderr, flush=True)
        apart(self.disconnect, self.branch)

    def disconnect(self, branch):
        branch.set_state(Gst.State.NULL)
        GLib.timeout_add(RETRY_MS, self.connect)

    def on_event(self, pad, info):
        if info.get_event().type != Gst.EventType.EOS:
            return Gst.PadProbeReturn.OK
        # Of this connection, not of the stream.
        GLib.idle_add(self.lost, "closed")
        return Gst.PadProbeReturn.DROP

    def on_buffer(self, pad, info):
        """A stream's times begin where its machine began: here, the first vector is now."""
        if not self.begun:
            self.begun = True
            segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
            begin = segment.to_running_time(Gst.Format.TIME, info.get_buffer().pts)
            now = self.pipeline.get_clock().get_time() - self.pipeline.get_base_time()
            self.src.set_offset(now - begin)
        return Gst.PadProbeReturn.OK


class Central:
    def __init__(self, arguments):
        n = len(arguments.edges)
        self.pipeline = Gst.parse_launch(
            f"continualmux name=mux force-live=true max-streams={n} latency={arguments.latency * Gst.MSECOND}"
            " ! continualencoder name=encoder ! continualdemux name=demux "
            # Nothing prerolls: an edge that is absent has nothing to preroll with.
            + " ".join(f"demux.src_{k} ! queue ! appsink name=sink{k} sync=false async=false" for k in range(n)))
        self.pipeline.get_by_name("encoder").set_property("model-path", arguments.model)
        mux = self.pipeline.get_by_name("mux")
        self.edges = [Edge(self.pipeline, mux, k, address) for k, address in enumerate(arguments.edges)]
        for k, address in enumerate(arguments.edges):
            sink = self.pipeline.get_by_name(f"sink{k}")
            sink.set_property("emit-signals", True)
            sink.connect("new-sample", self.on_sample, address)
        self.printing = threading.Lock()  # each edge has a thread
        self.loop = GLib.MainLoop()
        self.status = 0

    def on_sample(self, sink, address):
        buffer = sink.emit("pull-sample").get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        line = json.dumps({"edge": address, "time": buffer.pts / Gst.SECOND,
                           "scores": struct.unpack(f"<{len(data) // 4}f", data)})
        with self.printing:
            print(line, flush=True)
        return Gst.FlowReturn.OK

    def on_message(self, bus, message):
        if message.type == Gst.MessageType.WARNING:
            print(message.parse_warning()[0].message, file=sys.stderr, flush=True)
        elif message.type == Gst.MessageType.ERROR:
            error = message.parse_error()[0]
            for edge in self.edges:
                if message.src.has_as_ancestor(edge.branch):
                    edge.lost(error.message)
                    return
            print(error.message, file=sys.stderr)
            self.status = 1
            self.loop.quit()

    def run(self):
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        for number in (signal.SIGINT, signal.SIGTERM):
            # PyGObject's main loop wakes up for Python's handlers. In the loop: it may not run yet.
            signal.signal(number, lambda *_: GLib.idle_add(self.loop.quit))
        # Before any edge: a locked branch that failed would fail each later change of the pipeline.
        if self.pipeline.set_state(Gst.State.PLAYING) != Gst.StateChangeReturn.FAILURE:
            for edge in self.edges:
                edge.connect()
        self.loop.run()
        for edge in self.edges:
            edge.close()
        self.pipeline.set_state(Gst.State.NULL)
        return self.status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a safetensors file")
    parser.add_argument("--latency", type=int, default=200, help="ms that the others wait for one: what the network jitters")
    parser.add_argument("edges", nargs="+", metavar="HOST:PORT")
    arguments = parser.parse_args()
    Gst.init(None)
    for name in ("continualmux", "gdpdepay", "tcpclientsrc"):
        if not Gst.ElementFactory.find(name):
            sys.exit(f"central.py: expected the element {name}, found none: export GST_PLUGIN_PATH=build/gst, and install "
                     "gstreamer1.0-plugins-base and gstreamer1.0-plugins-bad")
    sys.exit(Central(arguments).run())


main()
