# What the example tells apart: where what is seen moves, not where the camera does.
# SPDX-License-Identifier: LGPL-2.1-or-later
LABELS = ["left", "right", "up", "down", "towards", "away", "still"]
LEFT, RIGHT, UP, DOWN, TOWARDS, AWAY, STILL = range(7)
UNKNOWN = -100  # frames without a right answer

# What each label becomes when the picture is turned over.
MIRRORED = [RIGHT, LEFT, UP, DOWN, TOWARDS, AWAY, STILL]
UPSIDE_DOWN = [LEFT, RIGHT, DOWN, UP, TOWARDS, AWAY, STILL]
TRANSPOSED = [UP, DOWN, LEFT, RIGHT, TOWARDS, AWAY, STILL]
