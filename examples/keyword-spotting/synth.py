# Speaks the words with every synthesizer, into a cache directory; what is there already is kept.
# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import shutil
import sys
import tempfile
import time
import zlib

import numpy as np

import people
import synth_espeak
import synth_festival
import synth_flite
import synth_pico
import synth_rhvoice
from clips import ClipWriter
from vocabulary import KEYWORDS, NEITHER, Speaker, lexicon, respelled

# Who is behind a voice: the unit that is held out, since two synthesizers may have cut up the same reader.
SOURCES = {
    "espeak": [("english", 22000)], "accents": [("accented", 7000)],
    "kal": [("flite-kal16", 1200), ("festival-kal_diphone", 1200)],
    "awb": [("flite-awb", 2800)], "rms": [("flite-rms", 2800)],
    "slt": [("flite-slt", 2300), ("read-cmu_us_slt_arctic_hts", 500)],
    "ked": [("festival-ked_diphone", 2000)],
    "italian-lp": [("festival-lp_diphone", 1400)], "italian-pc": [("festival-pc_diphone", 1400)],
    "czech-dita": [("festival-czech_dita", 1400)], "czech-krb": [("festival-czech_krb", 1400)],
    "czech-machac": [("festival-czech_machac", 1400)], "czech-ph": [("festival-czech_ph", 1400)],
    "finnish-mv": [("festival-hy_fi_mv_diphone", 1400)], "finnish-lj": [("festival-suo_fi_lj_diphone", 1400)],
    "indian": [("festival-hindi_NSK_diphone", 1800)], "catalan": [("read-upc_ca_ona_hts", 120)],
    "pico-us": [("pico-en-US", 2000)], "pico-gb": [("pico-en-GB", 2000)], "pico-de": [("pico-de-DE", 700)],
    "pico-fr": [("pico-fr-FR", 700)], "pico-es": [("pico-es-ES", 700)], "pico-it": [("pico-it-IT", 700)],
    "rh-alan": [("rhvoice-Alan", 1200)], "rh-bdl": [("rhvoice-Bdl", 1200)], "rh-clb": [("rhvoice-Clb", 1200)],
    "rh-slt": [("rhvoice-Slt", 1200)],
    "rh-aleksandr": [("rhvoice-Aleksandr", 260)], "rh-anna": [("rhvoice-Anna", 260)],
    "rh-elena": [("rhvoice-Elena", 260)], "rh-irina": [("rhvoice-Irina", 260)],
    "rh-anatol": [("rhvoice-Anatol", 260)], "rh-natalia": [("rhvoice-Natalia", 260)],
    "rh-azamat": [("rhvoice-Azamat", 260)], "rh-nazgul": [("rhvoice-Nazgul", 260)],
    "rh-spomenka": [("rhvoice-Spomenka", 260)], "rh-leticia": [("rhvoice-Letícia-F123", 260)],
    "people": [("people", 2000)],
}
# Never trained on: what evaluate.py reports is about these.
HELD_OUT = ["rms", "ked"]
# Read English letters or were given English phones, with whatever accent: their texts tell what can be heard.
SPELLED = {"espeak", "kal", "awb", "rms", "slt", "ked", "italian-lp", "italian-pc", "czech-dita", "czech-krb",
           "czech-machac", "czech-ph", "finnish-mv", "finnish-lj", "indian", "pico-us", "pico-gb", "rh-alan", "rh-bdl",
           "rh-clb", "rh-slt"}
# What Debian has outside of `main`, or what only helps: without it, its sources are left out.
OPTIONAL = {"pico": lambda: shutil.which("pico2wave"), "rhvoice": synth_rhvoice.installed, "people": people.installed}


def _reading(speaker, voice, size):
    if voice.startswith("upc_ca"):
        _, keywords, others = next(r for r in respelled() if r[0] == "ca")
        return [(w, i) for i, w in enumerate(keywords)] * 4 + [(w, NEITHER) for w in others]
    marks = [".", "!", "?", ","]
    texts = [(KEYWORDS[i % 10] + marks[i // 10 % 4], i % 10) for i in range(40)] * 3
    return texts + [(speaker.other(), NEITHER) for _ in range(size - len(texts) - 60)] \
        + [(" ".join(speaker.running()), NEITHER) for _ in range(60)]


ENGINES = {
    "english": lambda voice, speaker, writer, size, scratch: synth_espeak.english(speaker, writer, size),
    "accented": lambda voice, speaker, writer, size, scratch: synth_espeak.accented(speaker, writer, size),
    "flite": synth_flite.speak,
    "festival": synth_festival.speak,
    "read": lambda voice, speaker, writer, size, scratch: synth_festival.read(
        voice, speaker, writer, _reading(speaker, voice, size), scratch),
    "pico": synth_pico.speak,
    "rhvoice": lambda voice, speaker, writer, size, scratch: synth_rhvoice.speak(voice, speaker, writer, size),
    "people": lambda voice, speaker, writer, size, scratch: people.listen(speaker, writer, size),
}


def synthesize(cache, share=1.0):
    """Fills `cache` with one clip file per source; returns the names of those that could be made."""
    words, made = lexicon(), []
    os.makedirs(cache, exist_ok=True)
    for name, parts in SOURCES.items():
        path = os.path.join(cache, name)
        engine = parts[0][0].partition("-")[0]
        if os.path.exists(path + ".json"):
            made.append(name)
            continue
        if engine in OPTIONAL and not OPTIONAL[engine]():
            print("%-14s is left out: %s is not installed" % (name, engine), file=sys.stderr, flush=True)
            continue
        began = time.time()
        writer = ClipWriter(path)
        for part, size in parts:
            size = int(size * share)
            engine, _, voice = part.partition("-")
            speaker = Speaker(np.random.default_rng(zlib.crc32(part.encode())), words)
            with tempfile.TemporaryDirectory() as scratch:
                ENGINES[engine](voice, speaker, writer, size, scratch)
        writer.close()
        made.append(name)
        print("%-14s %6d clips, %5.1f minutes of speech, took %.0f s" % (
            name, len(writer.clips), writer.samples / 960000, time.time() - began), file=sys.stderr, flush=True)
    return made


if __name__ == "__main__":
    synthesize(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
