/* gst-continual: properties made from the core's table of settings, which win over a model's file
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>

static const struct
{
  const gchar *name;
  CoSettingScope scope;
  const gchar *models[6];       /* by the number of their kind; NULL: the first one */
} elements[] = {
  {"continualencoder", CO_FOR_ENCODER, {"encoder-1-relu", "encoder-1-retroactive", "deep-3", "recurrent-full-2",
          "recurrent-linear-2", "kernel-relu"}},
  {"continualattention", CO_FOR_ATTENTION, {"mha-single-output", "mha-retroactive", NULL, NULL, NULL, "kernel-relu"}},
  {"continualdecoder", CO_FOR_DECODER, {"decoder-full-linear-length", NULL, NULL, NULL, "decoder-linear-full"}},
};

static GParamSpec *
find_property (const gchar * element, const gchar * property)
{
  GstElement *e = gst_element_factory_make (element, NULL);
  GParamSpec *pspec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (e), property);

  gst_object_unref (e);
  return pspec;
}

static gboolean
is_unset (const CoSetting * row, const GValue * value)
{
  if (G_VALUE_HOLDS_ENUM (value))
    return g_str_equal (g_enum_get_value (g_type_class_peek (G_VALUE_TYPE
                (value)), g_value_get_enum (value))->value_nick, "auto");
  if (G_VALUE_HOLDS_UINT (value))
    return g_value_get_uint (value) == row->unset;
  if (G_VALUE_HOLDS_INT (value))
    return g_value_get_int (value) == row->unset;
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_value_get_double (value) == row->unset;
  return g_value_get_string (value) == NULL;
}

/* What an unset property means is in its text and in its default. */
GST_START_TEST (test_defaults)
{
  guint n_checked = 0;

  for (guint k = 0; k < G_N_ELEMENTS (elements); k++)
    for (guint i = 0; i < co_setting_count (); i++) {
      const CoSetting *row = co_setting_get (i);
      GParamSpec *pspec;
      const GValue *value;

      if (!row->property)
        continue;
      pspec = find_property (elements[k].name, row->property);
      fail_unless (!!pspec == !!(row->scope & elements[k].scope), "%s.%s",
          elements[k].name, row->property);
      if (!pspec)
        continue;
      fail_unless (pspec->flags & GST_PARAM_MUTABLE_READY);
      fail_unless (strstr (g_param_spec_get_blurb (pspec),
              "as the model says") != NULL, "%s", row->property);
      value = g_param_spec_get_default_value (pspec);
      fail_unless (is_unset (row, value), "%s", row->property);
      n_checked++;
    }
  fail_unless (n_checked > 40);
}

GST_END_TEST;

/* Starts @element with the file at @path and @property (NULL: none) set to @text. NULL: it runs; else the error. */
static gchar *
start (const gchar * element, const gchar * path, const gchar * property,
    const gchar * text)
{
  GstElement *e = gst_element_factory_make (element, NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error = NULL;
  gchar *res = NULL;

  gst_element_set_bus (e, bus);
  g_object_set (e, "model-path", path, NULL);
  if (property)
    gst_util_set_object_arg (G_OBJECT (e), property, text);
  gst_element_set_state (e, GST_STATE_PAUSED);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message) {
    gst_message_parse_error (message, &error, NULL);
    res = g_strdup (error->message);
    g_error_free (error);
    gst_message_unref (message);
  }
  gst_element_set_state (e, GST_STATE_NULL);
  gst_element_set_bus (e, NULL);
  gst_object_unref (bus);
  gst_object_unref (e);
  return res;
}

/* A value that every setting refuses. */
#define NONSENSE "nonsense"

static void
check_wins (const gchar * element, const gchar * path, const CoSetting * row,
    const gchar * text)
{
  g_autofree gchar *why = start (element, path, row->property, text);

  fail_if (why && strstr (why, NONSENSE), "%s %s=%s: %s", element,
      row->property, text, why);
}

static gboolean
is_number (const gchar * text)
{
  gchar *end;

  g_ascii_strtod (text, &end);
  return !*end;
}

static void
check_row (const gchar * element, const gchar * model, const CoSetting * row)
{
  g_autofree gchar *path = model_copy (model, row->key, NONSENSE);
  g_autofree gchar *why = start (element, path, NULL, NULL);
  const gboolean has_fallback = row->fallback && (is_number (row->fallback)
      || row->type == CO_SETTING_BOOLEAN || row->type == CO_SETTING_CHOICE);

  fail_unless (why && strstr (why, NONSENSE) && strstr (why, row->key),
      "%s of %s: %s", row->key, model, why);
  /* What is the fallback, too, is set: as any other value, it wins. */
  if (has_fallback)
    check_wins (element, path, row, row->fallback);
  for (guint i = 0; i < row->n_choices; i++)
    check_wins (element, path, row, row->choices[i].name);
  if (row->type == CO_SETTING_BOOLEAN) {
    check_wins (element, path, row, "false");
    check_wins (element, path, row, "true");
  } else if (row->type == CO_SETTING_INTEGER) {
    check_wins (element, path, row, "1");
    check_wins (element, path, row, "2");
  } else if (row->type != CO_SETTING_CHOICE) {
    check_wins (element, path, row, "0.5");
  }
  g_unlink (path);
}

/* A file whose value of a setting can't be read is refused, unless the property says another one: whichever it is. */
GST_START_TEST (test_property_wins_over_file)
{
  guint n_checked = 0;

  for (guint k = 0; k < G_N_ELEMENTS (elements); k++)
    for (guint i = 0; i < co_setting_count (); i++) {
      const CoSetting *row = co_setting_get (i);
      const gchar *model = NULL;

      if (!row->property || !(row->scope & elements[k].scope))
        continue;
      for (guint kind = 0; !model && kind < 6; kind++)
        if (row->kinds >> kind & 1)
          model = elements[k].models[kind];
      check_row (elements[k].name, model ? model : elements[k].models[0], row);
      n_checked++;
    }
  fail_unless (n_checked > 40);
}

GST_END_TEST;

/* How many outputs come of @n vectors of the golden case; *error: whether the stream ended with an error. */
static guint
count_outputs (const gchar * model, const gchar * key, const gchar * value,
    const gchar * properties, guint n, gboolean * error)
{
  g_autoptr (Golden) g = golden_load (model, NULL);
  g_autofree gchar *path = model_copy (model, key, value);
  g_autofree gchar *line =
      g_strdup_printf ("model-path=%s %s", path, properties);
  GstHarness *h = encoder_new (NULL, line);
  GstBuffer *out;
  guint n_outputs = 0;

  encoder_set_caps (h, "32", 100);
  *error = FALSE;
  for (guint t = 0; t < n && !*error; t++)
    *error = gst_harness_push (h, vectors_new (g->x + t * 32, 32, t, 1)) != GST_FLOW_OK;
  while ((out = gst_harness_try_pull (h))) {
    gst_buffer_unref (out);
    n_outputs++;
  }
  gst_harness_teardown (h);
  g_unlink (path);
  return n_outputs;
}

/* Also where the property has the value that holds if nobody says one. */
GST_START_TEST (test_outputs)
{
  const struct
  {
    const gchar *model, *key, *value, *properties;
    guint n_outputs;            /* of 8 vectors */
    gboolean error;
  } cases[] = {
    {"encoder-1-relu", "warm_up", "partial", "", 8, FALSE},
    {"encoder-1-relu", "warm_up", "partial", "warm-up=auto", 8, FALSE},
    {"encoder-1-relu", "warm_up", "partial", "warm-up=drop", 1, FALSE},
    {"encoder-1-relu", "warm_up", "drop", "", 1, FALSE},
    {"encoder-1-relu", "warm_up", "drop", "warm-up=partial", 8, FALSE},
    {"encoder-1-relu", "warm_up", NULL, "warm-up=partial", 8, FALSE},
    {"encoder-1-relu", "warm_up", NULL, "", 1, FALSE},
    {"recurrent-full-2", "max_len", "5", "", 5, TRUE},
    {"recurrent-full-2", "max_len", "5", "max-len=0", 5, TRUE},
    {"recurrent-full-2", "max_len", "5", "max-len=4096", 8, FALSE},
    {"recurrent-full-2", "max_len", "4096", "max-len=6", 6, TRUE},
    {"recurrent-full-2", "max_len", NULL, "max-len=6", 6, TRUE},
    {"recurrent-full-2", "at_max", "drop-oldest", "max-len=5", 8, FALSE},
    {"recurrent-full-2", "at_max", "drop-oldest", "max-len=5 at-max=error", 5, TRUE},
    {"recurrent-full-2", "at_max", "error", "max-len=5 at-max=drop-oldest", 8, FALSE},
    {"recurrent-full-2", "at_max", "error", "max-len=5", 5, TRUE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    gboolean error;
    guint n = count_outputs (cases[i].model, cases[i].key, cases[i].value,
        cases[i].properties, 8, &error);

    fail_unless (n == cases[i].n_outputs && error == cases[i].error,
        "%s, %s=%s, %s: %u outputs%s", cases[i].model, cases[i].key,
        cases[i].value, cases[i].properties, n, error ? " and an error" : "");
  }
}

GST_END_TEST;

static Suite *
properties_suite (void)
{
  Suite *s = suite_create ("model-properties");
  TCase *tc = tcase_create ("table");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_defaults);
  tcase_add_test (tc, test_property_wins_over_file);
  tcase_add_test (tc, test_outputs);
  return s;
}

GST_CHECK_MAIN (properties);
