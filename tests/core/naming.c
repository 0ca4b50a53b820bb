/* The same model under other names, in another order of tensors: the same outputs
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include <jansson.h>
#include <string.h>

typedef struct
{
  const gchar *from, *to;       /* what names begin with, after the prefix */
} Renaming;

static const Variant classifier = {
  "naming", "single-output", 4,.classifier = TRUE
};
static const Variant encoder = { "naming", "single-output", 4 };

/* The first renaming that fits; its rest stays. */
static gchar *
rename_tensor (const gchar * name, const Renaming * renamings)
{
  for (const Renaming * r = renamings; r->from; r++)
    if (g_str_has_prefix (name, r->from))
      return g_strconcat (r->to, name + strlen (r->from), NULL);
  return g_strdup (name);
}

static json_t *
read_header (GBytes * file, gsize * n)
{
  guint64 size;

  memcpy (&size, g_bytes_get_data (file, NULL), sizeof size);
  *n = GUINT64_FROM_LE (size);
  return json_loadb ((const char *) g_bytes_get_data (file, NULL) + 8, *n, 0,
      NULL);
}

/* Takes @header. */
static GBytes *
replace_header (GBytes * file, gsize n, json_t * header)
{
  g_autofree gchar *text = json_dumps (header, JSON_COMPACT);
  GByteArray *bytes = g_byte_array_new ();
  guint64 size = GUINT64_TO_LE (strlen (text));

  g_byte_array_append (bytes, (const guint8 *) &size, sizeof size);
  g_byte_array_append (bytes, (const guint8 *) text, strlen (text));
  g_byte_array_append (bytes,
      (const guint8 *) g_bytes_get_data (file, NULL) + 8 + n,
      g_bytes_get_size (file) - 8 - n);
  json_decref (header);
  return g_byte_array_free_to_bytes (bytes);
}

/* @metadata: "KEY=VALUE KEY=VALUE" or NULL */
static GBytes *
rename_all (GBytes * file, const Renaming * renamings, const gchar * metadata)
{
  gsize n;
  json_t *old = read_header (file, &n), *header = json_object (), *value;
  g_auto (GStrv) pairs = g_strsplit (metadata ? metadata : "", " ", -1);
  const char *name;

  json_object_foreach (old, name, value) {
    g_autofree gchar *to = rename_tensor (name, renamings);
    g_assert_null (json_object_get (header, to));
    json_object_set (header, to, value);
  }
  for (gsize i = 0; pairs[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);
    json_object_set_new (json_object_get (header, "__metadata__"), pair[0],
        json_string (pair[1]));
  }
  json_decref (old);
  return replace_header (file, n, header);
}

/* Three windows of outputs */
static float *
outputs_of (GBytes * file, const RefModel * m, gsize * n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CoModel) model = co_model_load_bytes (file, NULL, &error);
  g_autoptr (CoStream) stream = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  g_autofree float *x = g_new (float, 3 * m->N * m->C);
  float *y = g_new0 (float, 3 * m->N * m->D);

  g_assert_no_error (error);
  stream = co_stream_new (model, 1);
  for (gsize i = 0; i < 3 * m->N * m->C; i++)
    x[i] = ref_normal (random);
  *n = co_stream_forward_steps (stream, &(CoInput) {.x = x }, 3 * m->N, TRUE,
      &(CoResult) {.capacity = co_stream_max_outputs (stream, 3 * m->N),.y = y });
  return y;
}

static void
check_same (const RefModel * m, GBytes * a, GBytes * b)
{
  gsize n_a, n_b;
  g_autofree float *y_a = outputs_of (a, m, &n_a), *y_b = outputs_of (b, m, &n_b);

  g_assert_cmpuint (n_a, ==, 2 * m->N + 1);
  g_assert_cmpmem (y_a, n_a * m->D * sizeof (float), y_b,
      n_b * m->D * sizeof (float));
}

/* A model whose names have no prefix, in the given style. */
static RefModel *
make (const Variant * variant, gboolean named, RefNames names)
{
  const Shape shape = {.E = 12,.H = 3,.N = 4,.L = 4 };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  RefModel *m = ref_model_random (variant, &shape, random);

  m->named = named;
  m->names = names;
  m->prefix = "";
  return m;
}

static void
check_renamed (RefModel * m, const Renaming * renamings,
    const gchar * metadata)
{
  g_autoptr (GBytes) file = ref_model_write (m, NULL);
  g_autoptr (GBytes) renamed = rename_all (file, renamings, metadata);

  check_same (m, file, renamed);
}

static void
test_shuffled (void)
{
  for (RefNames names = REF_TORCH; names <= REF_CONTINUAL; names++) {
    g_autoptr (RefModel) m = make (&classifier, FALSE, names);
    g_autoptr (GBytes) file = ref_model_write (m, NULL);

    for (guint32 seed = 0; seed < 10; seed++) {
      g_autoptr (GRand) random = g_rand_new_with_seed (seed);
      g_autoptr (GBytes) shuffled = ref_model_write (m, random);
      check_same (m, file, shuffled);
    }
  }
}

/* "10" comes before "9" in a file, and after it in a Sequential. */
static void
test_numbers (void)
{
  static const Renaming apart[] = {
    {"0.", "7."}, {"1.", "8."}, {"2.", "9."}, {"3.", "10."}, {"4.", "11."},
    {NULL}
  };
  static const Renaming children[] = {
    {"0.", "6."}, {"1.", "7."}, {"2.layers.0.", "8."}, {"2.layers.1.", "9."},
    {"2.layers.2.", "10."}, {"2.layers.3.", "11."}, {"3.", "12."},
    {"4.", "13."}, {NULL}
  };
  static const Renaming layers[] = {
    {"layers.0.", "stages.8."}, {"layers.1.", "stages.9."},
    {"layers.2.", "stages.10."}, {"layers.3.", "stages.11."}, {NULL}
  };
  g_autoptr (RefModel) a = make (&classifier, FALSE, REF_TORCH);
  g_autoptr (RefModel) b = make (&encoder, FALSE, REF_TORCH);
  g_autoptr (RefModel) c = make (&encoder, FALSE, REF_CONTINUAL);

  check_renamed (a, apart, NULL);
  /* A norm of the encoder's own has no place where layers are children. */
  a->encoder_norm.gain = NULL;
  a->encoder_norm.bias = NULL;
  check_renamed (a, children, NULL);
  check_renamed (b, layers, NULL);
  check_renamed (c, layers, NULL);
}

static void
test_children (void)
{
  static const Renaming by_metadata[] = {
    {"embed.", "front."}, {"positions.", "place."}, {"encoder.", "body."},
    {"norm.", "level."}, {"head.", "top."}, {NULL}
  };
  static const Renaming numbered[] = {
    {"embed.", "0."}, {"positions.weight", "1.pe.weight"},
    {"encoder.", "2."}, {"norm.", "3."}, {"head.", "4."}, {NULL}
  };
  static const Renaming wrapped[] = {
    {"embed.", "embed.fn."}, {"encoder.", "encoder.fn."},
    {"norm.", "norm.fn."}, {"head.", "fn.head."}, {NULL}
  };
  static const Renaming like_layers[] = {
    {"embed.", "linear1."}, {"norm.", "norm1."}, {"head.", "linear2."}, {NULL}
  };
  static const Renaming listed[] = {
    {"encoder.layers.", "blocks."}, {"positions.weight", "positions.pe"}, {NULL}
  };
  static const Renaming numbered_list[] = {
    {"embed.", "0."}, {"positions.weight", "1.pe"},
    {"encoder.layers.", "2."}, {"norm.", "3."}, {"head.", "4."}, {NULL}
  };
  static const Renaming beside_layers[] = {
    {"embed.", "model.embed."}, {"positions.", "model.positions."},
    {"encoder.layers.", "model.layers."}, {"norm.", "model.norm."},
    {"head.", "model.head."}, {NULL}
  };
  g_autoptr (RefModel) m = make (&classifier, TRUE, REF_TORCH);

  check_renamed (m, like_layers, "embed=linear1 norm=norm1 head=linear2");
  check_renamed (m, by_metadata,
      "embed=front positions=place encoder=body norm=level head=top");
  check_renamed (m, numbered, NULL);
  check_renamed (m, wrapped, NULL);
  /* A norm of the encoder's own has no place where layers are in a list. */
  m->encoder_norm.gain = NULL;
  m->encoder_norm.bias = NULL;
  check_renamed (m, listed, NULL);
  check_renamed (m, listed, "encoder=blocks");
  check_renamed (m, numbered_list, NULL);
  check_renamed (m, beside_layers, NULL);
  check_renamed (m, beside_layers, "encoder=layers");
}

/* layers.0.1.fn.norm1, layers.0.fn.1.norm1.fn, _ff_block.1 and _ff_block.fn: as versions and depths have it */
static void
test_wrappers (void)
{
  static const Renaming flat[] = {
    {"layers.1.fn.", "layers.1."}, {"layers.3.fn.", "layers.3."}, {NULL}
  };
  static const Renaming deeper[] = {
    {"layers.0.0.", "layers.0.fn.0."}, {"layers.0.1.", "layers.0.fn.1.fn."},
    {"layers.1.fn.1.", "layers.1.1.fn."}, {NULL}
  };
  g_autoptr (RefModel) m = make (&encoder, FALSE, REF_CONTINUAL);

  check_renamed (m, flat, NULL);
  check_renamed (m, deeper, NULL);
}

static void
test_prefixes (void)
{
  static const Renaming none[] = { {NULL} };
  static const gchar *const prefixes[] = { "model.", "module.", "encoder.",
    "module.model.encoder.", "a.b.c.d.", "0.", "layers.", "norm."
  };

  for (gsize i = 0; i < G_N_ELEMENTS (prefixes); i++)
    for (guint which = 0; which < 3; which++) {
      g_autoptr (RefModel) m = make (which ? &classifier : &encoder,
          which == 2, REF_TORCH);
      g_autoptr (GBytes) file = ref_model_write (m, NULL);
      g_autoptr (GBytes) prefixed = NULL;

      m->prefix = prefixes[i];
      prefixed = ref_model_write (m, NULL);
      check_same (m, file, prefixed);
      check_renamed (m, none, NULL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_message ("CONTINUAL_TEST_SEED=%u", ref_seed ());
  g_test_add_func ("/naming/shuffled", test_shuffled);
  g_test_add_func ("/naming/numbers", test_numbers);
  g_test_add_func ("/naming/children", test_children);
  g_test_add_func ("/naming/wrappers", test_wrappers);
  g_test_add_func ("/naming/prefixes", test_prefixes);
  return g_test_run ();
}
