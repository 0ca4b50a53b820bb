#!/usr/bin/python3
# A model inside a Python application: a live bar chart of its class scores in the terminal
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows the class scores of a live stream as bars in the terminal, or as plain lines if that is none.

    examples/embed/bars.py                 the keyword-spotting example's recording
    examples/embed/bars.py --live          the microphone
    examples/embed/bars.py LINE            any gst-launch line that ends in class scores:
        examples/embed/bars.py 'v4l2src ! … ! continualencoder model-path=model.safetensors'

Needs PyGObject and the plugin: scripts/setup test; export GST_PLUGIN_PATH=build/gst
"""
import argparse
import collections
import json
import os
import shlex
import shutil
import signal
import sys

try:
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import GLib, Gst
except (ImportError, ValueError) as missing:
    sys.exit(f"bars.py: PyGObject for GStreamer is missing ({missing}): run scripts/setup test, and /usr/bin/python3")

KEYWORDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "keyword-spotting")
EIGHTHS = " ▏▎▍▌▋▊▉█"


def keyword_line(source):
    """The keyword-spotting example, with the settings that its model was trained with"""
    with open(os.path.join(KEYWORDS, "pipeline.sh"), encoding="utf-8") as file:
        settings = dict(line.rstrip("\n").split("=", 1) for line in file if line.startswith("KWS_"))
    mel, encoder = (shlex.split(settings[key])[0] for key in ("KWS_MEL", "KWS_ENCODER"))
    model = os.path.join(KEYWORDS, "words.safetensors")
    return f"{source} ! audioconvert ! audioresample ! {mel} ! continualencoder model-path={quote(model)} {encoder}"


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Chart:
    """Scores from 0 to 1 on a terminal: drawn over what it drew before"""

    def __init__(self, out):
        self.out = out
        self.height = 0
        try:
            EIGHTHS.encode(out.encoding or "ascii")
            self.eighths = EIGHTHS
        except UnicodeEncodeError:
            self.eighths = " #"

    def bar(self, score, width):
        steps = len(self.eighths) - 1
        full, rest = divmod(round(min(max(score, 0), 1) * width * steps), steps)
        return (self.eighths[-1] * full + self.eighths[rest]).ljust(width)[:width]

    def draw(self, seconds, best, scores):
        columns, rows = shutil.get_terminal_size()
        scores = scores[:max(1, rows - 2)]
        names = min(max(len(label) for label, _ in scores), columns // 3)
        width = max(1, columns - names - 8)
        lines = [f"{seconds:.2f} s"]
        for label, score in scores:
            line = f"{label[:names]:>{names}} {self.bar(score, width)} {score:5.3f}"
            lines.append(f"\033[1m{line}\033[0m" if label == best else line)
        up = f"\033[{self.height}A" if self.height else ""
        self.out.write(up + "".join(f"\r\033[K{line}\n" for line in lines) + "\033[J")
        self.out.flush()
        self.height = len(lines)


class Application:
    def __init__(self, line, sync, out):
        self.out = out
        self.chart = Chart(out) if out.isatty() else None
        self.answers = collections.deque(maxlen=1 if self.chart else None)
        self.failed = False
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(
            f"{line} ! classlabeler format=json top-k={GLib.MAXINT32} ! appsink name=answers emit-signals=true")
        sink = self.pipeline.get_by_name("answers")
        sink.set_property("sync", sync)
        sink.connect("new-sample", self.on_sample)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)
        bus.connect("message::warning", self.on_warning)
        bus.connect("message::eos", lambda *_: self.loop.quit())

    def on_sample(self, sink):
        """In the pipeline's thread: only hands it over to the main loop"""
        buffer = sink.emit("pull-sample").get_buffer()
        self.answers.append(json.loads(buffer.extract_dup(0, buffer.get_size()).split(b"\n")[0]))
        if not self.chart:
            GLib.idle_add(self.show)
        return Gst.FlowReturn.OK

    def on_error(self, _bus, message):
        error, _debug = message.parse_error()
        print(f"bars.py: {message.src.get_name()}: {error.message}", file=sys.stderr)
        self.failed = True
        self.loop.quit()

    def on_warning(self, _bus, message):
        error, _debug = message.parse_warning()
        print(f"bars.py: {message.src.get_name()}: {error.message}", file=sys.stderr)

    def show(self):
        while self.answers:
            answer = self.answers.popleft()
            seconds = (answer["timestamp"] or 0) / Gst.SECOND
            # In the order of the model, so that no bar changes its place.
            scores = [(item["label"], item["score"])
                      for item in sorted(answer.get("top", [answer]), key=lambda item: item["index"])]
            if self.chart:
                self.chart.draw(seconds, answer["label"], scores)
            else:
                print(f"{seconds:.3f}", *(f"{label}={score:.3f}" for label, score in scores), sep="\t", file=self.out)
        return GLib.SOURCE_REMOVE

    def interrupt(self, _number, _frame):
        self.pipeline.send_event(Gst.Event.new_eos())

    def run(self):
        signal.signal(signal.SIGINT, self.interrupt)
        if self.chart:
            GLib.timeout_add(50, lambda: self.show() or GLib.SOURCE_CONTINUE)
        try:
            if self.pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
                self.failed = True
                bus = self.pipeline.get_bus()
                while message := bus.pop_filtered(Gst.MessageType.ERROR):
                    self.on_error(bus, message)
            else:
                self.loop.run()
        finally:
            self.pipeline.set_state(Gst.State.NULL)
        self.show()
        return not self.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("line", nargs="?", metavar="LINE", help="up to the element that gives the scores")
    parser.add_argument("--live", action="store_true", help="the microphone and the keyword-spotting example")
    parser.add_argument("--fast", action="store_true", help="as fast as it goes, not in real time")
    args = parser.parse_args()
    if args.live and args.line:
        parser.error("either --live or a LINE")
    recording = f"filesrc location={quote(os.path.join(KEYWORDS, 'recording.flac'))} ! flacparse ! flacdec"
    Gst.init(None)
    try:
        application = Application(args.line or keyword_line("autoaudiosrc" if args.live else recording),
                                  not args.fast, sys.stdout)
    except GLib.Error as error:
        sys.exit(f"bars.py: {error.message}")
    return 0 if application.run() else 1


if __name__ == "__main__":
    sys.exit(main())
