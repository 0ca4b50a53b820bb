/* Random models as safetensors files
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variants.h"
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

typedef struct
{
  gchar *name;
  const float *data;
  gsize dims[3], n_dims;
} Tensor;

static void
tensor_clear (gpointer data)
{
  g_free (((Tensor *) data)->name);
}

G_GNUC_PRINTF (6, 7)
static void
put (GArray * tensors, const RefModel * m, const float *data, gsize n_out,
    gsize n_in, const gchar * format, ...)
{
  Tensor t = {.data = data,.dims = {n_out, n_in},.n_dims = n_in ? 2 : 1 };
  g_autofree gchar *name = NULL;
  va_list args;

  if (!data)
    return;
  va_start (args, format);
  name = g_strdup_vprintf (format, args);
  va_end (args);
  if (g_str_has_suffix (name, "bias_k") || g_str_has_suffix (name, "bias_v"))
    t = (Tensor) {.data = data,.dims = {1, 1, n_out},.n_dims = 3};
  t.name = g_strconcat (m->prefix, name, NULL);
  g_array_append_val (tensors, t);
}

static void
put_linear (GArray * tensors, const RefModel * m, const RefLinear * f,
    const gchar * path)
{
  put (tensors, m, f->w, f->n_out, f->n_in, "%s.weight", path);
  put (tensors, m, f->b, f->n_out, 0, "%s.bias", path);
}

static void
put_norm (GArray * tensors, const RefModel * m, const RefNorm * f,
    const gchar * path)
{
  put (tensors, m, f->gain, f->n, 0, "%s.weight", path);
  put (tensors, m, f->bias, f->n, 0, "%s.bias", path);
}

/* One after another, as torch packs them; @m owns the result. */
static float *
join (const RefModel * m, const RefLinear * const *parts, gboolean bias)
{
  gsize n = 0, at = 0;
  float *joined;

  for (gsize i = 0; i < 3; i++)
    n += parts[i]->n_out * (bias ? 1 : parts[i]->n_in);
  if (bias && !parts[0]->b)
    return NULL;
  joined = g_new (float, n);
  g_ptr_array_add (m->owned, joined);
  for (gsize i = 0; i < 3; i++) {
    gsize size = parts[i]->n_out * (bias ? 1 : parts[i]->n_in);
    memcpy (joined + at, bias ? parts[i]->b : parts[i]->w,
        size * sizeof (float));
    at += size;
  }
  return joined;
}

static void
put_attention (GArray * tensors, const RefModel * m, const RefLayer * layer,
    const gchar * path)
{
  const RefLinear *parts[] = { &layer->self.q, &layer->self.k, &layer->self.v };
  const gchar *const letters[] = { "q", "k", "v" };
  const gsize E = layer->self.q.n_out;
  g_autofree gchar *out = g_strconcat (path, "out_proj", NULL);

  if (m->separate)
    for (gsize i = 0; i < 3; i++)
      put (tensors, m, parts[i]->w, E, parts[i]->n_in, "%s%s_proj_weight", path,
          letters[i]);
  else
    put (tensors, m, join (m, parts, FALSE), 3 * E, m->E, "%sin_proj_weight",
        path);
  put (tensors, m, join (m, parts, TRUE), 3 * E, 0, "%sin_proj_bias", path);
  put (tensors, m, layer->fixed_k, E, 0, "%sbias_k", path);
  put (tensors, m, layer->fixed_v, E, 0, "%sbias_v", path);
  put_linear (tensors, m, &layer->self.out, out);
}

/* (columns, rows) from (rows, columns); @m owns the result. */
static float *
transpose (const RefModel * m, const float *w, gsize rows, gsize columns)
{
  float *t = g_new (float, rows * columns);

  for (gsize r = 0; r < rows; r++)
    for (gsize c = 0; c < columns; c++)
      t[c * rows + r] = w[r * columns + c];
  g_ptr_array_add (m->owned, t);
  return t;
}

/* fast_transformers' AttentionLayer */
static void
put_projections (GArray * tensors, const RefModel * m,
    const RefAttention * a, const gchar * path)
{
  const RefLinear *parts[] = { &a->q, &a->k, &a->v, &a->out };
  const gchar *const names[] = { "query", "key", "value", "out" };
  const RefFeatures *f = &a->features;

  for (gsize i = 0; i < 4; i++) {
    g_autofree gchar *name = g_strdup_printf ("%s%s_projection", path,
        names[i]);
    put_linear (tensors, m, parts[i], name);
  }
  if (f->projection)
    put (tensors, m, transpose (m, f->projection, f->n_projected, f->n_in),
        f->n_in, f->n_projected, "%sinner_attention.feature_map.omega", path);
}

/* KernelAttention: each kernel is the transposed matrix, its heads apart. */
static void
put_keras (GArray * tensors, const RefModel * m, const RefAttention * a)
{
  const RefLinear *parts[] = { &a->q, &a->k, &a->v, &a->out };
  const gchar *const names[] = { "query", "key", "value", "attention_output" };
  const RefFeatures *f = &a->features;

  for (gsize i = 0; i < 4; i++) {
    gsize from = tensors->len;

    put (tensors, m, transpose (m, parts[i]->w, parts[i]->n_out,
            parts[i]->n_in), 1, 1, "%s.kernel", names[i]);
    g_array_index (tensors, Tensor, from).n_dims = 3;
    if (i < 3)
      memcpy (g_array_index (tensors, Tensor, from).dims, (gsize[]) {
          parts[i]->n_in, m->H, parts[i]->n_out / m->H}, 3 * sizeof (gsize));
    else
      memcpy (g_array_index (tensors, Tensor, from).dims, (gsize[]) {
          m->H, parts[i]->n_in / m->H, parts[i]->n_out}, 3 * sizeof (gsize));
    if (i < 3)
      put (tensors, m, parts[i]->b, m->H, parts[i]->n_out / m->H, "%s.bias",
          names[i]);
    else
      put (tensors, m, parts[i]->b, parts[i]->n_out, 0, "%s.bias", names[i]);
  }
  put (tensors, m, f->projection, f->n_projected, f->n_in, "projection_matrix");
}

/* How each library calls the parts of layer %s */
static const struct
{
  const gchar *attention, *linear1, *linear2, *norm1, *norm2;
} layer_names[] = {
  [REF_TORCH] = {
    "self_attn.", "linear1", "linear2", "norm1", "norm2"},
  [REF_FAST_TRANSFORMERS] = {
    "attention.", "linear1", "linear2", "norm1", "norm2"},
  [REF_CONTINUAL] = {
        "0.self_attn.", "1._ff_block.1.linear1", "1.fn._ff_block.fn.linear2",
      "1.norm1.fn", "1.fn.norm2"},
};

static void
put_layer (GArray * tensors, const RefModel * m, const RefLayer * layer,
    const gchar * path)
{
  g_autofree gchar *attention = g_strconcat (path,
      layer_names[m->names].attention, NULL);
  g_autofree gchar *linear1 = g_strconcat (path, layer_names[m->names].linear1,
      NULL);
  g_autofree gchar *linear2 = g_strconcat (path, layer_names[m->names].linear2,
      NULL);
  g_autofree gchar *norm1 = g_strconcat (path, layer_names[m->names].norm1,
      NULL);
  g_autofree gchar *norm2 = g_strconcat (path, layer_names[m->names].norm2,
      NULL);

  if (m->decoder) {
    g_autofree gchar *self = g_strconcat (path, "self_attention.", NULL);
    g_autofree gchar *cross = g_strconcat (path, "cross_attention.", NULL);
    g_autofree gchar *norm3 = g_strconcat (path, "norm3", NULL);
    put_projections (tensors, m, &layer->self, self);
    put_projections (tensors, m, &layer->cross, cross);
    put_norm (tensors, m, &layer->norm3, norm3);
  } else if (m->names == REF_FAST_TRANSFORMERS)
    put_projections (tensors, m, &layer->self, attention);
  else
    put_attention (tensors, m, layer, attention);
  put_linear (tensors, m, &layer->linear1, linear1);
  put_linear (tensors, m, &layer->linear2, linear2);
  put_norm (tensors, m, &layer->norm1, norm1);
  put_norm (tensors, m, &layer->norm2, norm2);
}

static void
put_encoder (GArray * tensors, const RefModel * m, const gchar * path)
{
  g_autofree gchar *norm = g_strconcat (path, "norm", NULL);

  for (gsize l = 0; l < m->L; l++) {
    /* continual-inference wraps layers in co.Residual and the like. */
    g_autofree gchar *layer = g_strdup_printf ("%slayers.%zu.%s", path, l,
        m->names == REF_CONTINUAL && l % 2 ? "fn." : "");
    put_layer (tensors, m, &m->layers[l], layer);
  }
  put_norm (tensors, m, &m->encoder_norm, norm);
}

/* As the last tensor, but with a leading dimension of 1 */
static void
widen_last (GArray * tensors, gsize n, gsize width)
{
  Tensor *t = &g_array_index (tensors, Tensor, tensors->len - 1);

  t->n_dims = 3;
  memcpy (t->dims, (gsize[]) {
      1, n, width}, 3 * sizeof (gsize));
}

static void
put_layout (GArray * tensors, const RefModel * m)
{
  const RefLayout *l = &m->layout;

  put_norm (tensors, m, &l->input_norm, "input_norm");
  put_norm (tensors, m, &l->batch_norm, "input_bn");
  put (tensors, m, l->batch_mean, m->C, 0, "input_bn.running_mean");
  put (tensors, m, l->batch_var, m->C, 0, "input_bn.running_var");
  put_linear (tensors, m, &m->embed, "proj");
  put (tensors, m, l->class_token, m->E, 0, "cls_token");
  if (l->class_token)
    widen_last (tensors, 1, m->E);
  put (tensors, m, m->positions, m->P, m->E, "pos_embed");
  if (m->positions && m->P > 1 && m->P % 2)
    widen_last (tensors, m->P, m->E);
  put_norm (tensors, m, &l->between, "pre_norm");
  put_encoder (tensors, m, "encoder.");
  put_norm (tensors, m, &m->norm, "post_norm");
  put_norm (tensors, m, &l->fc_norm, "fc_norm");
  put_linear (tensors, m, &l->hidden, "classifier.0");
  put_linear (tensors, m, &m->head, "classifier.3");
}

static json_t *
layout_json (const RefModel * m)
{
  static const gchar *const pools[] = { NULL, "pool:last", "pool:first",
    "pool:mean", "pool:max", "pool:cls"
  };
  const RefLayout *l = &m->layout;
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  json_t *array = json_array (), *text;
  g_autofree gchar *scale = NULL, *string = NULL;
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

#define ADD(condition, name) G_STMT_START { if (condition) g_ptr_array_add (list, (gpointer) (name)); } G_STMT_END
  scale = g_strconcat ("scale:", g_ascii_dtostr (number, sizeof number, l->scale), NULL);
  ADD (l->input_norm.gain, "input_norm");
  ADD (l->batch_mean, "input_bn");
  ADD (TRUE, "proj");
  ADD (l->scale != 0, scale);
  ADD (l->class_token && l->class_covered, "cls_token");
  ADD (m->positions, "pos_embed");
  ADD (l->class_token && !l->class_covered, "cls_token");
  ADD (l->between.gain, "pre_norm");
  ADD (TRUE, "encoder");
  ADD (m->norm.gain, "post_norm");
  ADD (l->pool, pools[l->pool]);
  ADD (l->fc_norm.gain, "fc_norm");
  ADD (l->hidden.w, "classifier.0");
  ADD (l->hidden.w, l->hidden_activation);
  ADD (TRUE, "classifier.3");
  ADD (l->end, l->end);
#undef ADD
  for (guint i = 0; i < list->len; i++)
    json_array_append_new (array, json_string (list->pdata[i]));
  string = json_dumps (array, JSON_COMPACT);
  json_decref (array);
  text = json_string (string);
  return text;
}

static GArray *
name_tensors (const RefModel * m)
{
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (Tensor));

  g_array_set_clear_func (tensors, tensor_clear);
  if (m->names == REF_KERAS) {
    put_keras (tensors, m, &m->layers[0].self);
  } else if (m->bare) {
    put_attention (tensors, m, &m->layers[0], "");
  } else if (m->layout.on) {
    put_layout (tensors, m);
  } else if (!m->embed.w) {
    /* One layer can be a model without an encoder around it. */
    if (m->L == 1 && !m->encoder_norm.gain)
      put_layer (tensors, m, &m->layers[0], "");
    else
      put_encoder (tensors, m, "");
  } else {
    put_linear (tensors, m, &m->embed, m->named ? "embed" : "0");
    put (tensors, m, m->positions, m->P, m->E,
        m->named ? "positions.weight" : "1.pe.weight");
    put_encoder (tensors, m, m->named ? "encoder." : "2.");
    put_norm (tensors, m, &m->norm, m->named ? "norm" : "3.fn");
    put_linear (tensors, m, &m->head, m->named ? "head" : "4");
  }
  return tensors;
}

static json_t *
json_number (double x)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  return json_string (g_ascii_dtostr (text, sizeof text, x));
}

static json_t *
windows_json (const RefModel * m)
{
  g_autoptr (GString) s = g_string_new ("[");

  for (gsize l = 0; l < m->L; l++)
    g_string_append_printf (s, "%s[%zu, %zu]", l ? ", " : "", m->windows[l][0],
        m->windows[l][1]);
  g_string_append_c (s, ']');
  return json_string (s->str);
}

static json_t *
metadata (const RefModel * m)
{
  json_t *o = json_object ();

  json_object_set_new (o, m->H % 2 ? "nhead" : "num_heads",
      json_sprintf ("%zu", m->H));
  if (m->rms)
    json_object_set_new (o, "norm_type", json_string ("rms"));
  if (m->unit_offset)
    json_object_set_new (o, "norm_unit_offset", json_string ("true"));
  if (m->rope_theta > 0) {
    json_object_set_new (o, "rope_theta", json_number (m->rope_theta));
    json_object_set_new (o, "rope_interleaved",
        json_string (m->rope_interleaved ? "true" : "false"));
    json_object_set_new (o, "partial_rotary_factor",
        json_number (m->rope_partial));
  }
  if (m->windows[0][0])
    json_object_set_new (o, "attention_windows", windows_json (m));
  else if (m->N > 0)
    json_object_set_new (o, "sequence_len", json_sprintf ("%zu", m->N));
  json_object_set_new (o, m->decoder ? "self_attention" : "attention",
      json_string (m->kind));
  if (m->decoder)
    json_object_set_new (o, "cross_attention",
        json_string (m->cross_linear ? "linear" : "full"));
  if (m->map)
    json_object_set_new (o, g_str_equal (m->kind, "kernel") ?
        "feature_transform" : "feature_map", json_string (m->map));
  if (m->kernel_fn)
    json_object_set_new (o, "kernel_fn", json_string (m->kernel_fn));
  if (m->smoothing > 0)
    json_object_set_new (o, "smoothing", json_number (m->smoothing));
  if (m->window_len > 0) {
    gboolean random = m->layers[0].self.features.projection != NULL;
    json_object_set_new (o, "num_random_features", json_sprintf ("%zu",
            random ? m->layers[0].self.features.n_projected : (gsize) 0));
    json_object_set_new (o, "causal_chunk_length",
        json_sprintf ("%zu", m->chunk_len));
    json_object_set_new (o, "causal_window_length",
        json_sprintf ("%zu", m->window_len));
    json_object_set_new (o, "cache", json_string (m->cache ? "true" : "false"));
    if (m->decay < 1 || m->cache)
      json_object_set_new (o, "causal_window_decay", json_number (m->decay));
  }
  json_object_set_new (o, "activation", json_string (m->activation));
  json_object_set_new (o, "layer_norm_eps", json_number (m->eps));
  json_object_set_new (o, "norm_first",
      json_string (m->norm_first ? "true" : "false"));
  json_object_set_new (o, "add_zero_attn",
      json_string (m->zero_attn ? "true" : "false"));
  if (m->layout.on) {
    json_object_set_new (o, "layout", layout_json (m));
    if (*m->prefix)
      json_object_set_new (o, "prefix",
          json_string (g_str_equal (m->prefix, "model.") ? "model" : "encoder"));
    json_object_set_new (o, "position_index",
        json_string (m->layout.window ? "window" : "recycle"));
    json_object_set_new (o, "answer_interval",
        json_sprintf ("%zu", m->layout.interval));
  }
  if (m->query_index != -1)
    json_object_set_new (o, "query_index",
        json_sprintf ("%d", (gint) m->query_index));
  return o;
}

GBytes *
ref_model_write (const RefModel * m, GRand * random)
{
  g_autoptr (GArray) tensors = name_tensors (m);
  GByteArray *bytes = g_byte_array_new (), *data = g_byte_array_new ();
  json_t *header = json_object ();
  g_autofree gchar *text = NULL;
  guint64 n;

  json_object_set_new (header, "__metadata__", metadata (m));
  for (guint i = tensors->len; random && i > 1; i--) {
    guint j = g_rand_int_range (random, 0, i);
    Tensor *a = &g_array_index (tensors, Tensor, i - 1);
    Tensor *b = &g_array_index (tensors, Tensor, j), swap = *a;
    *a = *b;
    *b = swap;
  }
  for (guint i = 0; i < tensors->len; i++) {
    const Tensor *t = &g_array_index (tensors, Tensor, i);
    json_t *shape = json_array ();
    gsize from = data->len, count = 1;

    for (gsize d = 0; d < t->n_dims; d++) {
      json_array_append_new (shape, json_integer (t->dims[d]));
      count *= t->dims[d];
    }
    g_byte_array_append (data, (const guint8 *) t->data,
        count * sizeof (float));
    json_object_set_new (header, t->name, json_pack ("{s:s, s:o, s:[i, i]}",
            "dtype", "F32", "shape", shape, "data_offsets", (int) from,
            (int) data->len));
  }
  text = json_dumps (header, JSON_COMPACT);
  n = GUINT64_TO_LE (strlen (text));
  g_byte_array_append (bytes, (const guint8 *) &n, sizeof n);
  g_byte_array_append (bytes, (const guint8 *) text, strlen (text));
  g_byte_array_append (bytes, data->data, data->len);
  g_byte_array_unref (data);
  json_decref (header);
  return g_byte_array_free_to_bytes (bytes);
}
