/* gst-continual: values to colours and lengths
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <math.h>

G_BEGIN_DECLS

typedef enum
{
  SCOPE_COLORMAP_COLOR,
  SCOPE_COLORMAP_GRAY
} ScopeColormap;

/* 0xRRGGBB, of 256 levels: each is lighter than the one before. */
const guint32 *scope_colormap_get (ScopeColormap colormap);

/* What has no value; no colour of a colormap */
#define SCOPE_EMPTY 0x20242c
#define SCOPE_TEXT 0xe8e8e8

/* From a value to a level from 0 to 1 */
typedef struct
{
  gdouble min, max;
  const guint32 *colors;        /* (256) */
} ScopeScale;

/* The level of @value: below min 0, above max 1; NaN: it is no number. */
static inline gdouble
scope_scale_get_level (const ScopeScale * self, gfloat value)
{
  if (!isfinite (value))
    return NAN;
  if (!(self->max > self->min))
    return 0;
  return CLAMP ((value - self->min) / (self->max - self->min), 0, 1);
}

static inline guint32
scope_scale_get_color (const ScopeScale * self, gfloat value)
{
  const gdouble level = scope_scale_get_level (self, value);

  return isnan (level) ? SCOPE_EMPTY : self->colors[(guint) (level * 255 + 0.5)];
}

/* The colour of a bar of @value, light enough to be seen */
static inline guint32
scope_scale_get_bar_color (const ScopeScale * self, gfloat value)
{
  return self->colors[(guint) (80 + scope_scale_get_level (self, value) * 175 + 0.5)];
}

/* Range of the values so far, which forgets extremes. Zeroed: no values yet */
typedef struct
{
  gboolean known;
  gdouble min, max;
} ScopeRange;

/* The finite ones of @values. After @memory vectors, two thirds of the way from an older extreme to theirs is gone. */
void scope_range_push (ScopeRange * self, const gfloat * values, gsize n,
    guint memory);

/* Makes probabilities of logits: NaN throughout if one is NaN or infinite, but for minus infinity. */
void scope_softmax (gfloat * values, gsize n);

G_END_DECLS
