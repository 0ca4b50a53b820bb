/* gst-continual: triangular mel filters
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mel/melsettings.h"

G_BEGIN_DECLS

/* Filters with the weights of the bins that they cover: few each. */
typedef struct
{
  guint n_mels;
  guint *first;                 /* (n_mels): first bin of each filter */
  guint *offset;                /* (n_mels + 1): index of its first weight */
  gdouble *weights;             /* (offset[n_mels]) */
} MelFilters;

gdouble mel_from_hz (MelScale scale, gdouble hz);
gdouble mel_to_hz (MelScale scale, gdouble mel);

MelFilters *mel_filters_new (const MelSettings * s, guint rate);
void mel_filters_free (MelFilters * filters);
void mel_filters_apply (const MelFilters * filters,
    const gdouble * spectrum /* (n_fft / 2 + 1) */ ,
    gdouble * mel /* (n_mels) */ );
/* Number of filters so narrow that they cover no bin. */
guint mel_filters_count_empty (const MelFilters * filters);

G_END_DECLS
