# From scores to words, as classlabeler does it.
# SPDX-License-Identifier: LGPL-2.1-or-later
import numpy as np

import features
from vocabulary import NEITHER

_SETTINGS = dict(s.split("=") for s in features.setting("KWS_LABELER").split()[1:])
THRESHOLD, SMOOTHING = float(_SETTINGS["threshold"]), float(_SETTINGS["smoothing"])


def smooth(scores, smoothing=SMOOTHING):
    """scores (T, labels) -> probabilities (T, labels), averaged exponentially over time."""
    p = np.exp(scores - scores.max(1, keepdims=True))
    return average(p / p.sum(1, keepdims=True), smoothing)


def average(p, smoothing):
    p = np.array(p)
    for t in range(1, len(p)) if smoothing else ():
        p[t] = smoothing * p[t - 1] + (1 - smoothing) * p[t]
    return p


def judge(smoothed, events, threshold=THRESHOLD):
    """What each event (start, end, label) was heard as: the word that scored best from its middle until a while
    after its end, or until the next event has ended."""
    heard = []
    ends = [e for _, e, _ in events[1:]] + [1 << 60]
    at = features.heard_by(np.arange(len(smoothed)))
    for (start, end, _), following in zip(events, ends):
        window = smoothed[(at > (start + end) / 2) & (at < min(end + 0.45 * 16000, following))]
        best = window[:, :NEITHER].max(0) if len(window) else np.zeros(NEITHER)
        heard.append(int(best.argmax()) if best.max() >= threshold else NEITHER)
    return heard


def words(smoothed, threshold=THRESHOLD, pause=0.5):
    """[(frame, label)]: the moments at which another word becomes the best one and passes the threshold."""
    best = smoothed.argmax(1)
    best[(smoothed.max(1) < threshold) | (best == NEITHER)] = -1
    out, last = [], {}
    for t in np.flatnonzero((best >= 0) & (best != np.concatenate([[-1], best[:-1]]))):
        label = int(best[t])
        if t - last.get(label, -1 << 30) >= pause * 16000 / features.HOP:
            out.append((int(t), label))
        last[label] = t
    return out
