# The settings that training, evaluation and the demo share. Read by bash and, line by line, by Python.
# SPDX-License-Identifier: LGPL-2.1-or-later
[ -z "${ZSH_VERSION-}" ] || setopt sh_word_split # the settings are words of a pipeline
KWS_MEL="melspectrogram rate=16000 n-fft=512 win-length=512 hop-length=256 center=false power=2 n-mels=40 f-min=60 f-max=7600 mel-scale=htk mel-norm=none log=ln log-offset=1e-5 log-floor=0"
KWS_ENCODER="warm-up=partial"
KWS_LABELER="classlabeler ignore=neither changes-only=true threshold=0.35 smoothing=0.9"
