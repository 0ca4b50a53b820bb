# Real people on real microphones, none of whom says a keyword: telephone announcements in French, Italian and Russian,
# and descriptions of pictures read by volunteers.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Free recordings in Debian: asterisk-core-sounds-{fr,it,ru} with their -wav, and tuxpaint-stamps-default."""
import glob
import gzip
import os
import re

import features
from clips import RATE
from vocabulary import NEITHER

ANNOUNCED = {"fr": "fr_CA_f_June", "it": "it_IT_m_Carlo", "ru": "ru_RU_f_IvrvoiceRU"}
STAMPS = "/usr/share/tuxpaint/stamps"
DESCRIBED = ["", "fr", "ro", "bg", "ru", "ca", "es"]  # "": English
# What a listener could take for a keyword, in any of these languages.
_LIKE = re.compile(r"\b(ies|yes|no|nò|non|nau|down|left|right|on|off|of|stop|go|up|gou|но|ну|он|ап|оф|стоп|го|ноу|на|oh|"
                   r"au|ou|nos|nous|n.o|pop|gò|nu|op|то)\b", re.I)


def announcements(language):
    """[(path, text)] of one person."""
    listed = "/usr/share/doc/asterisk-core-sounds-%s/core-sounds-%s.txt.gz" % (language, language)
    out = []
    if os.path.exists(listed):
        with gzip.open(listed, "rt", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, text = line.strip().partition(":")
                path = "/usr/share/asterisk/sounds/%s/%s.wav" % (ANNOUNCED[language], name.strip())
                if text and not line.startswith(";") and os.path.exists(path):
                    out.append((path, text))
    return out


def descriptions(language):
    end = "_desc%s.ogg" % (language and "_" + language)
    out = []
    for path in sorted(glob.glob("%s/**/*%s" % (STAMPS, end), recursive=True)):
        listed = path[: -len(end)] + ".txt"
        with open(listed, encoding="utf-8", errors="replace") if os.path.exists(listed) else open(os.devnull) as lines:
            if language:
                texts = [line.partition("=")[2] for line in lines if line.startswith(language + ".utf8=")]
            else:
                texts = [line for line in lines][:1]
        out += [(path, text) for text in texts]
    return out


def installed():
    return all(map(announcements, ANNOUNCED)) and all(map(descriptions, DESCRIBED))


def listen(speaker, writer, size):
    """`size` recordings, none with a word that sounds like a keyword, in pieces of up to three seconds."""
    every = [(p, t) for files in [*map(announcements, ANNOUNCED), *map(descriptions, DESCRIBED)]
             for p, t in files if not _LIKE.search(t)]
    for index in speaker.rng.permutation(len(every))[:size]:
        path, text = every[index]
        audio = features.decode(path)
        for at in range(0, len(audio), 3 * RATE):
            writer.add_alone(audio[at : at + 3 * RATE], NEITHER, "people", text)
