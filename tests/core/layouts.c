/* Which parts a layout gives, and which layouts are refused
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edits.h"
#include "names/parts.h"
#include <string.h>

#define BASE "@nhead=2;@sequence_len=3;@position_index=window;"

/* *INDENT-OFF* */
static const struct
{
  const gchar *name, *content;
} bases[] = {
  { "app", BASE "proj.weight 4,5;proj.bias 4;" LAYER ("encoder.layers.0.") ";" LAYER ("encoder.layers.1.")
      ";head.weight 2,4;head.bias 2" },
  { "bare", BASE "proj.weight 4,5;proj.bias 4;" LAYER ("encoder.layers.0.") ";" LAYER ("encoder.layers.1.") },
  { "norm", BASE LAYER ("encoder.layers.0.") ";encoder.norm.weight 4;encoder.norm.bias 4" },
  { "two", BASE LAYER ("a.layers.0.") ";" LAYER ("b.layers.0.") },
  { "sequential", BASE "0.weight 4,5;0.bias 4;" LAYER ("1.") ";" LAYER ("2.") ";4.weight 2,4;4.bias 2" },
};

/* What a layout lists, as `TYPE:NAME` in the order of forward(); the encoder with its layers and its own norm */
static const struct
{
  const gchar *base, *edits, *layout, *parts;
} taken[] = {
  { "app", "", "[\"proj\",\"encoder\",\"head\"]",
      "linear:proj encoder:encoder(encoder.layers.0,encoder.layers.1) linear:head" },
  { "app", "", "[ \"proj\" ,\n\"encoder.layers\",\"pool:mean\",\"head\" , \"softmax\"]",
      "linear:proj encoder:encoder.layers(encoder.layers.0,encoder.layers.1) pool:pool:mean linear:head softmax:softmax" },
  { "app", "+pos 1,3,4", "[\"proj\",\"scale:4.0\",\"pos\",\"encoder\",\"pool:last\",\"head\",\"log_softmax\"]",
      "linear:proj scale4:scale:4.0 positions:pos encoder:encoder(encoder.layers.0,encoder.layers.1) pool:pool:last "
      "linear:head logsoftmax:log_softmax" },
  { "app", "+pos 3,1,4;+cls 1,1,4", "[\"proj\",\"cls\",\"pos\",\"encoder\",\"pool:cls\",\"head\"]",
      "linear:proj class:cls positions:pos encoder:encoder(encoder.layers.0,encoder.layers.1) pool:pool:cls linear:head" },
  { "app", "+pos.weight 3,4", "[\"proj\",\"positions:pos\",\"encoder\",\"pool:first\",\"head\",\"sigmoid\"]",
      "linear:proj positions:positions:pos encoder:encoder(encoder.layers.0,encoder.layers.1) pool:pool:first "
      "linear:head activation5:sigmoid" },
  { "app", "+pos.pe 3,4", "[\"proj\",\"pos.pe\",\"encoder\",\"head\"]",
      "linear:proj positions:pos.pe encoder:encoder(encoder.layers.0,encoder.layers.1) linear:head" },
  { "app", "+bn.weight 5;+bn.bias 5;+bn.running_mean 5;+bn.running_var 5;+n.weight 4;+n.bias 4;+h.weight 3,2;+h.bias 3",
      "[\"bn\",\"proj\",\"gelu_tanh\",\"encoder\",\"pool:max\",\"n\",\"head\",\"leaky-relu\",\"h\"]",
      "batchnorm:bn linear:proj activation2:gelu_tanh encoder:encoder(encoder.layers.0,encoder.layers.1) pool:pool:max "
      "norm:n linear:head activation7:leaky-relu linear:h" },
  { "app", "+bn.running_mean 5;+bn.running_var 5", "[\"bn\",\"proj\",\"encoder\",\"head\"]",
      "batchnorm:bn linear:proj encoder:encoder(encoder.layers.0,encoder.layers.1) linear:head" },
  { "app", "*module.model.", "[\"model.proj\",\"model.encoder\",\"model.head\"]",
      "linear:model.proj encoder:model.encoder(model.encoder.layers.0,model.encoder.layers.1) linear:model.head" },
  { "app", "*model.;@prefix=model.", "[\"proj\",\"encoder\",\"head\"]",
      "linear:proj encoder:encoder(encoder.layers.0,encoder.layers.1) linear:head" },
  { "app", "*model._orig_mod.;@prefix=model._orig_mod;+other.weight 3", "[\"proj\",\"encoder\",\"head\"]",
      "linear:proj encoder:encoder(encoder.layers.0,encoder.layers.1) linear:head" },
  { "norm", "", "[\"encoder\"]", "encoder:encoder(encoder.layers.0)+encoder.norm" },
  { "norm", "", "[\"encoder.norm\",\"encoder.layers\"]", "norm:encoder.norm encoder:encoder.layers(encoder.layers.0)" },
  { "norm", "+2.weight 4;+2.bias 4", "[\"2\",\"encoder\",\"identity\"]",
      "norm:2 encoder:encoder(encoder.layers.0)+encoder.norm activation8:identity" },
  { "two", "", "[\"b\",\"a\"]", "encoder:b(b.layers.0,a.layers.0)" },
  { "sequential", "", "[\"0\",\"1\",\"2\",\"pool:mean\",\"relu\",\"4\"]",
      "linear:0 encoder:1(1,2) pool:pool:mean activation0:relu linear:4" },
};

static const struct
{
  const gchar *base, *edits, *layout;
  CoError code;
  const gchar *fragments[3];
} refused[] = {
  /* not an array of strings */
  { "app", "", "", CO_ERROR_SETTING, { "layout", "JSON array" } },
  { "app", "", "proj encoder head", CO_ERROR_SETTING, { "JSON array" } },
  { "app", "", "[\"proj\",\"encoder\",\"head\"", CO_ERROR_SETTING, { "JSON array" } },
  { "app", "", "[\"proj\",1]", CO_ERROR_SETTING, { "JSON array", "something else" } },
  { "app", "", "{\"proj\":\"encoder\"}", CO_ERROR_SETTING, { "JSON array" } },
  { "app", "", "[\"proj\",[\"encoder\"],\"head\"]", CO_ERROR_SETTING, { "JSON array" } },
  /* entries that nothing is called */
  { "app", "", "[\"pro\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'pro'", "near it", "'proj'" } },
  { "app", "", "[\"proj\",\"encodre\",\"head\"]", CO_ERROR_SETTING, { "'encodre'", "no tensor of that name", "'encoder.layers'" } },
  { "app", "", "[\"proj\",\"encoder\",\"flatten\",\"head\"]", CO_ERROR_SETTING, { "'flatten'", "the file has", "'head'" } },
  { "app", "", "[\"proj\",\"encoder\",\"head\",\"sofmax\"]", CO_ERROR_SETTING, { "'sofmax'", "'softmax'" } },
  { "app", "", "[\"proj\",\"\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "entry ''" } },
  { "app", "", "[\"proj\",\"fn\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "entry 'fn'" } },
  { "app", "", "[\"proj\",\"positions:pos\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'positions:pos'", "no tensor" } },
  /* operations with a wrong argument */
  { "app", "", "[\"proj\",\"scale\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'scale'" } },
  { "app", "", "[\"proj\",\"scale:\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'scale:'", "finite number" } },
  { "app", "", "[\"proj\",\"scale:0\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'scale:0'" } },
  { "app", "", "[\"proj\",\"scale:nan\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'scale:nan'" } },
  { "app", "", "[\"proj\",\"scale:1e99\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'scale:1e99'" } },
  { "app", "", "[\"proj\",\"scale:0x1\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'scale:0x1'" } },
  { "app", "", "[\"proj\",\"scale:4 \",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'scale:4 '" } },
  { "app", "", "[\"proj\",\"encoder\",\"pool:avg\",\"head\"]", CO_ERROR_SETTING, { "'pool:avg'", "pool:mean" } },
  { "app", "", "[\"proj\",\"encoder\",\"pool:\",\"head\"]", CO_ERROR_SETTING, { "'pool:'", "pool:cls" } },
  /* an order that cannot be run */
  { "app", "", "[\"proj\",\"pool:mean\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'pool:mean'", "the encoder before" } },
  { "app", "", "[\"proj\",\"encoder\",\"pool:mean\",\"pool:max\",\"head\"]", CO_ERROR_SETTING, { "'pool:max'", "one pool" } },
  { "app", "", "[\"proj\",\"encoder\",\"pool:cls\",\"head\"]", CO_ERROR_SETTING, { "'pool:cls'", "class token" } },
  { "app", "+cls 1,1,4", "[\"proj\",\"cls\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "a pool behind the encoder", "class token" } },
  { "app", "+cls 1,1,4", "[\"proj\",\"encoder\",\"cls\",\"pool:cls\",\"head\"]", CO_ERROR_SETTING, { "'cls'", "before the encoder" } },
  { "app", "+cls 1,1,4;+c 1,1,4", "[\"proj\",\"cls\",\"c\",\"encoder\",\"pool:cls\",\"head\"]", CO_ERROR_SETTING, { "'c'", "one class token" } },
  { "app", "+pos 3,4", "[\"proj\",\"encoder\",\"pos\",\"head\"]", CO_ERROR_SETTING, { "'pos'", "before the encoder" } },
  { "app", "@query_index=-1", "[\"proj\",\"encoder\",\"pool:last\",\"head\"]", CO_ERROR_SETTING, { "'pool:last'", "query_index" } },
  /* the encoder */
  { "app", "", "[\"proj\",\"head\"]", CO_ERROR_SETTING, { "names the encoder", "'encoder.layers'" } },
  { "app", "", "[]", CO_ERROR_SETTING, { "names the encoder" } },
  { "app", "", "[\"proj\",\"encoder\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'encoder'", "each layer once", "encoder.layers.0" } },
  { "two", "+m.weight 4,4;+m.bias 4", "[\"a\",\"m\",\"b\"]", CO_ERROR_SETTING, { "'b'", "one encoder", "'a'" } },
  { "two", "+a.norm.weight 4;+a.norm.bias 4", "[\"a\",\"b\"]", CO_ERROR_SETTING, { "'b'", "one encoder" } },
  { "two", "", "[\"a\"]", CO_ERROR_MODEL, { "no entry of `layout` uses layer 'b.layers.0'" } },
  { "two", "*x.", "[\"x\"]", CO_ERROR_SETTING, { "'x'", "one list of layers", "'x.b.layers'" } },
  { "norm", "", "[\"encoder\",\"encoder.norm\"]", CO_ERROR_SETTING, { "'encoder.norm'", "each part once" } },
  /* parts */
  { "app", "", "[\"proj\",\"encoder\",\"head\",\"head\"]", CO_ERROR_SETTING, { "'head'", "each part once" } },
  { "app", "", "[\"proj\",\"encoder\"]", CO_ERROR_MODEL, { "nothing uses tensor 'head.weight'", "`layout`" } },
  { "app", "+encoder.extra.weight 3", "[\"proj\",\"encoder\",\"head\"]", CO_ERROR_MODEL, { "nothing uses tensor 'encoder.extra.weight'" } },
  { "app", "-head.weight", "[\"proj\",\"encoder\",\"head\"]", CO_ERROR_MODEL, { "'head.weight' is missing", "'head.bias'" } },
  { "app", "+bn.weight 5;+bn.bias 5;+bn.running_mean 5", "[\"bn\",\"proj\",\"encoder\",\"head\"]", CO_ERROR_MODEL, { "'bn.running_var' is missing" } },
  { "app", "+bn.weight 5;+bn.running_var 5;+bn.running_mean 5", "[\"bn\",\"proj\",\"encoder\",\"head\"]", CO_ERROR_MODEL, { "'bn.bias' is missing" } },
  { "app", "+conv.weight 4,5,3", "[\"conv\",\"proj\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'conv'", "(4, 5, 3)", "convolutions" } },
  { "app", "+gain 4", "[\"proj\",\"gain\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'gain'", "(4)", "positions (P, E)" } },
  { "app", "+pos 2,3,4", "[\"proj\",\"pos\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'pos'", "(2, 3, 4)" } },
  { "app", "+pos.weight 4", "[\"proj\",\"positions:pos\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'positions:pos'", "(4)" } },
  { "app", "+pos.weight 3,4;+pos.bias 3", "[\"proj\",\"positions:pos\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'positions:pos'", "with a bias" } },
  { "app", "+pos 3,4;+pos.weight 3,4", "[\"proj\",\"pos\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "'pos'", "one part of that name" } },
  /* beside a layout */
  { "app", "@head=head", "[\"proj\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "`layout` and `head`", "file" } },
  { "app", "@embed=proj", "[\"proj\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "`layout` and `embed`" } },
  { "app", "@positions=x", "[\"proj\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "`layout` and `positions`" } },
  { "app", "@encoder=encoder", "[\"proj\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "`layout` and `encoder`" } },
  { "app", "@norm=x", "[\"proj\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "`layout` and `norm`" } },
  { "app", "@prefix=model", "[\"proj\",\"encoder\",\"head\"]", CO_ERROR_SETTING, { "prefix 'model'", "'encoder'", "'proj'" } },
  /* a list without its first layer */
  { "bare", "*x.;>x.proj.weight proj.weight;>x.proj.bias proj.bias;" LAYER ("x.encoder.layers.3."), "[\"proj\",\"x\"]", CO_ERROR_MODEL, { "'x.encoder.layers.2' is missing" } },
};
/* *INDENT-ON* */

static GBytes *
write_case (const gchar * base, const gchar * edits)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bases); i++)
    if (g_str_equal (bases[i].name, base))
      return edits_write (bases[i].content, edits);
  g_assert_not_reached ();
}

static gboolean
find (const gchar * base, const gchar * edits, const gchar * layout,
    CoParts * parts, CoCheckpoint ** file, GError ** error)
{
  g_autoptr (GBytes) bytes = write_case (base, edits);
  g_autoptr (CoOptions) options = co_options_new ();
  CoSettings settings;
  gboolean ok;

  *file = co_checkpoint_load_bytes (bytes, "model", error);
  g_assert_nonnull (*file);
  g_assert_true (co_options_set (options, "layout", layout, NULL));
  if (!co_settings_read (&settings, *file, options, error))
    return FALSE;
  ok = co_parts_find (parts, *file, &settings, error);
  co_settings_clear (&settings);
  return ok;
}

static void
append_encoder (GString * s, const CoParts * parts)
{
  for (guint i = 0; i < parts->layers->len; i++)
    g_string_append_printf (s, "%s%s", i ? "," : "(", g_array_index (parts->layers, CoLayerParts, i).path);
  g_string_append_c (s, ')');
  if (parts->encoder_norm.weight)
    g_string_append_printf (s, "+%s", parts->encoder_norm.name);
}

static CoPool
pool_of (const gchar * name)
{
  const gchar *pool = name + strlen ("pool:");

  return g_str_equal (pool, "last") ? CO_POOL_LAST : g_str_equal (pool, "first") ? CO_POOL_FIRST
      : g_str_equal (pool, "mean") ? CO_POOL_MEAN : g_str_equal (pool, "max") ? CO_POOL_MAX : CO_POOL_CLS;
}

static gchar *
to_string (const CoParts * parts)
{
  static const gchar *const types[] = {
    [CO_PART_ENCODER] = "encoder",[CO_PART_LINEAR] = "linear",[CO_PART_NORM] = "norm",
    [CO_PART_BATCH_NORM] = "batchnorm",[CO_PART_POSITIONS] = "positions",[CO_PART_CLASS_TOKEN] = "class",
    [CO_PART_SCALE] = "scale",[CO_PART_POOL] = "pool",[CO_PART_ACTIVATION] = "activation",
    [CO_PART_SOFTMAX] = "softmax",[CO_PART_LOG_SOFTMAX] = "logsoftmax",
  };
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < parts->list->len; i++) {
    const CoPart *p = &g_array_index (parts->list, CoPart, i);

    g_string_append_printf (s, "%s%s", i ? " " : "", types[p->type]);
    if (p->type == CO_PART_SCALE)
      g_string_append_printf (s, "%g", p->number);
    if (p->type == CO_PART_POOL)
      g_assert_cmpint (p->choice, ==, pool_of (p->name));
    if (p->type == CO_PART_ACTIVATION)
      g_string_append_printf (s, "%d", p->choice);
    g_string_append_printf (s, ":%s", p->name);
    if (p->type == CO_PART_ENCODER)
      append_encoder (s, parts);
  }
  return g_string_free (s, FALSE);
}

static void
test_taken (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (taken); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (CoCheckpoint) file = NULL;
    g_autofree gchar *found = NULL;
    CoParts parts;
    gboolean ok = find (taken[i].base, taken[i].edits, taken[i].layout, &parts, &file, &error);

    g_assert_no_error (error);
    g_assert_true (ok);
    found = to_string (&parts);
    g_assert_cmpstr (found, ==, taken[i].parts);
    co_parts_clear (&parts);
  }
}

static void
test_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (CoCheckpoint) file = NULL;
    CoParts parts;
    gboolean ok = find (refused[i].base, refused[i].edits, refused[i].layout, &parts, &file, &error);

    if (ok || error->code != (gint) refused[i].code)
      g_error ("%s %s %s: %s", refused[i].base, refused[i].edits, refused[i].layout, ok ? "taken" : error->message);
    for (gsize f = 0; f < G_N_ELEMENTS (refused[i].fragments) && refused[i].fragments[f]; f++)
      if (!strstr (error->message, refused[i].fragments[f]))
        g_error ("%s %s: expected \"%s\" in \"%s\"", refused[i].edits, refused[i].layout, refused[i].fragments[f],
            error->message);
    g_assert_nonnull (strstr (error->message, "expected"));
    g_test_message ("%s", error->message);
  }
}

/* 257 entries */
static void
test_too_many (void)
{
  g_autoptr (GString) layout = g_string_new ("[\"proj\",\"encoder\",\"head\"");
  g_autoptr (GError) error = NULL;
  g_autoptr (CoCheckpoint) file = NULL;
  CoParts parts;

  for (gsize i = 0; i < 254; i++)
    g_string_append (layout, ",\"relu\"");
  g_string_append_c (layout, ']');
  g_assert_false (find ("app", "", layout->str, &parts, &file, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "at most 256"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layouts/taken", test_taken);
  g_test_add_func ("/layouts/refused", test_refused);
  g_test_add_func ("/layouts/too-many", test_too_many);
  return g_test_run ();
}
