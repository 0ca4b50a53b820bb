/* The models that benchmarks speak of, with random weights
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>
#include <math.h>
#include <string.h>

typedef struct
{
  const gchar *name;
  gsize n_inputs, d_model, n_heads, d_ff, sequence_len, n_layers, n_classes;
} BenchModel;

static const BenchModel bench_models[] = {
  {"b1", 3072, 1024, 8, 1024, 64, 1, 22},
  {"b2", 3072, 1024, 8, 1024, 64, 2, 22},
  {"small", 128, 192, 16, 384, 120, 1, 10},
  {"tiny", 64, 64, 4, 128, 64, 2, 12},
};

typedef struct
{
  GString *header;
  GByteArray *data;
  guint32 seed;
} BenchFile;

static inline float
bench_random (guint32 * seed)
{
  *seed = *seed * 1664525u + 1013904223u;
  return (gint32) *seed * (1.f / 2147483648.f);
}

/* Uniform, of variance gain^2 / columns; a vector of ones, or zeros, where gain says so */
static inline void
bench_put (BenchFile * f, const gchar * name, gsize rows, gsize columns,
    float gain)
{
  gsize n = rows * MAX (columns, 1), begin = f->data->len;
  g_autofree gchar *shape = columns ? g_strdup_printf ("%zu,%zu", rows, columns)
      : g_strdup_printf ("%zu", rows);

  g_byte_array_set_size (f->data, begin + n * sizeof (float));
  for (gsize i = 0; i < n; i++) {
    float x = columns ? gain * sqrtf (3.f / columns) * bench_random (&f->seed)
        : gain + .05f * bench_random (&f->seed);
    memcpy (f->data->data + begin + i * sizeof x, &x, sizeof x);
  }
  g_string_append_printf (f->header,
      ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
      name, shape, begin, begin + n * sizeof (float));
}

static inline GBytes *
bench_file (const BenchModel * m)
{
  BenchFile f = { g_string_new (NULL), g_byte_array_new (), 1 };
  const gsize E = m->d_model;
  GByteArray *bytes = g_byte_array_new ();
  guint64 n;

  g_string_append_printf (f.header,
      "{\"__metadata__\":{\"nhead\":\"%zu\",\"sequence_len\":\"%zu\",\"activation\":\"gelu\"}",
      m->n_heads, m->sequence_len);
  bench_put (&f, "0.weight", E, m->n_inputs, 1);
  bench_put (&f, "0.bias", E, 0, 0);
  bench_put (&f, "1.pe.weight", 2 * m->sequence_len - 1, E, 1);
  for (gsize l = 0; l < m->n_layers; l++) {
    const struct
    {
      const gchar *name;
      gsize rows, columns;
      float gain;
    } parts[] = {
      {"self_attn.in_proj_weight", 3 * E, E, 1},
      {"self_attn.in_proj_bias", 3 * E, 0, 0},
      {"self_attn.out_proj.weight", E, E, 1},
      {"self_attn.out_proj.bias", E, 0, 0},
      {"linear1.weight", m->d_ff, E, 1}, {"linear1.bias", m->d_ff, 0, 0},
      {"linear2.weight", E, m->d_ff, 1}, {"linear2.bias", E, 0, 0},
      {"norm1.weight", E, 0, 1}, {"norm1.bias", E, 0, 0},
      {"norm2.weight", E, 0, 1}, {"norm2.bias", E, 0, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
      g_autofree gchar *name = g_strdup_printf ("2.layers.%zu.%s", l,
          parts[i].name);
      bench_put (&f, name, parts[i].rows, parts[i].columns, parts[i].gain);
    }
  }
  bench_put (&f, "3.weight", E, 0, 1);
  bench_put (&f, "3.bias", E, 0, 0);
  bench_put (&f, "4.weight", m->n_classes, E, 1);
  bench_put (&f, "4.bias", m->n_classes, 0, 0);
  g_string_append_c (f.header, '}');
  n = f.header->len;
  g_byte_array_append (bytes, (guint8 *) & n, 8);
  g_byte_array_append (bytes, (guint8 *) f.header->str, n);
  g_byte_array_append (bytes, f.data->data, f.data->len);
  g_string_free (f.header, TRUE);
  g_byte_array_unref (f.data);
  return g_byte_array_free_to_bytes (bytes);
}
