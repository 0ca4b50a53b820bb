/* libcontinual: each kind of attention: the mode of its stack, the classes and the weights of its layers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"
#include "weights/quote.h"
#include "stack/rows.h"
#include "stack/windows.h"
#include <jansson.h>
#include <math.h>

/* A layer in row mode, or one of a window in which all positions attend. @apart: queries may be of other rows than keys */
static void
pack_rows (const CoBuild * b, CoLayer * layer, gboolean apart)
{
  const CoMatrices *m = &b->matrices[layer->index];

  co_build_pack_inputs (b, &layer->attention, m, layer->bare || apart);
  layer->attention.out = co_build_pack (b, &m->out);
  if (!layer->bare)
    layer->linear1 = co_build_pack (b, &m->linear1);
  layer->ring_width = layer->bare ? 0 : layer->attention.q.n_in;
}

/* The first layer in window mode, where its attention is updated */
static void
pack_first (const CoBuild * b, CoLayer * layer)
{
  const CoMatrices *m = &b->matrices[layer->index];

  co_build_pack_inputs (b, &layer->attention, m, layer->bare);
  co_build_pack_carried (b, layer);
  layer->ring_width = layer->bare ? 0 : layer->attention.n_carried;
}

/* The last of several layers in window mode, if one row attends */
static void
pack_last (const CoBuild * b, CoLayer * layer)
{
  const CoMatrices *m = &b->matrices[layer->index];
  const CoAttention *a = &layer->attention;

  /* Keys that are more than a projection, or shared by heads, are all projected. */
  if (co_attention_prepares (a) || a->n_kv_heads < a->n_heads) {
    pack_rows (b, layer, FALSE);
    return;
  }
  co_build_pack_query (b, &layer->attention, m);
  layer->linear1 = co_build_pack (b, &m->linear1);
}

/* ---- kinds with a window ---- */

static gboolean
read_window (const CoBuild * b, const CoStack * stack, gsize * back)
{
  const CoSettings *s = b->settings;
  const gint64 N = s->sequence_len;

  if (N == 0)
    return co_build_fail (b, CO_ERROR_SETTING,
        "the window is not known: expected `sequence_len` in the metadata, found none; save it there, or set the "
        "property sequence-len (the option sequence_len)");
  if (s->query_index < -N || s->query_index >= N)
    return co_build_fail (b, CO_ERROR_SETTING,
        "query_index %" G_GINT64_FORMAT " is outside the window: expected -%"
        G_GINT64_FORMAT " to %" G_GINT64_FORMAT
        "; correct query_index or sequence_len", s->query_index, N, N - 1);
  *back = s->query_index < 0 ? -1 - s->query_index : N - 1 - s->query_index;
  if (*back > 0 && stack->pool != CO_POOL_NONE)
    return co_build_fail (b, CO_ERROR_SETTING,
        "query_index %" G_GINT64_FORMAT
        " beside a pool: expected one of them, for both say which row is answered; leave query_index out",
        s->query_index);
  if (*back > 0 && s->kind != CO_KIND_SINGLE_OUTPUT)
    return co_build_fail (b, CO_ERROR_SETTING,
        "query_index %" G_GINT64_FORMAT
        " with attention %s: expected single-output, for no other kind answers one position; leave query_index out, or "
        "use single-output", s->query_index, co_kind_choices[s->kind].name);
  if (s->warm_up == CO_WARM_UP_PARTIAL && (*back > 0
          || (s->kind == CO_KIND_RETROACTIVE && stack->pool == CO_POOL_NONE)))
    return co_build_fail (b, CO_ERROR_SETTING,
        "warm_up partial %s: expected drop, for there is no such vector before the window is full",
        *back > 0 ? "with a query_index that looks back" : "with retroactive");
  if (stack->class_row && stack->pool == CO_POOL_NONE)
    return co_build_fail (b, CO_ERROR_SETTING,
        "a class token without a pool: expected `pool:cls`, or another pool, behind the encoder in the layout, found "
        "none; add it");
  if (stack->pool == CO_POOL_CLS && !stack->class_row)
    return co_build_fail (b, CO_ERROR_SETTING,
        "pool:cls without a class token: expected a tensor (1, 1, E) before the encoder in the layout, found none; add "
        "it, or use pool:first");
  if (stack->class_row && stack->layers[0].attention.rotary)
    return co_build_fail (b, CO_ERROR_SETTING,
        "a class token with rotary positions: expected one of them, for the class token has no position on a stream; "
        "train with positions that are added");
  if (stack->layers[0].bare && (stack->window_positions || stack->class_row
          || stack->pool != CO_POOL_NONE))
    return co_build_fail (b, CO_ERROR_SETTING,
        "window positions, a class token or a pool around a bare attention: expected layers with a feed-forward; "
        "evaluate them outside the model");
  return TRUE;
}

static gboolean
set_window (const CoBuild * b, CoStack * stack, const CoMode * mode,
    const CoAttentionClass * first, const CoAttentionClass * others)
{
  gsize back = 0;

  if (!read_window (b, stack, &back))
    return FALSE;
  stack->mode = mode;
  stack->query_back = back;
  for (gsize l = 0; l < stack->n_layers; l++) {
    CoAttention *a = &stack->layers[l].attention;

    a->klass = l == 0 ? first : others;
    a->sequence_len = b->settings->sequence_len;
    a->query_back = mode == &co_row_mode ? back : 0;
    a->partial = b->settings->warm_up == CO_WARM_UP_PARTIAL;
    a->n_class = mode == &co_window_mode && stack->class_row ? 1 : 0;
  }
  return TRUE;
}

/* Each layer over the last N of its own inputs */
static gboolean
set_row_windows (const CoBuild * b, CoStack * stack)
{
  if (!set_window (b, stack, &co_row_mode, &co_single_output_class,
          &co_single_output_class))
    return FALSE;
  for (gsize l = 0; l < stack->n_layers; l++)
    pack_rows (b, &stack->layers[l], FALSE);
  return TRUE;
}

/* A single layer of which one row is answered */
static gboolean
set_one_query (const CoBuild * b, CoStack * stack)
{
  CoLayer *layer = &stack->layers[0];

  if (!set_window (b, stack, &co_row_mode, stack->window_positions ?
          &co_single_output_positions_class : &co_single_output_class, NULL))
    return FALSE;
  if (stack->pool == CO_POOL_FIRST && !stack->class_row)
    stack->query_back = layer->attention.query_back =
        layer->attention.sequence_len - 1;
  if (stack->window_positions)
    co_build_pack_positions (b, stack, layer, TRUE);
  else
    pack_rows (b, layer, stack->class_row != NULL);
  if (stack->class_row)
    co_build_class_token (b, stack, layer, TRUE);
  return TRUE;
}

/* The first layer gives its whole window, which the layers above recompute */
static gboolean
set_whole_windows (const CoBuild * b, CoStack * stack)
{
  const gsize last = stack->n_layers - 1;
  const gboolean one_row =
      !stack->all_positions && !co_pool_reduces (stack->pool);
  CoLayer *first = &stack->layers[0];

  if (!set_window (b, stack, &co_window_mode, stack->window_positions ?
          &co_cached_window_class : &co_retroactive_class, &co_window_class))
    return FALSE;
  if (!stack->window_positions) {
    if (stack->class_row)
      co_build_class_token (b, stack, first, TRUE);
    pack_first (b, first);
    if (stack->class_row)
      co_build_class_base (b, stack, first);
  } else {
    if (stack->between.n)
      pack_rows (b, first, FALSE);
    else
      co_build_pack_positions (b, stack, first, FALSE);
    if (stack->class_row)
      co_build_class_token (b, stack, first, FALSE);
    first->ring_width = stack->d_embed;
  }
  for (gsize l = 1; l <= last; l++)
    if (l == last && one_row) {
      stack->layers[l].attention.klass = &co_window_query_class;
      pack_last (b, &stack->layers[l]);
    } else {
      pack_rows (b, &stack->layers[l], FALSE);
    }
  return TRUE;
}

static gboolean
single_output (const CoBuild * b, CoStack * stack, const CoParts * parts)
{
  const gboolean oldest = stack->pool == CO_POOL_FIRST && !stack->class_row;
  const gboolean one_query = stack->n_layers == 1
      && !co_pool_reduces (stack->pool)
      && !(oldest && b->settings->warm_up == CO_WARM_UP_PARTIAL)
      && !(stack->window_positions && (stack->between.n
          || co_attention_prepares (&stack->layers[0].attention)));

  return one_query ? set_one_query (b, stack) : set_whole_windows (b, stack);
}

static gboolean
retroactive (const CoBuild * b, CoStack * stack, const CoParts * parts)
{
  if (stack->pool != CO_POOL_NONE)
    return single_output (b, stack, parts);
  stack->all_positions = TRUE;
  return set_whole_windows (b, stack);
}

/* The kinds whose layers map rows to rows have no window in which positions, or a class token, are counted. */
static gboolean
check_row_kind (const CoBuild * b, const CoStack * stack, CoKind kind)
{
  const gchar *name = co_kind_choices[kind].name;

  if (stack->window_positions)
    return co_build_fail (b, CO_ERROR_SETTING,
        "position_index window with attention %s: expected recycle, for its layers see no common window; use "
        "single-output or retroactive, or train with recycled positions", name);
  if (stack->class_row)
    return co_build_fail (b, CO_ERROR_SETTING,
        "a class token with attention %s: expected none, for its layers see no common window; use single-output or "
        "retroactive", name);
  if (stack->pool != CO_POOL_NONE && stack->pool != CO_POOL_LAST)
    return co_build_fail (b, CO_ERROR_SETTING,
        "a pool over a window with attention %s: expected `pool:last` or none, for it answers rows; use single-output "
        "or retroactive", name);
  return TRUE;
}

static gboolean
fail_windows (const CoBuild * b, const CoStack * stack, const gchar * found)
{
  g_autofree gchar *quoted = co_quote (found);

  return co_build_fail (b, CO_ERROR_SETTING,
      "attention_windows: expected a JSON array of %" G_GSIZE_FORMAT
      " pairs, one for each layer, such as [[16, 4], [16, 0]]: left from 1, which counts the vector itself, and right "
      "from 0, up to %d, found %s; correct it", stack->n_layers, CO_MAX_COUNT,
      quoted);
}

/* A window [left, right] for each layer */
static gboolean
set_layer_windows (const CoBuild * b, CoStack * stack)
{
  const gchar *text = b->settings->attention_windows;
  const gboolean partial = b->settings->warm_up == CO_WARM_UP_PARTIAL;
  json_error_t why;
  json_t *array = json_loads (text, JSON_REJECT_DUPLICATES, &why);
  gboolean ok = json_is_array (array)
      && json_array_size (array) == stack->n_layers;

  stack->mode = &co_row_mode;
  for (gsize l = 0; ok && l < stack->n_layers; l++) {
    const json_t *pair = json_array_get (array, l);
    const json_t *left = json_array_get (pair, 0);
    const json_t *right = json_array_get (pair, 1);
    CoAttention *a = &stack->layers[l].attention;

    ok = json_array_size (pair) == 2 && json_is_integer (left)
        && json_is_integer (right) && json_integer_value (left) >= 1
        && json_integer_value (left) <= CO_MAX_COUNT
        && json_integer_value (right) >= 0
        && json_integer_value (right) <= CO_MAX_COUNT;
    if (!ok)
      break;
    a->query_back = json_integer_value (right);
    a->sequence_len = json_integer_value (left) + a->query_back;
    a->partial = partial;
    a->klass = a->query_back ? &co_look_ahead_class : &co_single_output_class;
    stack->query_back += a->query_back;
    pack_rows (b, &stack->layers[l], FALSE);
  }
  stack->ends_at_drain = stack->query_back > 0;
  json_decref (array);
  return ok || fail_windows (b, stack, text);
}

static gboolean
deep (const CoBuild * b, CoStack * stack, const CoParts * parts)
{
  const CoSource *sources = b->settings->sources;

  if (!b->settings->attention_windows
      || sources[CO_ROW_sequence_len] > sources[CO_ROW_attention_windows])
    return set_row_windows (b, stack);
  if (!set_layer_windows (b, stack))
    return FALSE;
  if (stack->query_back > 0 && stack->pool != CO_POOL_NONE)
    return co_build_fail (b, CO_ERROR_SETTING,
        "a pool with attention_windows that look ahead: expected none, for every vector has an answer of its own; leave "
        "pool:last out of the layout");
  if (sources[CO_ROW_sequence_len] == sources[CO_ROW_attention_windows])
    return co_build_fail (b, CO_ERROR_SETTING,
        "sequence_len beside attention_windows: expected one of them, for both say the window of a layer; leave "
        "sequence_len out");
  return TRUE;
}

/* ---- kinds without a window ---- */

/* fast_transformers' feature map for the attention whose tensors begin at role @base */
static gboolean
set_feature_map (const CoBuild * b, CoAttention * a,
    const CoLayerParts * layer, CoRole base)
{
  const CoSettings *s = b->settings;
  const CoTensor *omega =
      layer->tensors[base + CO_ROLE_FEATURES - CO_ROLE_Q_WEIGHT];
  CoFeatures *f = &a->features;
  gboolean random;
  gsize n_dims;
  double temp;

  *f = (CoFeatures) {.map = &co_feature_maps[s->feature_map],.n_in =
        a->d_key,.n_projected = a->d_key,.scale = 1,.norm = 1,.smoothing =
        s->smoothing,.kernel_fn = s->kernel_fn,.eps = 1e-6};
  random = f->map != &co_feature_maps[0];
  if (random != (omega != NULL))
    return co_build_fail (b, CO_ERROR_MODEL, random ?
        "layer '%s': feature map %s is drawn at random: expected the matrix it was trained with as tensor "
        "'inner_attention.feature_map.omega', found none; export the state dict with its buffers" :
        "layer '%s': feature map %s uses no random matrix, but the file has one: expected favor, random-fourier, "
        "smoothed-random-fourier or generalized; save the right one as metadata feature_map",
        layer->path, f->map->name);
  if (random) {
    float *w;
    if (!co_build_check (b, omega, 2, (gsize[]) {
            a->d_key, CO_ANY}))
      return FALSE;
    f->n_projected = omega->dims[1];
    w = co_build_own (b, f->n_projected * a->d_key);
    for (gsize r = 0; r < f->n_projected; r++)
      for (gsize i = 0; i < a->d_key; i++)
        w[r * a->d_key + i] = omega->data[i * f->n_projected + r];
    f->projection = w;
    temp = s->softmax_temp ? s->softmax_temp :
        f->map->n_per_projection == 1 ? 1 : 1 / sqrt (a->d_key);
    f->scale = sqrt (temp);
    /* n_dims is odd where half of it was rounded. */
    n_dims = s->n_dims ? (gsize) s->n_dims : 2 * f->n_projected;
    f->norm = f->map->logs ? 1 / sqrt (n_dims) : sqrt (2.0 / n_dims);
  }
  f->n_features = f->map->n_per_projection * f->n_projected +
      f->map->n_constant;
  return TRUE;
}

static gboolean
recurrent_full (const CoBuild * b, CoStack * stack, const CoParts * parts)
{
  stack->mode = &co_row_mode;
  if (b->settings->at_max == CO_AT_MAX_ERROR)
    stack->max_len = b->settings->max_len;
  for (gsize l = 0; l < stack->n_layers; l++) {
    CoAttention *a = &stack->layers[l].attention;

    a->klass = &co_recurrent_full_class;
    a->sequence_len = b->settings->max_len;
    a->partial = TRUE;
    pack_rows (b, &stack->layers[l], FALSE);
  }
  return TRUE;
}

static gboolean
recurrent_linear (const CoBuild * b, CoStack * stack, const CoParts * parts)
{
  stack->mode = &co_row_mode;
  for (gsize l = 0; l < stack->n_layers; l++) {
    CoAttention *a = &stack->layers[l].attention;

    a->klass = &co_recurrent_linear_class;
    if (a->n_fixed)
      return co_build_fail (b, CO_ERROR_SETTING,
          "add_bias_kv and add_zero_attn with attention recurrent-linear: expected neither, for linear attention has "
          "no such keys; leave them out");
    if (!set_feature_map (b, a, &g_array_index (parts->layers, CoLayerParts,
                l), CO_ROLE_Q_WEIGHT))
      return FALSE;
    pack_rows (b, &stack->layers[l], FALSE);
  }
  return TRUE;
}

/* Parameters of KernelAttention that have no meaning on a stream, unless they have this value. */
static const struct
{
  const gchar *key, *harmless, *why;
} refused[] = {
  {"use_causal_windowed", "true",
      "without causal windows every vector attends to the whole sequence, which a stream does not have"},
  {"is_short_seq", "false",
      "it takes a softmax over the whole sequence, which a stream does not have"},
  {"scale_by_length", "false",
      "it scales by the length of the whole sequence, which a stream does not have"},
  {"begin_kernel", "0",
      "the vectors before it take a softmax over the whole sequence, which a stream does not have"},
  {"causal_padding", "right",
      "padding on the left depends on the length of the whole sequence; an incomplete chunk is answered at the end "
      "of the stream, as with padding right"},
};

static gboolean
check_refused (const CoBuild * b)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++) {
    const gchar *value = co_checkpoint_get_metadata (b->file, refused[i].key);

    if (value && *value && g_ascii_strcasecmp (value, refused[i].harmless) != 0
        && g_ascii_strcasecmp (value, "none") != 0)
      return co_build_fail (b, CO_ERROR_SETTING,
          "metadata `%s` is '%s': expected %s or nothing, for %s; train without it",
          refused[i].key, value, refused[i].harmless, refused[i].why);
  }
  return TRUE;
}

static gboolean
set_feature_transform (const CoBuild * b, CoAttention * a,
    const CoLayerParts * layer)
{
  const CoSettings *s = b->settings;
  const CoTensor *matrix = layer->tensors[CO_ROLE_FEATURES];
  const gsize M = s->num_random_features;
  CoFeatures *f = &a->features;

  if (!co_feature_transforms[s->feature_transform].map)
    return co_build_fail (b, CO_ERROR_SETTING,
        "feature_transform %s needs statistics of all queries and keys of the sequence before it can map the "
        "first one, which a stream does not have: expected elu, relu, square, exp, expmod or identity; train with one "
        "of these", co_feature_transforms[s->feature_transform].name);
  if (M > 0 && !matrix)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor 'projection_matrix' is missing: expected (%" G_GSIZE_FORMAT
        ", %" G_GSIZE_FORMAT
        ") for num_random_features %" G_GSIZE_FORMAT
        ", found none; Keras does not save it with the weights, so export layer._projection_matrix under that name, "
        "or save num_random_features 0 if the layer has none", M, a->d_key, M);
  if (M == 0 && matrix)
    return co_build_fail (b, CO_ERROR_MODEL,
        "nothing uses tensor '%s' with num_random_features 0: expected none; leave it out, or correct "
        "num_random_features", matrix->name);
  *f = (CoFeatures) {.map = &co_feature_transforms[s->feature_transform],.n_in =
        a->d_key,.n_projected = a->d_key,.norm = 1,.scale =
        sqrt (s->scale ? s->scale : 1 / sqrt (a->d_key))};
  if (matrix) {
    if (!co_build_check (b, matrix, 2, (gsize[]) {
            M, a->d_key}))
      return FALSE;
    f->projection = co_build_copy (b, matrix->data, matrix->n_elements);
    f->n_projected = M;
    f->norm = 1 / sqrt (M);
  }
  f->n_features = f->n_projected;
  f->eps = f->map->logs ? 0 : 1e-6;
  return TRUE;
}

static gboolean
kernel (const CoBuild * b, CoStack * stack, const CoParts * parts)
{
  const CoSettings *s = b->settings;
  CoAttention *a = &stack->layers[0].attention;

  if (!stack->layers[0].bare)
    return co_build_fail (b, CO_ERROR_SETTING,
        "attention kernel with layers of %s: expected a KernelAttention alone; use another kind",
        b->scheme->title);
  if (!check_refused (b))
    return FALSE;
  if (a->n_kv_heads < a->n_heads)
    return co_build_fail (b, CO_ERROR_SETTING,
        "%" G_GSIZE_FORMAT " key heads of %" G_GSIZE_FORMAT " heads with attention kernel: expected a key head for each, "
        "as KernelAttention has; leave num_key_value_heads out", a->n_kv_heads, a->n_heads);
  if (a->n_fixed)
    return co_build_fail (b, CO_ERROR_SETTING,
        "add_bias_kv and add_zero_attn with attention kernel: expected neither, for kernel attention has no such "
        "keys; leave them out");
  if (s->cache && s->causal_window_decay < 0)
    return co_build_fail (b, CO_ERROR_SETTING,
        "cache without causal_window_decay: expected a decay from 0 to 1, as KernelAttention does, found none; save "
        "causal_window_decay, or leave cache out for a window without decay");
  stack->mode = &co_row_mode;
  a->klass = &co_kernel_class;
  a->chunk_len = s->causal_chunk_length;
  /* With a decay of 0, earlier chunks have no weight: the window is one chunk. */
  a->window_len = s->causal_window_decay == 0 ? 1 : s->causal_window_length;
  a->cache = s->cache && s->causal_window_decay != 0;
  a->decay = s->causal_window_decay > 0 ? s->causal_window_decay : 1;
  pack_rows (b, &stack->layers[0], FALSE);
  return set_feature_transform (b, a, &g_array_index (parts->layers,
          CoLayerParts, 0));
}

/* ---- decoders ---- */

static gboolean
set_cross_attention (const CoBuild * b, CoStack * stack,
    const CoParts * parts)
{
  gboolean linear = b->settings->cross_attention == CO_CROSS_LINEAR;

  if (b->settings->norm_first)
    return co_build_fail (b, CO_ERROR_SETTING,
        "norm_first with a decoder: expected false, for the norms of fast_transformers' decoders are after attention and feed-forward; leave it out");
  for (gsize l = 0; l < stack->n_layers; l++) {
    CoLayer *layer = &stack->layers[l];

    layer->cross_class = linear ? &co_cross_linear_class : &co_cross_full_class;
    if (linear && layer->cross.n_kv_heads < layer->cross.n_heads)
      return co_build_fail (b, CO_ERROR_SETTING,
          "%" G_GSIZE_FORMAT " key heads of %" G_GSIZE_FORMAT " heads with cross_attention linear: expected a key head "
          "for each, as fast_transformers' decoders have; leave num_key_value_heads out", layer->cross.n_kv_heads,
          layer->cross.n_heads);
    if (linear && !set_feature_map (b, &layer->cross,
            &g_array_index (parts->layers, CoLayerParts, l), CO_ROLE_CROSS))
      return FALSE;
  }
  return TRUE;
}

static gboolean (*const kinds[CO_N_KINDS]) (const CoBuild *, CoStack *, const CoParts *) = {
#define BUILD(NAME, build, name, blurb) [CO_KIND_##NAME] = build,
  CO_KINDS (BUILD)
#undef BUILD
};

static const CoKind self_attentions[] = {
  [CO_SELF_RECURRENT_FULL] = CO_KIND_RECURRENT_FULL,
  [CO_SELF_RECURRENT_LINEAR] = CO_KIND_RECURRENT_LINEAR,
};

gboolean
co_build_kind (const CoBuild * b, CoStack * stack, const CoParts * parts)
{
  const CoKind kind = b->scheme->decoder
      ? self_attentions[b->settings->self_attention] : (CoKind) b->settings->kind;

  if (b->scheme->decoder && !set_cross_attention (b, stack, parts))
    return FALSE;
  for (gsize l = 0; l < stack->n_layers; l++) {
    const CoTensor *const *t = g_array_index (parts->layers, CoLayerParts,
        l).tensors;
    gsize cross = CO_ROLE_FEATURES - CO_ROLE_Q_WEIGHT + CO_ROLE_CROSS;

    if ((kind != CO_KIND_RECURRENT_LINEAR && !b->scheme->keras
            && !co_build_unused (b, t[CO_ROLE_FEATURES],
                "without attention recurrent-linear"))
        || (b->settings->cross_attention != CO_CROSS_LINEAR
            && !co_build_unused (b, t[cross], "without cross_attention linear")))
      return FALSE;
  }
  if (b->scheme->keras && kind != CO_KIND_KERNEL)
    return co_build_fail (b, CO_ERROR_SETTING,
        "attention %s with the tensors of %s: expected kernel; save attention kernel in the metadata, or set the "
        "property attention", co_kind_choices[kind].name, b->scheme->title);
  if (kind != CO_KIND_SINGLE_OUTPUT && kind != CO_KIND_RETROACTIVE
      && !check_row_kind (b, stack, kind))
    return FALSE;
  if (kind != CO_KIND_DEEP && b->settings->attention_windows)
    return co_build_fail (b, CO_ERROR_SETTING,
        "attention_windows with attention %s: expected deep, whose layers have windows of their own; leave it out, or "
        "use deep", co_kind_choices[kind].name);
  if ((kind == CO_KIND_RECURRENT_LINEAR || kind == CO_KIND_KERNEL) && b->rotary)
    return co_build_fail (b, CO_ERROR_SETTING,
        "rope_theta with attention %s: expected a kind with softmax, for feature maps have no rotary positions; leave "
        "it out", co_kind_choices[kind].name);
  stack->answer_interval = b->settings->answer_interval;
  return kinds[kind] (b, stack, parts);
}
