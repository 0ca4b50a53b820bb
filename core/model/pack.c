/* libcontinual: weights in the layout in which kernels read them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/alloc.h"
#include "model/builder.h"
#include <string.h>

gpointer
co_build_alloc (const CoBuild * b, gsize bytes)
{
  gpointer data;

  bytes = CO_ALIGN_BYTES (MAX (bytes, 1));
  data = co_try_alloc0 (1, bytes);
  if (!data)
    g_error ("no room for %" G_GSIZE_FORMAT " bytes", bytes);
  g_ptr_array_add (b->owned, data);
  *b->owned_bytes += bytes;
  return data;
}

float *
co_build_own (const CoBuild * b, gsize n)
{
  return co_build_alloc (b, n * sizeof (float));
}

const float *
co_build_copy (const CoBuild * b, const float *from, gsize n)
{
  float *to = NULL;

  if (from) {
    to = co_build_own (b, n);
    memcpy (to, from, n * sizeof (float));
  }
  return to;
}

void
co_build_multiply (const CoMatrix * w, const float *x, const float *b,
    float *y)
{
  for (gsize o = 0; o < w->n_out; o++) {
    double sum = b ? b[o] : 0;

    for (gsize i = 0; x && i < w->n_in; i++)
      sum += (double) w->data[o * w->out_stride + i * w->in_stride] * x[i];
    y[o] = sum;
  }
}

static void
fill (float *panels, gsize first, const CoMatrix * m)
{
  co_panels_fill (panels, first, m->data, m->n_out, m->n_in, m->out_stride,
      m->in_stride);
}

/* Panels of float32 in the format of the setting `precision`. Frees @panels. */
static CoLinear
finish (const CoBuild * b, float *panels, gsize n_out, gsize n_in,
    const float *bias)
{
  const CoFormat *format = co_formats[b->settings->precision];
  float *w = co_build_own (b, format->size (n_out, n_in) / sizeof (float) + 1);
  float *scales = format->scaled ? co_build_own (b, n_out) : NULL;

  format->fill (w, scales, panels, n_out, n_in);
  g_free (panels);
  return (CoLinear) {
  .n_in = n_in,.n_out = n_out,.format = format,.w = w,.scales = scales,.b =
        bias};
}

CoLinear
co_build_pack (const CoBuild * b, const CoMatrix * m)
{
  float *panels = g_new0 (float, co_panels_size (m->n_out, m->n_in));

  fill (panels, 0, m);
  return finish (b, panels, m->n_out, m->n_in, co_build_copy (b, m->bias,
          m->n_out));
}

/* The rows of @m for the outputs of head @h */
static CoMatrix
head_of (const CoMatrix * m, gsize h, gsize n_heads)
{
  CoMatrix part = *m;

  part.n_out /= n_heads;
  part.data += h * part.n_out * m->out_stride;
  return part;
}

static CoMatrix
transposed (const CoMatrix * m)
{
  return (CoMatrix) {
  .n_out = m->n_in,.n_in = m->n_out,.data = m->data,.out_stride =
        m->in_stride,.in_stride = m->out_stride};
}

void
co_build_pack_inputs (const CoBuild * b, CoAttention * a,
    const CoMatrices * m, gboolean apart)
{
  const CoMatrix *parts[] = { &m->q, &m->k, &m->v };
  gboolean joined = m->q.n_in == m->k.n_in && m->k.n_in == m->v.n_in;
  gsize n_out = m->q.n_out + m->k.n_out + m->v.n_out, first = 0;
  float *w, *bias;

  if (joined) {
    w = g_new0 (float, co_panels_size (n_out, m->q.n_in));
    bias = m->q.bias || m->k.bias || m->v.bias ? co_build_own (b, n_out) : NULL;
    for (gsize i = 0; i < 3; first += parts[i++]->n_out) {
      fill (w, first, parts[i]);
      if (parts[i]->bias)
        memcpy (bias + first, parts[i]->bias, parts[i]->n_out * sizeof (float));
    }
    a->qkv = finish (b, w, n_out, m->q.n_in, bias);
  }
  if (apart || !joined) {
    a->q = co_build_pack (b, &m->q);
    a->k = co_build_pack (b, &m->k);
    a->v = co_build_pack (b, &m->v);
  }
}

void
co_build_pack_query (const CoBuild * b, CoAttention * a, const CoMatrices * m)
{
  const gsize H = a->n_heads;
  const gsize k_size = co_panels_size (a->k.n_in, a->d_key);
  const gsize v_size = co_panels_size (a->d_value, a->v.n_in);
  float *k = co_build_own (b, H * k_size), *v = co_build_own (b, H * v_size);

  a->q = co_build_pack (b, &m->q);
  for (gsize h = 0; h < H; h++) {
    CoMatrix key = head_of (&m->k, h, H), key_t = transposed (&key);
    CoMatrix value = head_of (&m->v, h, H);

    fill (k + h * k_size, 0, &key_t);
    fill (v + h * v_size, 0, &value);
  }
  a->k_heads_t = k;
  a->v_heads = v;
  a->k.b = co_build_copy (b, m->k.bias, a->k.n_out);
  a->v.b = co_build_copy (b, m->v.bias, a->v.n_out);
  a->out = co_build_pack (b, &m->out);
}
