/* The public interface for other languages: version, boxed types, references, capacities, a decoder's memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variants.h"
#include <math.h>

static const Variant *
find (const gchar * name)
{
  for (const Variant * v = variants; v->name; v++)
    if (g_str_equal (v->name, name))
      return v;
  g_assert_not_reached ();
}

static void
test_version (void)
{
  guint major, minor, micro;

  co_version (&major, &minor, &micro);
  g_assert_cmpuint (major, ==, CO_MAJOR_VERSION);
  g_assert_cmpuint (minor, ==, CO_MINOR_VERSION);
  g_assert_cmpuint (micro, ==, CO_MICRO_VERSION);
  co_version (NULL, NULL, NULL);
  g_assert_true (CO_CHECK_VERSION (CO_MAJOR_VERSION, CO_MINOR_VERSION, CO_MICRO_VERSION));
  g_assert_false (CO_CHECK_VERSION (CO_MAJOR_VERSION, CO_MINOR_VERSION, CO_MICRO_VERSION + 1));
  g_assert_false (CO_CHECK_VERSION (CO_MAJOR_VERSION + 1, 0, 0));
}

/* A boxed copy of a model or of streams is another reference to the same, one of options is independent. */
static void
test_boxed (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autoptr (RefModel) m = ref_model_random (find ("single-output/layer"), NULL, random);
  CoModel *model = ref_model_load (m);
  CoStream *stream = co_stream_new (model, 2);
  CoOptions *options = co_options_new (), *copy;

  g_assert_true (g_boxed_copy (CO_TYPE_MODEL, model) == model);
  g_boxed_free (CO_TYPE_MODEL, model);
  g_assert_true (g_boxed_copy (CO_TYPE_STREAM, stream) == stream);
  g_boxed_free (CO_TYPE_STREAM, stream);
  g_assert_cmpuint (co_stream_get_n_streams (stream), ==, 2);
  co_stream_unref (stream);
  co_model_unref (model);

  g_assert_true (co_options_set (options, "nhead", "4", NULL));
  copy = g_boxed_copy (CO_TYPE_OPTIONS, options);
  g_assert_true (copy != options);
  g_boxed_free (CO_TYPE_OPTIONS, copy);
  co_options_free (options);
}

static void
test_table (void)
{
  for (guint i = 0; i < co_setting_count (); i++) {
    const CoSetting *s = co_setting_get (i);

    g_assert_true (s->key && s->blurb && s->scope && s->kinds);
    g_assert_true (!s->property || s->nick);
    g_assert_true ((s->type == CO_SETTING_CHOICE) == (s->n_choices > 0));
    for (guint c = 0; c < s->n_choices; c++)
      g_assert_true (s->choices[c].name && s->choices[c].blurb);
    for (guint j = 0; j < i; j++) {
      const CoSetting *other = co_setting_get (j);

      g_assert_cmpstr (s->key, !=, other->key);
      g_assert_true (!s->property || g_strcmp0 (s->property, other->property) != 0);
    }
    /* What means "as the model says" is no value. */
    if (s->property && (s->type == CO_SETTING_INTEGER || s->type == CO_SETTING_NUMBER) && s->min > 0)
      g_assert_true (s->unset < s->min);
  }
}

/* A memory that is refused leaves the streams as they were. */
static void
test_memory (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autoptr (RefModel) m = ref_model_random (find ("decoder/full-full"), NULL, random);
  g_autoptr (CoModel) model = ref_model_load (m);
  g_autoptr (CoStream) stream = co_stream_new (model, 2);
  g_autofree float *memory = g_new0 (float, 3 * m->E);
  const float wrong[] = { NAN, INFINITY, -2e15f };

  g_assert_true (co_stream_set_memory (stream, 1, memory, 3, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    memory[2 * m->E] = wrong[i];
    g_assert_false (co_stream_set_memory (stream, CO_ALL_STREAMS, memory, 3, &error));
    g_assert_error (error, CO_ERROR, CO_ERROR_MEMORY);
    g_assert_nonnull (g_strstr_len (error->message, -1, "vector 2"));
    g_assert_cmpuint (co_stream_get_memory_length (stream, 0), ==, 0);
    g_assert_cmpuint (co_stream_get_memory_length (stream, 1), ==, 3);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/api/version", test_version);
  g_test_add_func ("/api/boxed", test_boxed);
  g_test_add_func ("/api/table", test_table);
  g_test_add_func ("/api/memory", test_memory);
  return g_test_run ();
}
