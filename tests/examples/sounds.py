# Sound files that tests of the examples write
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import subprocess
import wave

RATE = 16000


def write(path, samples):
    """16 bit samples, as bytes, to a .wav file in a folder that need not be there."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with wave.open(path, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples)


def flac(path):
    """The same as a .wav file, beside it; returns its path."""
    out = os.path.splitext(path)[0] + ".flac"
    subprocess.run(["gst-launch-1.0", "-q", "filesrc", "location=" + path, "!", "wavparse", "!", "flacenc", "!", "filesink",
                    "location=" + out], check=True)
    return out
