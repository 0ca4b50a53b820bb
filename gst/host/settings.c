/* gst-continual: properties that say which model, and what its file doesn't
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/settings.h"

#include "host/enums.h"

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define MAX_COUNT 16777216

/* By property id - 1; the first is model-path, which is no hyper-parameter. */
static struct
{
  const gchar *key;
  GParamSpec *pspec;
} properties[MODEL_MAX_OPTIONS];
static guint n_properties;

/* While a class is made */
typedef struct
{
  GObjectClass *klass;
  ModelElement element;
  guint n;
} Install;

#define ALL (MODEL_FOR_ENCODER | MODEL_FOR_ATTENTION | MODEL_FOR_DECODER)
#define STACK (MODEL_FOR_ENCODER | MODEL_FOR_DECODER)
#define WINDOW (MODEL_FOR_ENCODER | MODEL_FOR_ATTENTION)

static void
add (Install * to, guint elements, const gchar * key, GParamSpec * pspec)
{
  const guint i = to->n++;

  g_assert (i < MODEL_MAX_OPTIONS);
  if (!properties[i].pspec) {
    properties[i].key = key;
    properties[i].pspec = g_param_spec_ref_sink (pspec);
    n_properties = to->n;
  }
  if (elements & to->element)
    g_object_class_install_property (to->klass, to->n, pspec);
  else
    g_param_spec_sink (pspec);
}

#define ADD_UINT(elements, key, name, nick, blurb, min, max, def) \
    add (to, elements, key, g_param_spec_uint (name, nick, blurb, min, max, def, FLAGS))
#define ADD_INT(elements, key, name, nick, blurb, min, max, def) \
    add (to, elements, key, g_param_spec_int (name, nick, blurb, min, max, def, FLAGS))
#define ADD_DOUBLE(elements, key, name, nick, blurb, min, max, def) \
    add (to, elements, key, g_param_spec_double (name, nick, blurb, min, max, def, FLAGS))
#define ADD_ENUM(elements, key, name, nick, blurb, type, def) \
    add (to, elements, key, g_param_spec_enum (name, nick, blurb, type, def, FLAGS))

/* Of the kinds without a softmax */
static void
add_kernel (Install * to)
{
  ADD_ENUM (STACK, "feature_map", "feature-map", "Feature map",
      "Feature map of recurrent-linear attention, as fast_transformers names it",
      MODEL_TYPE_FEATURE_MAP, 0);
  ADD_ENUM (STACK, "kernel_fn", "kernel-fn", "Kernel function",
      "Nonlinearity of feature-map=generalized", MODEL_TYPE_ACTIVATION, 0);
  ADD_UINT (STACK, "n_dims", "n-dims", "Feature map size",
      "Features of a random feature map (0: as the model says)",
      0, MAX_COUNT, 0);
  ADD_DOUBLE (STACK, "softmax_temp", "softmax-temp", "Softmax temperature",
      "Factor of the logits that random feature maps stand for (0: as the "
      "model says, or 1 / sqrt (head size))", 0.0, 1e12, 0.0);
  ADD_DOUBLE (STACK, "smoothing", "smoothing", "Smoothing",
      "What feature-map=smoothed-random-fourier adds (-1: as the model says, "
      "or 1)", -1.0, 1e12, -1.0);
  ADD_ENUM (WINDOW, "feature_transform", "feature-transform", "Feature transform",
      "Feature transform of attention=kernel, as KernelAttention names it",
      MODEL_TYPE_FEATURE_TRANSFORM, 0);
  ADD_INT (WINDOW, "num_random_features", "num-random-features", "Random features",
      "Rows of the projection matrix of attention=kernel, 0 being none (-1: as "
      "the model says)", -1, MAX_COUNT, -1);
  ADD_DOUBLE (WINDOW, "scale", "scale", "Scale",
      "Factor of the logits of attention=kernel (0: as the model says, or "
      "1 / sqrt (head size))",
      0.0, 1e12, 0.0);
  ADD_UINT (WINDOW, "causal_chunk_length", "causal-chunk-length", "Chunk length",
      "Vectors that attention=kernel answers together (0: as the model says)",
      0, MAX_COUNT, 0);
  ADD_UINT (WINDOW, "causal_window_length", "causal-window-length", "Chunks of window",
      "Chunks in the window of attention=kernel (0: as the model says)",
      0, MAX_COUNT, 0);
  ADD_DOUBLE (WINDOW, "causal_window_decay", "causal-window-decay", "Window decay",
      "What a chunk weighs against the next one in attention=kernel (-1: as "
      "the model says)", -1.0, 1.0, -1.0);
  ADD_ENUM (WINDOW, "cache", "cache", "Cache",
      "Whether attention=kernel sums up all vectors so far, with "
      "causal-window-decay, instead of a window", MODEL_TYPE_SWITCH, 0);
}

guint
model_settings_install_properties (GObjectClass * klass, ModelElement element)
{
  Install install = { klass, element, 0 }, *to = &install;

  add (to, ALL, NULL, g_param_spec_string ("model-path", "Model file",
          "The safetensors file of the model: a state_dict() saved by PyTorch, "
          "with hyper-parameters in its metadata or in the other properties",
          NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
          GST_PARAM_MUTABLE_PLAYING));
  ADD_UINT (ALL, "nhead", "heads", "Heads",
      "Attention heads, nhead or num_heads in PyTorch (0: as the model says)",
      0, MAX_COUNT, 0);
  ADD_UINT (WINDOW, "sequence_len", "sequence-len", "Window",
      "Vectors in the window that is attended to (0: as the model says)",
      0, MAX_COUNT, 0);
  ADD_ENUM (WINDOW, "attention", "attention", "Attention",
      "What a step gives", MODEL_TYPE_ATTENTION, 0);
  ADD_ENUM (STACK, "activation", "activation", "Activation",
      "Nonlinearity of the feed-forward blocks, as PyTorch defines it",
      MODEL_TYPE_ACTIVATION, 0);
  ADD_INT (WINDOW, "query_index", "query-index", "Query index",
      "Which of the window's vectors an output answers for: from 0, the oldest, "
      "or from -1, the newest, backwards. One that looks back delays the output "
      "by as many vectors, which is reported as latency (-2147483648: as the "
      "model says, or -1)", G_MININT, G_MAXINT, G_MININT);
  ADD_ENUM (STACK, "norm_first", "norm-first", "Norm first",
      "Whether layers normalise before attention and feed-forward (pre-norm)",
      MODEL_TYPE_SWITCH, 0);
  ADD_DOUBLE (STACK, "layer_norm_eps", "layer-norm-eps", "Layer norm epsilon",
      "Added to the variance by layer norms (0: as the model says, or 1e-5)",
      0.0, 1.0, 0.0);
  ADD_ENUM (WINDOW, "add_zero_attn", "add-zero-attn", "Add zero attention",
      "Whether a key and a value of zeros join each window, as in "
      "nn.MultiheadAttention", MODEL_TYPE_SWITCH, 0);
  ADD_UINT (STACK, "max_len", "max-len", "Maximum length",
      "Vectors that recurrent-full attention holds at most",
      1, MAX_COUNT, 4096);
  ADD_ENUM (STACK, "at_max", "at-max", "At maximum",
      "What happens when recurrent-full attention holds max-len vectors",
      MODEL_TYPE_AT_MAX, 0);
  ADD_ENUM (WINDOW, "warm_up", "warm-up", "Warm-up",
      "What comes out until the window is full. partial is not for "
      "attention=retroactive or a query-index that looks back",
      MODEL_TYPE_WARM_UP, 0);
  ADD_ENUM (MODEL_FOR_DECODER, "self_attention", "self-attention",
      "Self-attention", "How the decoder's vectors attend to those before them",
      MODEL_TYPE_SELF_ATTENTION, 0);
  ADD_ENUM (MODEL_FOR_DECODER, "cross_attention", "cross-attention",
      "Cross-attention", "How the decoder's vectors attend to the memory",
      MODEL_TYPE_CROSS_ATTENTION, 0);
  ADD_ENUM (ALL, "precision", "precision", "Precision",
      "How the weights of projections and feed-forward are kept: less memory and "
      "time for less exact outputs, see docs/performance.md",
      MODEL_TYPE_PRECISION, 0);
  add_kernel (to);
  return to->n + 1;
}

void
model_settings_init (ModelSettings * self)
{
  *self = (ModelSettings) {
  0};
  for (guint i = 1; i < n_properties; i++) {
    g_value_init (&self->options[i], properties[i].pspec->value_type);
    g_param_value_set_default (properties[i].pspec, &self->options[i]);
  }
}

void
model_settings_clear (ModelSettings * self)
{
  g_clear_pointer (&self->path, g_free);
  for (guint i = 1; i < n_properties; i++)
    g_value_unset (&self->options[i]);
}

void
model_settings_set (ModelSettings * self, guint id, const GValue * value)
{
  g_return_if_fail (id > MODEL_PROP_PATH && id <= n_properties);

  g_value_copy (value, &self->options[id - 1]);
}

void
model_settings_get (const ModelSettings * self, guint id, GValue * value)
{
  g_return_if_fail (id >= MODEL_PROP_PATH && id <= n_properties);

  if (id == MODEL_PROP_PATH)
    g_value_set_string (value, self->path);
  else
    g_value_copy (&self->options[id - 1], value);
}

/* As in a metadata string. */
static gchar *
value_to_string (const GValue * value)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  if (G_VALUE_HOLDS_UINT (value))
    return g_strdup_printf ("%u", g_value_get_uint (value));
  if (G_VALUE_HOLDS_INT (value))
    return g_strdup_printf ("%d", g_value_get_int (value));
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_strdup (g_ascii_dtostr (number, sizeof number,
            g_value_get_double (value)));
  return g_strdup (g_enum_get_value (g_type_class_peek (G_VALUE_TYPE (value)),
          g_value_get_enum (value))->value_nick);
}

CoOptions *
model_settings_get_options (const ModelSettings * self)
{
  CoOptions *options = co_options_new ();

  for (guint i = 1; i < n_properties; i++) {
    g_autofree gchar *text = NULL;
    g_autoptr (GError) error = NULL;

    if (g_param_value_defaults (properties[i].pspec, &self->options[i]))
      continue;
    text = value_to_string (&self->options[i]);
    if (!co_options_set (options, properties[i].key, text, &error))
      g_critical ("%s", error->message);
  }
  return options;
}

static void
post_error (GstElement * element, const gchar * path, const GError * error)
{
  switch ((CoError) error->code) {
    case CO_ERROR_NOT_FOUND:
      GST_ELEMENT_ERROR (element, RESOURCE, NOT_FOUND, ("%s", error->message),
          ("model-path=%s", path));
      break;
    case CO_ERROR_READ:
      GST_ELEMENT_ERROR (element, RESOURCE, OPEN_READ, ("%s", error->message),
          ("model-path=%s", path));
      break;
    case CO_ERROR_SETTING:
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS, ("%s", error->message),
          ("model-path=%s; a hyper-parameter that the file doesn't say can be "
              "given by a property, see gst-inspect-1.0 %s", path,
              GST_OBJECT_NAME (gst_element_get_factory (element))));
      break;
    default:
      GST_ELEMENT_ERROR (element, STREAM, DECODE, ("%s", error->message),
          ("model-path=%s", path));
      break;
  }
}

CoModel *
model_load (GstElement * element, const gchar * path,
    const CoOptions * options, gboolean keep)
{
  g_autoptr (GError) error = NULL;
  CoModel *model;

  if (!path || !*path) {
    if (keep)
      GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
          ("The model in use stays: expected a model-path, found none."),
          (NULL));
    else
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
          ("Expected the property model-path to name a model file, found it "
              "unset: set it, for example model-path=model.safetensors"),
          (NULL));
    return NULL;
  }
  model = co_model_load (path, options, &error);
  if (!model && keep)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("The model in use stays: %s", error->message), ("model-path=%s",
            path));
  else if (!model)
    post_error (element, path, error);
  return model;
}
