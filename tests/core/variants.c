/* What there is to test: one row for each kind and what it is used in, and random models of each
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variants.h"
#include <math.h>

/* *INDENT-OFF* */
const Variant variants[] = {
  { "single-output/attention", "single-output", 0 },
  { "single-output/attention-looking-back", "single-output", 0, .look_back = TRUE },
  { "single-output/attention-keys-values", "single-output", 0, .separate = TRUE },
  { "single-output/attention-keys-values-looking-back", "single-output", 0, .separate = TRUE, .look_back = TRUE },
  { "single-output/attention-partial", "single-output", 0, .partial = TRUE },
  { "single-output/layer", "single-output", 1 },
  { "single-output/layer-looking-back", "single-output", 1, .look_back = TRUE },
  { "single-output/layer-partial", "single-output", 1, .partial = TRUE },
  { "single-output/stack", "single-output", 4 },
  { "single-output/stack-looking-back", "single-output", 4, .look_back = TRUE },
  { "single-output/stack-partial", "single-output", 4, .partial = TRUE },
  { "single-output/classifier", "single-output", 3, .classifier = TRUE },
  { "single-output/classifier-partial", "single-output", 3, .classifier = TRUE, .partial = TRUE },
  { "retroactive/attention", "retroactive", 0 },
  { "retroactive/attention-keys-values", "retroactive", 0, .separate = TRUE },
  { "retroactive/layer", "retroactive", 1 },
  { "retroactive/stack", "retroactive", 4 },
  { "retroactive/classifier", "retroactive", 3, .classifier = TRUE },
  { "deep/attention", "deep", 0 },
  { "deep/stack", "deep", 4 },
  { "deep/stack-partial", "deep", 4, .partial = TRUE },
  { "deep/classifier", "deep", 3, .classifier = TRUE },
  { "recurrent-full/attention", "recurrent-full", 0 },
  { "recurrent-full/stack", "recurrent-full", 3 },
  { "recurrent-full/stack-until-full", "recurrent-full", 3, .fills = TRUE },
  { "recurrent-full/stack-dropping-oldest", "recurrent-full", 3, .fills = TRUE, .drop_oldest = TRUE },
  { "recurrent-full/classifier", "recurrent-full", 2, .classifier = TRUE },
  { "recurrent-linear/attention", "recurrent-linear", 0, .map = "elu" },
  { "recurrent-linear/stack", "recurrent-linear", 3, .map = "elu" },
  { "recurrent-linear/classifier", "recurrent-linear", 2, .classifier = TRUE, .map = "elu" },
  { "recurrent-linear/favor", "recurrent-linear", 2, .map = "favor" },
  { "recurrent-linear/random-fourier", "recurrent-linear", 1, .map = "random-fourier" },
  { "recurrent-linear/smoothed-random-fourier", "recurrent-linear", 1, .map = "smoothed-random-fourier" },
  { "recurrent-linear/generalized", "recurrent-linear", 2, .map = "generalized" },
  { "kernel/elu", "kernel", 0, .map = "elu" },
  { "kernel/relu", "kernel", 0, .map = "relu" },
  { "kernel/square", "kernel", 0, .map = "square" },
  { "kernel/exp", "kernel", 0, .map = "exp" },
  { "kernel/expmod", "kernel", 0, .map = "expmod" },
  { "kernel/identity", "kernel", 0, .map = "identity" },
  { "kernel/chunks-relu", "kernel", 0, .map = "relu", .chunks = TRUE },
  { "kernel/chunks-exp", "kernel", 0, .map = "exp", .chunks = TRUE },
  { "kernel/chunks-keys-values", "kernel", 0, .map = "elu", .chunks = TRUE, .separate = TRUE },
  { "kernel/cache-elu", "kernel", 0, .map = "elu", .cache = TRUE },
  { "kernel/cache-chunks-exp", "kernel", 0, .map = "exp", .cache = TRUE, .chunks = TRUE },
  { "decoder/full-full", "recurrent-full", 2, .decoder = TRUE },
  { "decoder/full-linear", "recurrent-full", 2, .decoder = TRUE, .cross_linear = TRUE, .map = "elu" },
  { "decoder/linear-full", "recurrent-linear", 2, .decoder = TRUE, .map = "elu" },
  { "decoder/linear-linear", "recurrent-linear", 2, .decoder = TRUE, .cross_linear = TRUE, .map = "elu" },
  { "decoder/favor", "recurrent-linear", 2, .decoder = TRUE, .cross_linear = TRUE, .map = "favor" },
  { "rotary/layer", "single-output", 1, .rotary = TRUE },
  { "rotary/layer-looking-back", "single-output", 1, .rotary = TRUE, .look_back = TRUE },
  { "rotary/stack", "single-output", 3, .rotary = TRUE },
  { "rotary/stack-partial", "single-output", 3, .rotary = TRUE, .partial = TRUE },
  { "rotary/retroactive", "retroactive", 3, .rotary = TRUE },
  { "rotary/deep", "deep", 3, .rotary = TRUE },
  { "rotary/recurrent-full", "recurrent-full", 3, .rotary = TRUE },
  { "rotary/layout", "single-output", 3, .rotary = TRUE, .layout = TRUE },
  { "windows/deep", "deep", 3, .windows = TRUE },
  { "windows/deep-partial", "deep", 3, .windows = TRUE, .partial = TRUE },
  { "windows/rotary", "deep", 3, .windows = TRUE, .rotary = TRUE },
  { "layout/layer", "single-output", 1, .layout = TRUE },
  { "layout/layer-partial", "single-output", 1, .layout = TRUE, .partial = TRUE },
  { "layout/stack", "single-output", 3, .layout = TRUE },
  { "layout/stack-partial", "single-output", 3, .layout = TRUE, .partial = TRUE },
  { "layout/retroactive-layer", "retroactive", 1, .layout = TRUE },
  { "layout/retroactive-stack", "retroactive", 3, .layout = TRUE },
  { "layout/deep", "deep", 3, .layout = TRUE },
  { NULL }
};
/* *INDENT-ON* */

guint32
ref_seed (void)
{
  const gchar *text = g_getenv ("CONTINUAL_TEST_SEED");

  return text ? g_ascii_strtoull (text, NULL, 10) : 20240229;
}

float
ref_normal (GRand * random)
{
  double u = 1 - g_rand_double (random), v = g_rand_double (random);

  return sqrt (-2 * log (u)) * cos (2 * G_PI * v);
}

static gboolean
coin (GRand * random)
{
  return g_rand_boolean (random);
}

static float *
numbers (RefModel * m, GRand * random, gsize n, float mean, float deviation)
{
  float *x = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    x[i] = mean + deviation * ref_normal (random);
  g_ptr_array_add (m->owned, x);
  return x;
}

static RefLinear
linear (RefModel * m, GRand * random, gsize n_out, gsize n_in, gboolean bias,
    float gain)
{
  RefLinear f = {.n_out = n_out,.n_in = n_in };

  f.w = numbers (m, random, n_out * n_in, 0, gain / sqrtf (n_in));
  f.b = bias ? numbers (m, random, n_out, 0, 0.3f * gain) : NULL;
  return f;
}

static RefNorm
norm (RefModel * m, GRand * random, gsize n, gboolean bias)
{
  return (RefNorm) {
  .n = n,.gain = numbers (m, random, n, m->unit_offset ? 0 : 1, 0.2f),.bias =
        bias ? numbers (m, random, n, 0, 0.2f) : NULL};
}

#define PICK(random, ...)                                                       \
  (((const gsize[]) { __VA_ARGS__ })[g_rand_int_range (random, 0,               \
      sizeof ((const gsize[]) { __VA_ARGS__ }) / sizeof (gsize))])

static void
sizes (RefModel * m, const Shape * shape, GRand * random)
{
  gsize d = PICK (random, 1, 2, 3, 4, 5, 7, 8, 16, 16, 24);

  m->H = shape->H ? shape->H : PICK (random, 1, 1, 2, 3, 4, 5, 8, 13);
  if (m->H > 5)
    d = MIN (d, 4);
  /* A layer norm of few features now and then divides two almost equal ones' difference by itself, and no float32
   * input is exact enough for that. Of one feature it is exact. */
  if (!m->bare && m->H * d > 1 && m->H * d < 6)
    d = 6;
  m->E = shape->E ? shape->E : m->H * d;
  m->N = shape->N ? shape->N : PICK (random, 1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31);
}

static const gchar *const activations[] = { "relu", "gelu", "gelu_tanh",
  "silu", "tanh", "sigmoid", "elu", "leaky_relu", "identity"
};

/* The projections of one attention, and its features if it is linear */
static void
attention (RefModel * m, RefAttention * a, const Variant * variant,
    gsize kdim, gsize vdim, gboolean bias, float logits, gboolean is_linear,
    GRand * random)
{
  const gsize dk = m->E / m->H;
  RefFeatures *f = &a->features;
  gboolean keras = g_str_equal (m->kind, "kernel");

  a->q = linear (m, random, m->E, m->E, bias, logits);
  a->k = linear (m, random, m->E, kdim, bias, logits);
  a->v = linear (m, random, m->E, vdim, bias, 1);
  a->out = linear (m, random, m->E, m->E, bias, 1);
  if (!is_linear)
    return;
  *f = (RefFeatures) {.map = variant->map,.n_in = dk,.n_projected = dk,.scale =
        1,.norm = 1,.eps = 1e-6 };
  if (keras ? coin (random) : !g_str_equal (f->map, "elu")) {
    f->n_projected = g_rand_int_range (random, 1, 20);
    f->projection = numbers (m, random, f->n_projected * dk, 0, 1);
  }
  if (keras) {
    f->scale = sqrt (1 / sqrt (dk));
    f->norm = f->projection ? 1 / sqrt (f->n_projected) : 1;
    if (g_str_has_prefix (f->map, "exp"))
      f->eps = 0;
  } else if (g_str_equal (f->map, "generalized")) {
    if (!m->kernel_fn)
      m->kernel_fn = coin (random) ? "relu" : "sigmoid";
    f->kernel_fn = m->kernel_fn;
  } else if (f->projection) {
    f->scale = sqrt (1 / sqrt (dk));
    f->norm = g_str_equal (f->map, "favor") ? 1 / sqrt (2 * f->n_projected)
        : sqrt (1.0 / f->n_projected);
    f->smoothing = m->smoothing = 1.5;
  }
}

static void
choose_names (RefModel * m, const Variant * variant, GRand * random)
{
  m->names = coin (random) ? REF_TORCH : REF_CONTINUAL;
  if (g_str_has_prefix (m->kind, "recurrent") && !m->bare)
    m->names = REF_FAST_TRANSFORMERS;
  if (g_str_equal (m->kind, "kernel"))
    m->names = REF_KERAS;
  m->prefix = coin (random) ? "" : coin (random) ? "model." : "module.encoder.";
}

/* What only kinds without a window have */
static void
unlimited (RefModel * m, const Variant * variant, const Shape * shape,
    GRand * random)
{
  m->N = 0;
  if (g_str_equal (m->kind, "recurrent-full"))
    m->max_len = shape->max_len;
  if (variant->fills) {
    m->max_len = g_rand_int_range (random, 2, 20);
    m->drop_oldest = variant->drop_oldest;
  }
  m->decay = 1;
  m->chunk_len = 1;
  if (!g_str_equal (m->kind, "kernel"))
    return;
  m->cache = variant->cache;
  m->window_len = g_rand_int_range (random, 1, 12);
  if (variant->chunks)
    m->chunk_len = g_rand_int_range (random, 2, 9);
  if (m->cache || coin (random))
    m->decay = g_rand_double_range (random, 0.5, 1);
}

/* An even share of each head, by chance all of it, is turned. Heads are of an even size. */
static void
rotary (RefModel * m, GRand * random)
{
  gsize d = m->E / m->H;

  if (d % 2)
    m->E = m->H * ++d;
  m->rope_theta = coin (random) ? 10000 : 50;
  m->rope_interleaved = coin (random);
  m->rope_partial = coin (random) || d < 4 ? 1
      : (gdouble) (2 * g_rand_int_range (random, 1, d / 2)) / d;
}

/* Everything around the encoder, each by chance. The kinds that answer rows see no common window. */
static void
random_layout (RefModel * m, const Variant * variant, gboolean bias,
    GRand * random)
{
  static const gchar *const ends[] = { NULL, "softmax", "log_softmax", "sigmoid" };
  RefLayout *l = &m->layout;
  const gboolean window_kind = !g_str_equal (m->kind, "deep");
  const gboolean all = g_str_equal (m->kind, "retroactive");
  gsize width = m->E;

  l->on = TRUE;
  m->C = g_rand_int_range (random, 6, 30);
  m->D = g_rand_int_range (random, 2, 20);
  l->window = window_kind && (g_rand_int_range (random, 0, 3) > 0
      || variant->window);
  if (window_kind && !variant->rotary && coin (random))
    l->class_token = numbers (m, random, m->E, 0, 1);
  l->pool = all && !l->class_token && coin (random) ? REF_POOL_NONE
      : window_kind ? g_rand_int_range (random, REF_POOL_LAST,
      REF_POOL_CLS + (l->class_token ? 1 : 0)) : coin (random) ? REF_POOL_LAST
      : REF_POOL_NONE;
  /* Partial windows have no past for all positions. */
  if (all && m->partial && l->pool == REF_POOL_NONE)
    l->pool = REF_POOL_MEAN;
  l->class_covered = l->class_token && l->window && coin (random);
  l->interval = variant->window ? 1 : g_rand_int_range (random, 1, 4);
  if (coin (random))
    l->input_norm = norm (m, random, m->C, TRUE);
  if (coin (random)) {
    l->batch_norm = norm (m, random, m->C, TRUE);
    l->batch_mean = numbers (m, random, m->C, 0, 1);
    l->batch_var = numbers (m, random, m->C, 0, 1);
    for (gsize i = 0; i < m->C; i++)
      l->batch_var[i] = l->batch_var[i] * l->batch_var[i] + 0.1f;
  }
  m->embed = linear (m, random, m->E, m->C, bias, 1);
  if (coin (random))
    l->scale = sqrt (m->E);
  if (l->window || coin (random)) {
    m->P = l->window ? m->N + (l->class_covered ? 1 : 0) +
        g_rand_int_range (random, 0, 3) : (gsize) g_rand_int_range (random, 1, 2 * m->N + 3);
    m->positions = numbers (m, random, m->P * m->E, 0, 0.5f);
  }
  if (g_rand_int_range (random, 0, 4) == 0)
    l->between = norm (m, random, m->E, TRUE);
  if (coin (random))
    m->norm = norm (m, random, m->E, TRUE);
  if (coin (random))
    l->fc_norm = norm (m, random, m->E, TRUE);
  if (coin (random)) {
    width = g_rand_int_range (random, 3, 20);
    l->hidden = linear (m, random, width, m->E, bias, 1);
    l->hidden_activation = activations[g_rand_int_range (random, 0,
            G_N_ELEMENTS (activations))];
  }
  m->head = linear (m, random, m->D, width, bias, 1);
  l->end = ends[g_rand_int_range (random, 0, G_N_ELEMENTS (ends))];
}

RefModel *
ref_model_random (const Variant * variant, const Shape * shape,
    GRand * random)
{
  static const Shape any = { 0 };
  RefModel *m = g_new0 (RefModel, 1);
  const gboolean linear_kind = g_str_equal (variant->kind, "recurrent-linear")
      || g_str_equal (variant->kind, "kernel");
  const gboolean bias = g_rand_int_range (random, 0, 4) > 0;
  const gboolean norm_bias = bias || coin (random);
  /* Keys without a position have no difference to that of a rotated query. */
  const gboolean fixed = !linear_kind && !variant->decoder && !variant->rotary
      && g_rand_int_range (random, 0, 3) == 0;
  gsize kdim, vdim, ff;
  float logits;

  shape = shape ? shape : &any;
  logits = shape->logits > 0 ? sqrtf (shape->logits) : 1;
  m->owned = g_ptr_array_new_with_free_func (g_free);
  m->kind = variant->kind;
  m->bare = variant->max_layers == 0;
  m->separate = variant->separate;
  m->partial = variant->partial;
  m->decoder = variant->decoder;
  m->cross_linear = variant->cross_linear;
  m->map = variant->map;
  sizes (m, shape, random);
  if (variant->rotary)
    rotary (m, random);
  m->L = shape->L;
  if (m->L == 0)
    m->L = m->bare ? 1 : g_rand_int_range (random,
        MIN (2, variant->max_layers), variant->max_layers + 1);
  m->query_index = -1;
  if (variant->look_back)
    m->query_index = g_rand_int_range (random, -(gint) m->N, m->N);
  m->activation = activations[g_rand_int_range (random, 0,
          G_N_ELEMENTS (activations))];
  m->eps = coin (random) ? 1e-5 : 1e-3;
  m->norm_first = (!m->bare && !m->decoder && coin (random))
      || variant->pre_norm;
  m->zero_attn = !linear_kind && !m->decoder
      && g_rand_int_range (random, 0, 4) == 0;
  choose_names (m, variant, random);
  if (linear_kind || g_str_equal (m->kind, "recurrent-full"))
    unlimited (m, variant, shape, random);
  kdim = m->separate ? (gsize) g_rand_int_range (random, 1, 20) : m->E;
  vdim = m->separate ? (gsize) g_rand_int_range (random, 1, 20) : m->E;
  ff = shape->ff ? shape->ff : PICK (random, 1, 3, 8, 17, 33);

  if (!m->bare && !m->decoder && !m->layout.on && coin (random)) {
    m->rms = coin (random);
    m->unit_offset = coin (random);
  }
  for (gsize l = 0; variant->windows && l < m->L; l++) {
    m->windows[l][0] = g_rand_int_range (random, 1, 8);
    m->windows[l][1] = g_rand_int_range (random, 0, 5);
  }

  for (gsize l = 0; l < m->L; l++) {
    RefLayer *layer = &m->layers[l];

    attention (m, &layer->self, variant, kdim, vdim, bias, logits, linear_kind,
        random);
    /* fast_transformers' layers have no such keys. */
    if (fixed && m->names != REF_FAST_TRANSFORMERS) {
      layer->fixed_k = numbers (m, random, m->E, 0, logits);
      layer->fixed_v = numbers (m, random, m->E, 0, 1);
    }
    if (m->bare)
      continue;
    if (m->decoder) {
      attention (m, &layer->cross, variant, m->E, m->E, bias, logits,
          m->cross_linear, random);
      layer->norm3 = norm (m, random, m->E, norm_bias);
    }
    layer->norm1 = norm (m, random, m->E, norm_bias);
    layer->norm2 = norm (m, random, m->E, norm_bias);
    layer->linear1 = linear (m, random, ff, m->E, bias, 1);
    layer->linear2 = linear (m, random, m->E, ff, bias, 1);
  }
  m->C = m->D = m->E;
  if (variant->layout)
    random_layout (m, variant, bias, random);
  if (!m->bare && coin (random))
    m->encoder_norm = norm (m, random, m->E, norm_bias);
  if (variant->classifier) {
    m->C = g_rand_int_range (random, 1, 30);
    m->D = g_rand_int_range (random, 1, 20);
    m->named = coin (random);
    m->embed = linear (m, random, m->E, m->C, bias, 1);
    m->P = g_rand_int_range (random, 1, 2 * m->N + 3);
    m->positions = numbers (m, random, m->P * m->E, 0, 0.5f);
    m->norm = norm (m, random, m->E, norm_bias);
    m->head = linear (m, random, m->D, m->E, bias, 1);
  }
  return m;
}

RefMemory *
ref_memory_random (const RefModel * m, GRand * random)
{
  RefMemory *memory = g_new (RefMemory, 1);

  memory->n = g_rand_int_range (random, 1, 30);
  memory->x = g_new (float, memory->n * m->E);
  for (gsize i = 0; i < memory->n * m->E; i++)
    memory->x[i] = ref_normal (random);
  return memory;
}

void
ref_memory_free (RefMemory * memory)
{
  g_free (memory->x);
  g_free (memory);
}

void
ref_model_free (RefModel * m)
{
  g_ptr_array_unref (m->owned);
  g_free (m);
}

gchar *
ref_model_describe (const RefModel * m)
{
  const RefFeatures *f = &m->layers[0].self.features;
  GString *s = g_string_new (m->kind);

  g_string_append_printf (s, "%s%s C %zu E %zu H %zu N %zu L %zu D %zu ff %zu P %zu query_index %d fixed %zu",
      m->decoder ? " decoder" : "", m->bare ? " bare" : "", m->C, m->E, m->H,
      m->N, m->L, m->D, m->layers[0].linear1.n_out, m->P,
      (gint) m->query_index, ref_n_fixed (m));
  g_string_append_printf (s, "%s%s%s %s", m->layers[0].self.q.b ? ""
      : " without biases", m->norm_first ? " norm first" : "",
      m->partial ? " partial" : "", m->activation);
  if (m->max_len)
    g_string_append_printf (s, " max_len %zu", m->max_len);
  if (f->map)
    g_string_append_printf (s, " map %s projected %zu %s", f->map,
        f->n_projected, f->kernel_fn ? f->kernel_fn : "");
  if (m->rms || m->unit_offset || m->rope_theta > 0)
    g_string_append_printf (s, " rms %d offset %d theta %g interleaved %d partial %g",
        m->rms, m->unit_offset, m->rope_theta, m->rope_interleaved,
        m->rope_partial);
  for (gsize l = 0; m->windows[0][0] && l < m->L; l++)
    g_string_append_printf (s, " [%zu, %zu]", m->windows[l][0], m->windows[l][1]);
  if (m->layout.on)
    g_string_append_printf (s, " layout: window %d class %d covered %d pool %d between %d norms %d %d interval %zu end %s",
        m->layout.window, m->layout.class_token != NULL,
        m->layout.class_covered, m->layout.pool,
        m->layout.between.gain != NULL, m->norm.gain != NULL,
        m->layout.fc_norm.gain != NULL, m->layout.interval,
        m->layout.end ? m->layout.end : "-");
  if (m->window_len)
    g_string_append_printf (s, " chunk %zu window %zu decay %g%s",
        m->chunk_len, m->window_len, m->decay, m->cache ? " cache" : "");
  return g_string_free (s, FALSE);
}

CoModel *
ref_model_load (const RefModel * m)
{
  g_autoptr (GBytes) bytes = ref_model_write (m, NULL);
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (GError) error = NULL;
  g_autofree gchar *max_len = g_strdup_printf ("%zu", m->max_len);
  CoModel *model;

  g_assert_true (!m->partial || co_options_set (options, "warm_up", "partial",
          NULL));
  if (m->max_len > 0)
    g_assert_true (co_options_set (options, "max_len", max_len, NULL)
        && co_options_set (options, "at_max",
            m->drop_oldest ? "drop-oldest" : "error", NULL));
  model = co_model_load_bytes (bytes, options, &error);
  g_assert_no_error (error);
  return model;
}
