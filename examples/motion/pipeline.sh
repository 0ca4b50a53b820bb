# The settings that training, evaluation, tests and the lines in README.md share. Read by bash.
# SPDX-License-Identifier: LGPL-2.1-or-later
[ -z "${ZSH_VERSION-}" ] || setopt sh_word_split # the settings are words of a pipeline
MOTION_FRAMES="videoconvert ! videoscale method=bilinear2 ! video/x-raw,width=16,height=16 ! videototensor luma=true mean=0.5 std=0.25"
MOTION_ENCODER="continualencoder warm-up=partial"
MOTION_LABELER="classlabeler smoothing=0.6"
