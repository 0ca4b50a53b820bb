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
  const gchar *kind;            /* as files say it; NULL: single-output */
  /* Published streaming encoders: nothing but pre-norm layers */
  gboolean layers_only;
  const gchar *rope_theta;      /* or NULL */
  const gchar *windows;         /* attention_windows; NULL: sequence_len */
} BenchModel;

static const BenchModel bench_models[] = {
  {"b1", 3072, 1024, 8, 1024, 64, 1, 22},
  {"b2", 3072, 1024, 8, 1024, 64, 2, 22},
  {"small", 128, 192, 16, 384, 120, 1, 10},
  {"tiny", 64, 64, 4, 128, 64, 2, 12},
};

/* The shapes of Mimi's transformer, and of Moonshine's streaming encoder */
static const BenchModel bench_streaming[] = {
  {"mimi", 512, 512, 8, 2048, 250, 8, 0, "deep", TRUE, "10000"},
  {"moonshine", 320, 320, 8, 1280, 19, 6, 0, "deep", TRUE, NULL,
      "[[16,3],[16,3],[16,0],[16,0],[16,3],[16,3]]"},
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

static inline void
bench_put_shaped (BenchFile * f, const gchar * name, const gchar * shape,
    gsize n, float spread, float middle)
{
  gsize begin = f->data->len;

  g_byte_array_set_size (f->data, begin + n * sizeof (float));
  for (gsize i = 0; i < n; i++) {
    float x = middle + spread * bench_random (&f->seed);
    memcpy (f->data->data + begin + i * sizeof x, &x, sizeof x);
  }
  g_string_append_printf (f->header,
      ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
      name, shape, begin, begin + n * sizeof (float));
}

/* Uniform, of variance gain^2 / columns; a vector of ones, or zeros, where gain says so */
static inline void
bench_put (BenchFile * f, const gchar * name, gsize rows, gsize columns,
    float gain)
{
  g_autofree gchar *shape = columns ? g_strdup_printf ("%zu,%zu", rows, columns)
      : g_strdup_printf ("%zu", rows);

  if (columns)
    bench_put_shaped (f, name, shape, rows * columns,
        gain * sqrtf (3.f / columns), 0);
  else
    bench_put_shaped (f, name, shape, rows, .05f, gain);
}

static inline const gchar *
bench_kind (const BenchModel * m)
{
  return m->kind ? m->kind : "single-output";
}

/* An attention alone, as Keras names it: the other kinds' layers are not of this kind. */
static inline void
bench_put_kernel (const BenchModel * m, BenchFile * f)
{
  const gchar *const names[] = { "query", "key", "value", "attention_output" };
  const gsize E = m->d_model, H = m->n_heads;

  g_string_append_printf (f->header,
      "{\"__metadata__\":{\"num_heads\":\"%zu\",\"attention\":\"kernel\",\"feature_transform\":\"elu\","
      "\"num_random_features\":\"0\",\"causal_chunk_length\":\"1\",\"causal_window_length\":\"%zu\"}", H,
      m->sequence_len);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *kernel = g_strdup_printf ("%s.kernel", names[i]);
    g_autofree gchar *bias = g_strdup_printf ("%s.bias", names[i]);
    g_autofree gchar *shape = i < 3 ? g_strdup_printf ("%zu,%zu,%zu", E, H, E / H)
        : g_strdup_printf ("%zu,%zu,%zu", H, E / H, E);

    bench_put_shaped (f, kernel, shape, E * E, sqrtf (3.f / E), 0);
    if (i < 3) {
      g_free (shape);
      shape = g_strdup_printf ("%zu,%zu", H, E / H);
      bench_put_shaped (f, bias, shape, E, .05f, 0);
    } else {
      bench_put (f, bias, E, 0, 0);
    }
  }
}

static inline void
bench_put_layers (const BenchModel * m, BenchFile * f)
{
  const gsize E = m->d_model;

  g_string_append_printf (f->header,
      "{\"__metadata__\":{\"nhead\":\"%zu\",\"activation\":\"gelu\",\"attention\":\"%s\"", m->n_heads,
      bench_kind (m));
  if (m->windows)
    g_string_append_printf (f->header, ",\"attention_windows\":\"%s\"", m->windows);
  else
    g_string_append_printf (f->header, ",\"sequence_len\":\"%zu\"", m->sequence_len);
  if (m->rope_theta)
    g_string_append_printf (f->header, ",\"rope_theta\":\"%s\"", m->rope_theta);
  g_string_append (f->header, m->layers_only ? ",\"norm_first\":\"true\"}" : "}");
  if (!m->layers_only) {
    bench_put (f, "0.weight", E, m->n_inputs, 1);
    bench_put (f, "0.bias", E, 0, 0);
    bench_put (f, "1.pe.weight", 2 * m->sequence_len - 1, E, 1);
  }
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
      bench_put (f, name, parts[i].rows, parts[i].columns, parts[i].gain);
    }
  }
  if (m->layers_only)
    return;
  bench_put (f, "3.weight", E, 0, 1);
  bench_put (f, "3.bias", E, 0, 0);
  bench_put (f, "4.weight", m->n_classes, E, 1);
  bench_put (f, "4.bias", m->n_classes, 0, 0);
}

static inline GBytes *
bench_file (const BenchModel * m)
{
  BenchFile f = { g_string_new (NULL), g_byte_array_new (), 1 };
  GByteArray *bytes = g_byte_array_new ();
  guint64 n;

  if (g_str_equal (bench_kind (m), "kernel"))
    bench_put_kernel (m, &f);
  else
    bench_put_layers (m, &f);
  g_string_append_c (f.header, '}');
  n = f.header->len;
  g_byte_array_append (bytes, (guint8 *) & n, 8);
  g_byte_array_append (bytes, (guint8 *) f.header->str, n);
  g_byte_array_append (bytes, f.data->data, f.data->len);
  g_string_free (f.header, TRUE);
  g_byte_array_unref (f.data);
  return g_byte_array_free_to_bytes (bytes);
}
