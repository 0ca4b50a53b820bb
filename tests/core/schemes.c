/* One model under the names of each library: the same outputs
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "weights/checkpoint.h"
#include <jansson.h>
#include <string.h>

#define WIDTH 12
#define INNER 18                /* of heads whose size is not E / H */

typedef struct
{
  gchar *name;
  gsize n_dims, dims[2];
  const float *data;            /* owned by a checkpoint or by the test */
} Tensor;

/* A tensor of torch's layer, or a third of its rows, under another name */
typedef struct
{
  const gchar *from;
  gint third;                   /* 0: queries, 1: keys, 2: values; -1: all rows */
  const gchar *to;              /* NULL: leave it out, for it is zero */
} Renaming;

typedef struct
{
  const gchar *name;
  const gchar *list;            /* of the layers */
  const gchar *norm;            /* the encoder's; NULL: it has none */
  gboolean norm_first;
  gboolean no_key_bias, no_in_bias;     /* these are zero */
  gboolean inner;               /* heads times head size is INNER */
  const Renaming *renamings;
} Library;

#define PAIR(from, to) {from ".weight", -1, to ".weight"}, {from ".bias", -1, to ".bias"}
#define THIRDS(q, k, v) \
  {"self_attn.in_proj_weight", 0, q ".weight"}, {"self_attn.in_proj_bias", 0, q ".bias"}, \
  {"self_attn.in_proj_weight", 1, k ".weight"}, {"self_attn.in_proj_bias", 1, k ".bias"}, \
  {"self_attn.in_proj_weight", 2, v ".weight"}, {"self_attn.in_proj_bias", 2, v ".bias"}
#define THIRDS_WITHOUT_KEY_BIAS(q, k, v) \
  {"self_attn.in_proj_weight", 0, q ".weight"}, {"self_attn.in_proj_bias", 0, q ".bias"}, \
  {"self_attn.in_proj_weight", 1, k ".weight"}, {"self_attn.in_proj_bias", 1, NULL}, \
  {"self_attn.in_proj_weight", 2, v ".weight"}, {"self_attn.in_proj_bias", 2, v ".bias"}
#define REST(out, norm1, norm2, linear1, linear2) \
  PAIR ("self_attn.out_proj", out), PAIR ("norm1", norm1), PAIR ("norm2", norm2), PAIR ("linear1", linear1), \
  PAIR ("linear2", linear2), {NULL}

/* *INDENT-OFF* */
static const Renaming timm[] = {
  {"self_attn.in_proj_weight", -1, "attn.qkv.weight"}, {"self_attn.in_proj_bias", -1, "attn.qkv.bias"},
  REST ("attn.proj", "norm1", "norm2", "mlp.fc1", "mlp.fc2")
};
static const Renaming timm_no_bias[] = {
  {"self_attn.in_proj_weight", -1, "attn.qkv.weight"}, {"self_attn.in_proj_bias", -1, NULL},
  REST ("attn.proj", "norm1", "norm2", "mlp.fc1", "mlp.fc2")
};
static const Renaming openai_whisper[] = {
  THIRDS_WITHOUT_KEY_BIAS ("attn.query", "attn.key", "attn.value"),
  REST ("attn.out", "attn_ln", "mlp_ln", "mlp.0", "mlp.2")
};
static const Renaming vit_pytorch[] = {
  {"self_attn.in_proj_weight", -1, "0.to_qkv.weight"}, {"self_attn.in_proj_bias", -1, NULL},
  REST ("0.to_out.0", "0.norm", "1.net.0", "1.net.1", "1.net.4")
};
static const Renaming torch_apart[] = {
  {"self_attn.in_proj_weight", 0, "self_attn.q_proj_weight"}, {"self_attn.in_proj_weight", 1, "self_attn.k_proj_weight"},
  {"self_attn.in_proj_weight", 2, "self_attn.v_proj_weight"},
  {"self_attn.in_proj_bias", -1, "self_attn.in_proj_bias"},
  REST ("self_attn.out_proj", "norm1", "norm2", "linear1", "linear2")
};
static const Renaming bert[] = {
  THIRDS ("attention.self.query", "attention.self.key", "attention.self.value"),
  REST ("attention.output.dense", "attention.output.LayerNorm", "output.LayerNorm", "intermediate.dense", "output.dense")
};
static const Renaming vit[] = {
  THIRDS ("attention.attention.query", "attention.attention.key", "attention.attention.value"),
  REST ("attention.output.dense", "layernorm_before", "layernorm_after", "intermediate.dense", "output.dense")
};
static const Renaming vit_layers[] = {
  THIRDS ("attention.q_proj", "attention.k_proj", "attention.v_proj"),
  REST ("attention.o_proj", "layernorm_before", "layernorm_after", "mlp.fc1", "mlp.fc2")
};
static const Renaming dinov2[] = {
  THIRDS ("attention.attention.query", "attention.attention.key", "attention.attention.value"),
  REST ("attention.output.dense", "norm1", "norm2", "mlp.fc1", "mlp.fc2")
};
static const Renaming wav2vec2[] = {
  THIRDS ("attention.q_proj", "attention.k_proj", "attention.v_proj"),
  REST ("attention.out_proj", "layer_norm", "final_layer_norm", "feed_forward.intermediate_dense",
      "feed_forward.output_dense")
};
static const Renaming whisper[] = {
  THIRDS_WITHOUT_KEY_BIAS ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
  REST ("self_attn.out_proj", "self_attn_layer_norm", "final_layer_norm", "fc1", "fc2")
};

static const Library libraries[] = {
  { "timm", "blocks", "norm", TRUE, .renamings = timm },
  { "timm without qkv_bias", "blocks", "norm", TRUE, .no_in_bias = TRUE, .renamings = timm_no_bias },
  { "OpenAI whisper", "encoder.blocks", "encoder.ln_post", TRUE, .no_key_bias = TRUE, .renamings = openai_whisper },
  { "vit-pytorch", "transformer.layers", "transformer.norm", TRUE, .no_in_bias = TRUE, .inner = TRUE,
      .renamings = vit_pytorch },
  { "bert", "bert.encoder.layer", NULL, FALSE, .renamings = bert },
  { "vit", "vit.encoder.layer", "vit.layernorm", TRUE, .renamings = vit },
  { "vit of transformers 5", "vit.layers", "vit.layernorm", TRUE, .renamings = vit_layers },
  { "dinov2", "encoder.layer", NULL, TRUE, .renamings = dinov2 },
  { "wav2vec2", "encoder.layers", NULL, FALSE, .renamings = wav2vec2 },
  { "wav2vec2, stable", "hubert.encoder.layers", NULL, TRUE, .renamings = wav2vec2 },
  { "whisper", "model.encoder.layers", "model.encoder.layer_norm", TRUE, .no_key_bias = TRUE, .renamings = whisper },
};
/* *INDENT-ON* */

static void
tensor_clear (gpointer data)
{
  g_free (((Tensor *) data)->name);
}

static gsize
n_rest (const Tensor * t)
{
  return t->n_dims == 2 ? t->dims[1] : 1;
}

/* "12,self_attn.x" of "layers.12.self_attn.x"; FALSE if it is of no layer */
static gboolean
split_name (const gchar * name, gchar ** number, const gchar ** role)
{
  const gchar *begin = name + strlen ("layers."), *dot;

  if (!g_str_has_prefix (name, "layers."))
    return FALSE;
  dot = strchr (begin, '.');
  *number = g_strndup (begin, dot - begin);
  *role = dot + 1;
  return TRUE;
}

static void
add (GArray * to, gchar * name, const Tensor * t, gint third)
{
  Tensor copy = *t;

  copy.name = name;
  if (third >= 0) {
    copy.dims[0] /= 3;
    copy.data += third * copy.dims[0] * n_rest (t);
  }
  g_array_append_val (to, copy);
}

static GArray *
rename_all (const GArray * from, const gchar * list, const gchar * norm,
    const Renaming * renamings)
{
  GArray *to = g_array_new (FALSE, FALSE, sizeof (Tensor));

  g_array_set_clear_func (to, tensor_clear);
  for (guint i = 0; i < from->len; i++) {
    const Tensor *t = &g_array_index (from, Tensor, i);
    g_autofree gchar *number = NULL;
    const gchar *role;

    if (!split_name (t->name, &number, &role)) {
      add (to, g_strconcat (norm, t->name + strlen ("norm"), NULL), t, -1);
      continue;
    }
    for (const Renaming * r = renamings; r->from; r++)
      if (g_str_equal (r->from, role) && r->to)
        add (to, g_strdup_printf ("%s.%s.%s", list, number, r->to), t, r->third);
  }
  return to;
}

static GBytes *
write_file (const GArray * tensors, gboolean says_norm_first)
{
  json_t *header = json_object ();
  GByteArray *bytes = g_byte_array_new (), *data = g_byte_array_new ();
  g_autofree gchar *text = NULL;
  guint64 n;

  json_object_set_new (header, "__metadata__", json_pack ("{s:s, s:s, s:s, s:s}", "nhead", "3", "sequence_len", "4",
          "activation", "gelu", says_norm_first ? "norm_first" : "author", "true"));
  for (guint i = 0; i < tensors->len; i++) {
    const Tensor *t = &g_array_index (tensors, Tensor, i);
    const gsize from = data->len;

    g_byte_array_append (data, (const guint8 *) t->data, t->dims[0] * n_rest (t) * sizeof (float));
    json_object_set_new (header, t->name, json_pack ("{s:s, s:o, s:[i, i]}", "dtype", "F32", "shape", t->n_dims == 2
            ? json_pack ("[i, i]", (int) t->dims[0], (int) t->dims[1]) : json_pack ("[i]", (int) t->dims[0]),
            "data_offsets", (int) from, (int) data->len));
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

/* Two windows of outputs of a stream, for which nothing warns */
static float *
outputs_of (const gchar * name, GBytes * bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CoModel) model = co_model_load_bytes (bytes, NULL, &error);
  g_autoptr (CoStream) stream = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  float x[8 * WIDTH], *y = g_new0 (float, 5 * WIDTH);

  if (!model)
    g_error ("%s: %s", name, error->message);
  g_assert_cmpuint (co_model_get_info (model)->n_warnings, ==, 0);
  stream = co_stream_new (model, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (x); i++)
    x[i] = ref_normal (random);
  g_assert_cmpuint (co_stream_forward_steps (stream, &(CoInput) {.x = x }, 8, TRUE,
          &(CoResult) {.capacity = co_stream_max_outputs (stream, 8),.y = y }), ==, 5);
  return y;
}

/* The tensors of a random encoder in torch's names, with what @library asks for */
static GArray *
make (const Library * library, CoCheckpoint ** file, float *inner /* (5 * INNER, WIDTH) */ )
{
  static const Variant variant = { "schemes", "single-output", 4 };
  const Shape shape = {.E = WIDTH,.H = 3,.N = 4,.L = 4 };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (&variant, &shape, random);
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (Tensor));
  g_autoptr (GBytes) bytes = NULL;

  /* Some random models have no biases. */
  while (!m->layers[0].self.q.b || !m->layers[0].linear1.b || !m->layers[0].norm1.bias) {
    ref_model_free (m);
    m = ref_model_random (&variant, &shape, random);
  }
  m->prefix = "";
  m->names = REF_TORCH;
  if (!library->norm)
    m->encoder_norm.gain = m->encoder_norm.bias = NULL;
  bytes = ref_model_write (m, NULL);
  *file = co_checkpoint_load_bytes (bytes, "torch", NULL);
  g_array_set_clear_func (tensors, tensor_clear);
  for (gsize i = 0; i < 5 * INNER * WIDTH; i++)
    inner[i] = ref_normal (random) / 4;
  for (gsize i = 0; i < co_checkpoint_get_n_tensors (*file); i++) {
    const CoTensor *t = co_checkpoint_get_tensor (*file, i);
    Tensor copy = { g_strdup (t->name), t->n_dims, {t->dims[0], t->dims[1]}, t->data };
    const gboolean in_bias = g_str_has_suffix (t->name, "in_proj_bias");

    if (library->inner && g_str_has_suffix (t->name, "in_proj_weight")) {
      copy.dims[0] = 3 * INNER;
      copy.data = inner;
    } else if (library->inner && g_str_has_suffix (t->name, "out_proj.weight")) {
      copy.dims[1] = INNER;
      copy.data = inner + 3 * INNER * WIDTH;
    } else if (library->inner && in_bias) {
      copy.dims[0] = 3 * INNER;
      copy.data = inner + 4 * INNER * WIDTH;
    }
    if (in_bias && library->no_in_bias)
      memset ((float *) copy.data, 0, copy.dims[0] * sizeof (float));
    if (in_bias && library->no_key_bias)
      memset ((float *) copy.data + WIDTH, 0, WIDTH * sizeof (float));
    g_array_append_val (tensors, copy);
  }
  return tensors;
}

static void
test_library (gconstpointer data)
{
  const Library *library = data;
  g_autoptr (CoCheckpoint) file = NULL;
  g_autofree float *inner = g_new (float, 5 * INNER * WIDTH);
  g_autoptr (GArray) torch = make (library, &file, inner);
  g_autoptr (GArray) apart = rename_all (torch, "layers", "norm", torch_apart);
  g_autoptr (GArray) renamed = rename_all (torch, library->list, library->norm, library->renamings);
  g_autoptr (GBytes) torch_bytes = write_file (apart, library->norm_first);
  /* What is pre-norm by name need not say so; wav2vec2 must. */
  g_autoptr (GBytes) bytes = write_file (renamed, library->norm_first && library->renamings == wav2vec2);
  g_autofree float *expected = outputs_of ("torch", torch_bytes), *found = outputs_of (library->name, bytes);

  g_assert_cmpmem (expected, 5 * WIDTH * sizeof (float), found, 5 * WIDTH * sizeof (float));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_message ("CONTINUAL_TEST_SEED=%u", ref_seed ());
  for (gsize i = 0; i < G_N_ELEMENTS (libraries); i++) {
    g_autofree gchar *path = g_strdup_printf ("/schemes/%s", libraries[i].name);

    g_test_add_data_func (path, &libraries[i], test_library);
  }
  return g_test_run ();
}
