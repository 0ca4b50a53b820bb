/* gst-continual: conversion of audio to mono float
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

/* Full scale becomes 1; several channels become their mean. */
void mel_input_convert (const GstAudioInfo * info,
    gconstpointer in /* (n, channels) */ , gsize n, gfloat * out /* (n) */ );

G_END_DECLS
