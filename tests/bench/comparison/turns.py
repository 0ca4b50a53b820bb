# Competitors: checked first, then timed in turns
# SPDX-License-Identifier: LGPL-2.1-or-later
import dataclasses
import statistics
import time

import numpy
import torch

TOLERANCE = 1e-4
ANSWERS = 4  # that are compared with the truth
TURN_US = 6000  # how long a turn takes, and how many calls it has at least
LEAST = 3
SLOW_US, SLOW_ROUNDS = 500000, 3  # what takes longer has a call in some rounds only
PERIOD_S = 0.033


@dataclasses.dataclass
class Competitor:
    what: str
    call: object  # vectors (T, C) of numpy to answers (n, D) of numpy or torch
    streams: int = 1
    steps: int = 1
    truth: object = None  # answers that it must give (ANSWERS, D), or None: not the same numbers
    turn: int = 0  # vectors of a turn, after call.restart(), where a step takes longer the more keys are cached; 0: any number, no restart
    error: float = 0
    us: list = dataclasses.field(default_factory=list)  # of a vector, by round
    paced: list = dataclasses.field(default_factory=list)

    @property
    def single(self):
        return self.streams * self.steps == 1

    def ratio(self, other):
        """The median, over rounds, of its time and @other's"""
        return statistics.median(a / b for a, b in zip(self.us, other.us))


class Wrong(Exception):
    pass


def rows(y):
    return y.detach().numpy() if torch.is_tensor(y) else numpy.asarray(y)


def feed(competitor, x):
    """Runs over all of @x (T, C), of which the last vectors are answered at least; returns the last answers."""
    fill, t = getattr(competitor.call, "fill", None), 0
    if fill:
        t = len(x) - max(ANSWERS, competitor.steps)
        fill(x[:t])
    answers = []
    while t < len(x):
        y = rows(competitor.call(x[t:t + competitor.steps]))
        answers.append(y.copy().reshape(-1, y.shape[-1]) if competitor.truth is not None else None)
        t += competitor.steps
    return None if competitor.truth is None else numpy.concatenate(answers)[-ANSWERS:]


def check(competitor, x):
    """Fills windows and caches, and raises Wrong where an answer is more than TOLERANCE off"""
    answers = feed(competitor, x)
    if answers is None:
        return
    truth = competitor.truth
    competitor.error = float(numpy.abs(answers - truth).max() / max(1, numpy.abs(truth).max()))
    if not competitor.error <= TOLERANCE:
        raise Wrong("%s: %.1e off the truth: its time would mean nothing" % (competitor.what, competitor.error))


def timed(competitor, x, n):
    if competitor.turn and n > 1:
        competitor.call.restart()
    begin = time.process_time_ns()
    for _ in range(n):
        competitor.call(x)
    return (time.process_time_ns() - begin) / n / 1e3


def take_turns(competitors, x, rounds, paced_rounds):
    """All of them in each round; @x (T, C): T of the longest chunk. Times are of the process's processor."""
    inputs, calls = {}, {}
    for c in competitors:
        inputs[c.what, c.streams, c.steps] = x[:c.steps]
        us = timed(c, x[:c.steps], 1)
        calls[c.what, c.streams, c.steps] = c.turn // c.steps if c.turn else max(LEAST, int(TURN_US / max(us, 1))) if us < SLOW_US else 1
    for i in range(rounds):
        for c in competitors:
            key = c.what, c.streams, c.steps
            if calls[key] == 1 and i >= SLOW_ROUNDS:
                continue
            if calls[key] > 1:
                c.call(inputs[key])  # the caches are its own
            c.us.append(timed(c, inputs[key], calls[key]) / (c.streams * c.steps))
    for _ in range(paced_rounds):
        for c in competitors:
            if c.single and calls[c.what, c.streams, c.steps] > 1:
                time.sleep(PERIOD_S)
                c.paced.append(timed(c, inputs[c.what, c.streams, c.steps], 1))
