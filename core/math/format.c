/* libcontinual: how weights are kept
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/linear.h"
#include <math.h>
#include <string.h>

/* ---- float32 ---- */

static gsize
float32_size (gsize n_out, gsize n_in)
{
  return co_panels_size (n_out, n_in) * sizeof (float);
}

static void
float32_fill (gpointer w, float *scales, const float *panels, gsize n_out,
    gsize n_in)
{
  memcpy (w, panels, float32_size (n_out, n_in));
}

static void
float32_multiply (const CoLinear * self, const float *x, gsize x_stride,
    gsize n_rows, float *y, gsize y_stride)
{
  co_kernels->linear (self->w, self->n_in * CO_PANEL, self->b, self->n_out,
      self->n_in, x, x_stride, n_rows, y, y_stride);
}

/* ---- bfloat16: 8 bits of mantissa ---- */

static gsize
bfloat16_size (gsize n_out, gsize n_in)
{
  return co_panels_size (n_out, (n_in + 1) / 2) * sizeof (guint32);
}

/* To nearest, ties to even; the largest stay finite. */
static guint32
to_bfloat16 (float x)
{
  guint32 bits;

  memcpy (&bits, &x, sizeof bits);
  if ((bits & 0x7fffffff) < 0x7f7f8000)
    bits += 0x7fff + (bits >> 16 & 1);
  return bits >> 16;
}

static void
bfloat16_fill (gpointer w, float *scales, const float *panels, gsize n_out,
    gsize n_in)
{
  guint32 *to = w;

  for (gsize p = 0; p < n_out; p += CO_PANEL)
    for (gsize i = 0; i < n_in; i++, panels += CO_PANEL)
      for (gsize o = 0; o < CO_PANEL; o++)
        to[(p / CO_PANEL * ((n_in + 1) / 2) + i / 2) * CO_PANEL + o] |=
            to_bfloat16 (panels[o]) << (i % 2 * 16);
}

static void
bfloat16_multiply (const CoLinear * self, const float *x, gsize x_stride,
    gsize n_rows, float *y, gsize y_stride)
{
  co_kernels->linear_bfloat16 (self->w, self->b, self->n_out, self->n_in, x,
      x_stride, n_rows, y, y_stride);
}

/* ---- int8: each output's weights in 254 steps of the largest ---- */

static gsize
int8_size (gsize n_out, gsize n_in)
{
  return co_panels_size (n_out, (n_in + 3) / 4 * 4);
}

static void
int8_fill (gpointer w, float *scales, const float *panels, gsize n_out,
    gsize n_in)
{
  const gsize stride = (n_in + 3) / 4 * 2 * CO_PANEL;
  guint16 *to = w;

  for (gsize o = 0; o < n_out; o++) {
    const float *from = panels + o / CO_PANEL * n_in * CO_PANEL + o % CO_PANEL;
    guint16 *row = to + o / CO_PANEL * stride + o % CO_PANEL * 2;
    float top = 0;

    for (gsize i = 0; i < n_in; i++)
      top = MAX (top, fabsf (from[i * CO_PANEL]));
    scales[o] = top / 127;
    for (gsize i = 0; i < n_in; i++) {
      int weight = top > 0 ? lrintf (from[i * CO_PANEL] / top * 127) : 0;
      row[i / 4 * 2 * CO_PANEL + i % 2] |=
          i % 4 < 2 ? weight + 128 : (weight & 0xff) << 8;
    }
  }
}

static void
int8_multiply (const CoLinear * self, const float *x, gsize x_stride,
    gsize n_rows, float *y, gsize y_stride)
{
  co_kernels->linear_int8 (self->w, self->scales, self->b, self->n_out,
      self->n_in, x, x_stride, n_rows, y, y_stride);
}

#define DEFINE(name, scaled, blurb)                                                     \
static const CoFormat name##_format = {                                                 \
  G_STRINGIFY (name), scaled, name##_size, name##_fill, name##_multiply                 \
};
CO_FORMATS (DEFINE)
#undef DEFINE

const CoFormat *const co_formats[CO_N_FORMATS] = {
#define ADDRESS(name, scaled, blurb) &name##_format,
  CO_FORMATS (ADDRESS)
#undef ADDRESS
};

const CoChoice co_format_choices[CO_N_FORMATS] = {
#define CHOICE(name, scaled, blurb) {G_STRINGIFY (name), blurb},
  CO_FORMATS (CHOICE)
#undef CHOICE
};
