/* libcontinual: parts in the order of forward(), as a layout lists them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/place.h"
#include "settings/near.h"
#include "weights/quote.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

#define MAX_ENTRIES 256
#define POSITIONS "positions:"
#define SCALE "scale:"
#define POOL "pool:"
#define POOLS "pool:last, pool:first, pool:mean, pool:max or pool:cls"

typedef struct
{
  CoPlacing *placing;
  const gchar *entry;           /* as the layout writes it */
  gchar *quoted;                /* the same for messages */
  gboolean *taken;              /* (layers) which are in the encoder already */
  GArray *layers;               /* guint: in the order of the layout */
  gint encoder;                 /* its index in the list; -1: not yet */
  gboolean pool, class_token;
} Layout;

static gboolean fail (Layout * self, const gchar * expected, const gchar * todo, const gchar * format, ...)
    G_GNUC_PRINTF (4, 5);

/* "layout entry 'X': expected @expected, found @format; @todo". A layout that the file does not have is its family's. */
static gboolean
fail (Layout * self, const gchar * expected, const gchar * todo,
    const gchar * format, ...)
{
  g_autofree gchar *found = NULL;
  va_list args;

  va_start (args, format);
  found = g_strdup_vprintf (format, args);
  va_end (args);
  if (!self->placing->settings->layout)
    return co_place_fail (self->placing, CO_ERROR_MODEL, "part %s of a %s model: expected %s, found %s; save the whole model, "
        "or say with `prefix` which part runs", self->quoted, self->placing->settings->family->model_type, expected, found);
  return co_place_fail (self->placing, CO_ERROR_SETTING, "layout entry %s: expected %s, found %s; %s", self->quoted,
      expected, found, todo);
}

static void
append (Layout * self, CoPart part)
{
  part.name = g_strdup (self->entry);
  co_place_append (self->placing, &part);
}

/* ---- operations ---- */

static gboolean
add_scale (Layout * self, const gchar * text)
{
  gchar *end;
  gdouble number = g_ascii_strtod (text, &end);

  if (*text == '\0' || strspn (text, "0123456789+-.eE") != strlen (text) || *end || !isfinite ((float) number)
      || (float) number == 0)
    return fail (self, SCALE "NUMBER with a finite number that is not 0", "write it as " SCALE "4.0",
        "no such number");
  append (self, (CoPart) {.type = CO_PART_SCALE,.number = number});
  return TRUE;
}

static gboolean
add_pool (Layout * self, const gchar * name)
{
  static const gchar *const pools[] = {
    [CO_POOL_LAST] = "last",[CO_POOL_FIRST] = "first",[CO_POOL_MEAN] = "mean",[CO_POOL_MAX] = "max",
    [CO_POOL_CLS] = "cls"
  };
  const CoSettings *s = self->placing->settings;
  gint choice = -1;

  for (gsize i = 0; i < G_N_ELEMENTS (pools); i++)
    if (g_strcmp0 (pools[i], name) == 0)
      choice = i;
  if (choice < 0)
    return fail (self, POOLS, "correct it", "another pool");
  if (self->encoder < 0)
    return fail (self, "the encoder before the pool, which sees every row that leaves it", "correct the order",
        "none before it");
  if (self->pool)
    return fail (self, "one pool", "remove one", "a second one: the first leaves one row, which cannot be pooled");
  if (s->sources[CO_ROW_query_index] != CO_SOURCE_DEFAULT)
    return fail (self, "a pool or query_index, for each says which position is answered", "remove one",
        "query_index %" G_GINT64_FORMAT " beside it", s->query_index);
  if (choice == CO_POOL_CLS && !self->class_token)
    return fail (self, "a class token before the encoder", "name the class token, or use another pool",
        "no class token in the layout");
  self->pool = TRUE;
  append (self, (CoPart) {.type = CO_PART_POOL,.choice = choice});
  return TRUE;
}

/* Returns: FALSE if the entry is no operation; otherwise *ok says whether it is right. */
static gboolean
add_operation (Layout * self, gboolean * ok)
{
  const gchar *entry = self->entry;

  *ok = TRUE;
  if (g_str_has_prefix (entry, SCALE)) {
    *ok = add_scale (self, entry + strlen (SCALE));
    return TRUE;
  }
  if (g_str_has_prefix (entry, POOL)) {
    *ok = add_pool (self, entry + strlen (POOL));
    return TRUE;
  }
  if (g_str_equal (entry, "softmax") || g_str_equal (entry, "log_softmax")) {
    append (self, (CoPart) {.type = *entry == 's' ? CO_PART_SOFTMAX : CO_PART_LOG_SOFTMAX});
    return TRUE;
  }
  for (gint i = 0; i < CO_N_ACTIVATIONS; i++)
    if (co_setting_same_name (co_activation_choices[i].name, entry)) {
      append (self, (CoPart) {.type = CO_PART_ACTIVATION,.choice = i});
      return TRUE;
    }
  return FALSE;
}

/* ---- parts ---- */

static gboolean
use (Layout * self, CoModule * module)
{
  if (module->used)
    return fail (self, "each part once", "remove one of the two", "its tensors in an entry before; a module that runs "
        "twice cannot be expressed");
  module->used = TRUE;
  return TRUE;
}

static gboolean
add_positions (Layout * self, CoModule * module)
{
  const CoTensor *t = module->part.weight;
  g_autofree gchar *shape = t ? co_shape_to_string (t->dims, t->n_dims, NULL) : NULL;

  if (!t || module->part.bias || (t->n_dims != 2 && (t->n_dims != 3 || (t->dims[0] != 1 && t->dims[1] != 1))))
    return fail (self, "a table of positions (P, E), (1, P, E) or (P, 1, E)", "correct the name",
        "tensor '%s' %s%s", co_module_tensor (module)->name, t ? shape : "without a weight",
        module->part.bias ? " with a bias" : "");
  if (self->encoder >= 0)
    return fail (self, "positions before the encoder", "such a model cannot be run", "them after it");
  if (!use (self, module))
    return FALSE;
  append (self, (CoPart) {.type = CO_PART_POSITIONS,.weight = t});
  return TRUE;
}

static gboolean
add_class_token (Layout * self, CoModule * module)
{
  if (self->encoder >= 0)
    return fail (self, "the class token before the encoder", "such a model cannot be run", "it after the encoder");
  if (!use (self, module))
    return FALSE;
  if (self->class_token)
    return fail (self, "one class token", "such a model cannot be run", "a second one");
  self->class_token = TRUE;
  append (self, (CoPart) {.type = CO_PART_CLASS_TOKEN,.weight = module->part.weight});
  return TRUE;
}

/* A tensor that is itself called NAME */
static gboolean
add_tensor (Layout * self, CoModule * module)
{
  const CoTensor *t = module->part.weight;
  g_autofree gchar *shape = NULL;

  if (t->n_dims == 3 && t->dims[0] == 1 && t->dims[1] == 1)
    return add_class_token (self, module);
  if (t->n_dims == 2 || (t->n_dims == 3 && (t->dims[0] == 1 || t->dims[1] == 1)))
    return add_positions (self, module);
  shape = co_shape_to_string (t->dims, t->n_dims, NULL);
  return fail (self, "positions (P, E), (1, P, E) or (P, 1, E), or a class token (1, 1, E)",
      "a layout cannot say what such a tensor does", "tensor '%s' %s", t->name, shape);
}

/* NAME.weight and its companions */
static gboolean
add_module (Layout * self, CoModule * module)
{
  CoPart part = module->part;
  const gboolean statistics = part.running_mean || part.running_var;
  g_autofree gchar *shape = part.weight ? co_shape_to_string (part.weight->dims, part.weight->n_dims, NULL) : NULL;

  if (statistics ? !part.running_mean || !part.running_var || !part.weight != !part.bias : !part.weight)
    return co_place_fail (self->placing, CO_ERROR_MODEL, "tensor '%s.%s' is missing: expected it beside '%s', for "
        "layout entry %s; save the whole state dict", part.name,
        statistics && !part.running_mean ? "running_mean" : statistics && !part.running_var ? "running_var"
        : part.weight ? "bias" : "weight", co_module_tensor (module)->name, self->quoted);
  if (part.weight && part.weight->n_dims != 1 && (statistics || part.weight->n_dims != 2))
    return fail (self, "a linear map with a weight (out, in), a norm with a weight (C) or a batch norm with running "
        "statistics", "a layout cannot run other modules, such as convolutions", "tensor '%s' %s", part.weight->name,
        shape);
  if (!use (self, module))
    return FALSE;
  part.type = statistics ? CO_PART_BATCH_NORM : part.weight->n_dims == 1 ? CO_PART_NORM : CO_PART_LINEAR;
  append (self, part);
  return TRUE;
}

/* ---- the encoder ---- */

/* The layers of NAME: NAME itself, or what is in one list in it. *n = 0: there are none. */
static gboolean
find_layers (Layout * self, const gchar * name, guint * first, guint * n)
{
  const GArray *layers = self->placing->layers->layers;
  g_autofree gchar *list = NULL;

  *n = 0;
  for (guint i = 0; i < layers->len; i++) {
    const gchar *path = g_array_index (layers, CoLayerParts, i).path;
    g_autofree gchar *parent = co_name_is_under (path, name) ? co_name_parent (path) : NULL;

    if (!parent)
      continue;
    if (list && !g_str_equal (list, parent))
      return fail (self, "one list of layers", "name the one that runs", "layers in '%s' and in '%s'", list, parent);
    if (*n == 0)
      *first = i;
    *n = i - *first + 1;
    g_free (list);
    list = g_steal_pointer (&parent);
  }
  return TRUE;
}

/* One encoder; or single layers and lists one behind another, which are one as well */
static gboolean
add_encoder (Layout * self, const gchar * name, guint first, guint n)
{
  CoPlacing *placing = self->placing;
  CoModule *norm = co_place_own_norm (placing, name);
  const gint last = (gint) placing->parts->list->len - 1;

  for (guint i = first; i < first + n; i++) {
    if (self->taken[i])
      return fail (self, "each layer once", "a layer that runs twice cannot be expressed",
          "layer '%s' in an entry before", g_array_index (placing->layers->layers, CoLayerParts, i).path);
    self->taken[i] = TRUE;
    g_array_append_val (self->layers, i);
  }
  if (self->encoder >= 0 && (self->encoder != last || placing->parts->encoder_norm.weight))
    return fail (self, "one encoder", "such a model cannot be run", "a second one behind '%s'",
        g_array_index (placing->parts->list, CoPart, self->encoder).name);
  if (norm && norm->part.weight && !norm->used) {
    norm->used = TRUE;
    placing->parts->encoder_norm = norm->part;
    placing->parts->encoder_norm.type = CO_PART_NORM;
    placing->parts->encoder_norm.name = g_strdup (norm->part.name);
  }
  if (self->encoder < 0) {
    self->encoder = last + 1;
    append (self, (CoPart) {.type = CO_PART_ENCODER});
  }
  return TRUE;
}

/* ---- entries ---- */

/* Names of modules and lists, all of them or those near @name, for a message */
static gchar *
names_near (Layout * self, const gchar * name, guint distance)
{
  static const gchar *const operations[] = {
    "scale:NUMBER", "pool:last", "pool:first", "pool:mean", "pool:max", "pool:cls", "softmax", "log_softmax", NULL
  };
  GString *s = g_string_new (NULL);
  const GArray *modules = self->placing->modules->list, *layers = self->placing->layers->layers;
  g_autofree gchar *list = co_name_parent (g_array_index (layers, CoLayerParts, 0).path);
  gsize n = 0;

  if (*list && (!distance || co_is_near (name, list, distance))) {
    g_autofree gchar *quoted = co_quote (list);
    g_string_append (s, quoted);
  }
  for (guint i = 0; i < modules->len && n < 12; i++) {
    const gchar *other = g_array_index (modules, CoModule, i).part.name;
    g_autofree gchar *quoted = co_quote (other);

    if (!distance || co_is_near (name, other, distance)) {
      g_string_append_printf (s, "%s%s", s->len ? ", " : "", n++ == 11 ? "…" : quoted);
    }
  }
  for (gsize i = 0; distance && operations[i]; i++)
    if (co_is_near (name, operations[i], distance))
      g_string_append_printf (s, "%s'%s'", s->len ? ", " : "", operations[i]);
  for (gsize i = 0; distance && i < CO_N_ACTIVATIONS; i++)
    if (co_is_near (name, co_activation_choices[i].name, distance))
      g_string_append_printf (s, "%s'%s'", s->len ? ", " : "", co_activation_choices[i].name);
  return g_string_free (s, FALSE);
}

static gboolean
fail_unknown (Layout * self, const gchar * name)
{
  g_autofree gchar *near = names_near (self, name, 2), *all = names_near (self, name, 0);
  const gboolean is_near = *near != '\0';

  return fail (self, "the name of a part, or an operation (" SCALE "NUMBER, " POOL "NAME, softmax, log_softmax or an "
      "activation)", "correct it; an operation that is not listed cannot be run",
      "no tensor of that name; %s %s", is_near ? "near it:" : "the file has", is_near ? near : *all ? all : "none");
}

static gboolean
add_entry (Layout * self)
{
  CoModules *modules = self->placing->modules;
  const gboolean positions = g_str_has_prefix (self->entry, POSITIONS);
  const gchar *rest = positions ? self->entry + strlen (POSITIONS) : self->entry;
  g_autofree gchar *name = co_name_strip (rest);
  CoModule *tensor, *module;
  guint first = 0, n = 0;
  gboolean ok;

  if (!positions && add_operation (self, &ok))
    return ok;
  tensor = co_modules_find (modules, name, TRUE);
  module = co_modules_find (modules, name, FALSE);
  if (*name == '\0')
    return fail_unknown (self, name);
  if (positions)
    return tensor || module ? add_positions (self, tensor ? tensor : module) : fail_unknown (self, name);
  if (!find_layers (self, name, &first, &n))
    return FALSE;
  if (n > 0)
    return add_encoder (self, name, first, n);
  if (tensor && module)
    return fail (self, "one part of that name", "save the model under other names", "a tensor and a module");
  return tensor ? add_tensor (self, tensor) : module ? add_module (self, module) : fail_unknown (self, name);
}

static gboolean
check_used (Layout * self)
{
  CoPlacing *placing = self->placing;
  const GArray *layers = placing->layers->layers;

  for (guint i = 0; i < layers->len; i++)
    if (!self->taken[i])
      return co_place_fail (placing, CO_ERROR_MODEL,
          "no entry of `layout` uses layer '%s': expected every layer in an entry; add the one that names it, say with "
          "`prefix` which part runs, or leave its tensors out", g_array_index (layers, CoLayerParts, i).path);
  for (guint i = 0; i < placing->modules->list->len; i++) {
    const CoModule *m = &g_array_index (placing->modules->list, CoModule, i);

    if (!m->used)
      return co_place_fail (placing, CO_ERROR_MODEL,
          "nothing uses tensor '%s': expected every tensor in an entry of `layout`; add the one that names it, say with "
          "`prefix` which part runs, or leave the tensor out", co_module_tensor (m)->name);
  }
  return TRUE;
}

static gboolean
check_whole (Layout * self)
{
  CoPlacing *placing = self->placing;
  g_autofree gchar *list = co_name_parent (g_array_index (placing->layers->layers, CoLayerParts, 0).path);

  if (self->encoder < 0)
    return co_place_fail (placing, CO_ERROR_SETTING,
        "layout: expected one entry that names the encoder, found none; add it: its layers are in '%s'", list);
  if (self->class_token && !self->pool)
    return co_place_fail (placing, CO_ERROR_SETTING,
        "layout: expected a pool behind the encoder of a model with a class token, found none; add " POOLS);
  return check_used (self);
}

static void
take_layers (Layout * self)
{
  CoParts *parts = self->placing->parts;
  GArray *from = self->placing->layers->layers;

  parts->layers = g_array_new (FALSE, TRUE, sizeof (CoLayerParts));
  for (guint i = 0; i < self->layers->len; i++)
    g_array_append_val (parts->layers, g_array_index (from, CoLayerParts, g_array_index (self->layers, guint, i)));
  g_array_set_clear_func (from, NULL);  /* each layer is taken just once */
}

static gboolean
check_no_names (CoPlacing * self)
{
  static const guint rows[] = { CO_ROW_embed, CO_ROW_positions, CO_ROW_encoder, CO_ROW_norm, CO_ROW_head };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (self->settings->sources[rows[i]] != CO_SOURCE_DEFAULT)
      return co_place_fail (self, CO_ERROR_SETTING,
          "`layout` and `%s` (from: %s): expected one of them, for a layout names every part; remove one",
          co_setting_get (rows[i])->key, co_source_get_name (self->settings->sources[rows[i]]));
  return TRUE;
}

/* The strings of @text, or NULL with an error. */
static json_t *
parse (CoPlacing * self, const gchar * text)
{
  json_error_t why;
  json_t *array = json_loads (text, JSON_REJECT_DUPLICATES, &why);
  gboolean ok = json_is_array (array) && json_array_size (array) <= MAX_ENTRIES;

  for (gsize i = 0; ok && i < json_array_size (array); i++)
    ok = json_is_string (json_array_get (array, i));
  if (!ok) {
    g_autofree gchar *found = array ? g_strdup ("something else") : co_quote (why.text);

    co_place_fail (self, CO_ERROR_SETTING,
        "layout: expected a JSON array of at most %d strings such as [\"proj\", \"encoder\", \"pool:mean\", \"head\"], "
        "found %s; correct it", MAX_ENTRIES, found);
    g_clear_pointer (&array, json_decref);
  }
  return array;
}

gboolean
co_place_by_layout (CoPlacing * placing, const gchar * text)
{
  const guint n_layers = placing->layers->layers->len;
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree gboolean *taken = g_new0 (gboolean, n_layers);
  Layout self = {.placing = placing,.taken = taken,.layers = order,.encoder = -1 };
  json_t *array;
  gboolean ok;

  if (!check_no_names (placing))
    return FALSE;
  array = parse (placing, text);
  ok = array != NULL;
  for (gsize i = 0; ok && i < json_array_size (array); i++) {
    self.entry = json_string_value (json_array_get (array, i));
    self.quoted = co_quote (self.entry);
    ok = add_entry (&self);
    g_free (self.quoted);
  }
  ok = ok && check_whole (&self);
  json_decref (array);
  if (!ok)
    return FALSE;
  take_layers (&self);
  return co_layers_check_lists (placing->parts->layers, placing->modules, placing->prefix, placing->file,
      placing->error);
}
