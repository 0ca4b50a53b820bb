/* libcontinual: which tensor of a file is which part of a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/parts.h"
#include "weights/quote.h"
#include <string.h>

/* A tensor with the name that it would have without wrappers. */
typedef struct
{
  const CoTensor *tensor;
  gchar *name;
} Named;

static void
named_clear (gpointer data)
{
  g_free (((Named *) data)->name);
}

static gboolean
part_is (const gchar * part, const gchar * end, const gchar * word)
{
  return strlen (word) == (gsize) (end - part)
      && memcmp (part, word, end - part) == 0;
}

/* co.Lambda and co.Residual add `fn`, and `_ff_block` with its branch's number; RecyclingPositionalEncoding keeps
 * its table in `pe`, which may be the table itself. */
static gchar *
strip_wrappers (const gchar * name)
{
  GString *s = g_string_sized_new (strlen (name) + 1);
  const gchar *part = name, *end;

  for (; part; part = *end ? end + 1 : NULL) {
    end = strchrnul (part, '.');
    if (part_is (part, end, "fn") || (part_is (part, end, "pe") && part > name))
      continue;
    if (part_is (part, end, "_ff_block")) {
      if (*end && part_is (end + 1, strchrnul (end + 1, '.'), "1"))
        end += strlen (".1");
      continue;
    }
    if (s->len)
      g_string_append_c (s, '.');
    g_string_append_len (s, part, end - part);
  }
  return g_string_free (s, FALSE);
}

/* "2.layers.0" from "2.layers.0.norm1.weight" and "norm1.weight"; NULL if it does not end so. */
static gchar *
owner_of (const gchar * name, const gchar * suffix)
{
  gsize n = strlen (name), s = strlen (suffix);

  if (n == s && g_str_equal (name, suffix))
    return g_strdup ("");
  if (n > s + 1 && name[n - s - 1] == '.' && g_str_equal (name + n - s, suffix))
    return g_strndup (name, n - s - 1);
  return NULL;
}

static const gchar *
last_part (const gchar * path)
{
  const gchar *dot = strrchr (path, '.');

  return dot ? dot + 1 : path;
}

static gchar *
parent_of (const gchar * path)
{
  const gchar *last = last_part (path);

  return last == path ? g_strdup ("") : g_strndup (path, last - path - 1);
}

/* -1: not a number */
static gint64
number_of (const gchar * path)
{
  guint64 n;

  return g_ascii_string_to_unsigned (last_part (path), 10, 0, G_MAXINT32, &n,
      NULL) ? (gint64) n : -1;
}

static CoLayerParts *
layer_at (GArray * layers, const gchar * path)
{
  for (guint i = 0; i < layers->len; i++)
    if (g_str_equal (g_array_index (layers, CoLayerParts, i).path, path))
      return &g_array_index (layers, CoLayerParts, i);
  g_array_append_val (layers, ((CoLayerParts) {
        .path = g_strdup (path)
      }));
  return &g_array_index (layers, CoLayerParts, layers->len - 1);
}

static void
layer_clear (gpointer data)
{
  g_free (((CoLayerParts *) data)->path);
}

/* Which layer's tensor that is and which one of it; NULL if of none. */
static gchar *
find_layer (const CoScheme * scheme, const gchar * name, CoRole * role)
{
  for (const CoSchemeName * s = scheme->names; s->suffix; s++) {
    gchar *path = owner_of (name, s->suffix);

    *role = s->role;
    if (path)
      return path;
  }
  return NULL;
}

/* Finds the layers; tensors that are of none stay in @rest. A norm1 or a linear1 without an attention is of none. */
static void
match (const CoScheme * scheme, GArray * named, GArray * layers, GArray * rest)
{
  g_autoptr (GHashTable) attend =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  CoRole role;

  for (guint i = 0; i < named->len; i++) {
    const Named *n = &g_array_index (named, Named, i);
    g_autofree gchar *path = find_layer (scheme, n->name, &role);

    if (path && role < CO_ROLE_NORM1_WEIGHT)
      g_hash_table_add (attend, g_steal_pointer (&path));
  }
  for (guint i = 0; i < named->len; i++) {
    const Named *n = &g_array_index (named, Named, i);
    g_autofree gchar *path = find_layer (scheme, n->name, &role);
    CoLayerParts *layer = path && g_hash_table_contains (attend, path)
        ? layer_at (layers, path) : NULL;

    /* Two tensors of one name: the second stays in the rest. */
    if (layer && !layer->tensors[role])
      layer->tensors[role] = n->tensor;
    else
      g_array_append_val (rest, *n);
  }
}

static gboolean
has_attention (const CoLayerParts * layer)
{
  return layer->tensors[CO_ROLE_IN_WEIGHT] || layer->tensors[CO_ROLE_Q_WEIGHT];
}

/* Whether the layers found are whole: each has an attention, and feed-forward unless the scheme is bare. */
static gboolean
plausible (const CoScheme * scheme, GArray * layers)
{
  for (guint i = 0; i < layers->len; i++) {
    const CoLayerParts *layer = &g_array_index (layers, CoLayerParts, i);
    if (!has_attention (layer) || (!scheme->bare
            && !layer->tensors[CO_ROLE_LINEAR1_WEIGHT]))
      return FALSE;
  }
  return TRUE;
}

static gint
by_number (gconstpointer a, gconstpointer b)
{
  gint64 n = number_of (((const CoLayerParts *) a)->path);
  gint64 m = number_of (((const CoLayerParts *) b)->path);

  return n < m ? -1 : n > m;
}

/* The rest, by the module a tensor belongs to. */
static GArray *
group (GArray * rest)
{
  GArray *modules = g_array_new (FALSE, TRUE, sizeof (CoPart));

  for (guint i = 0; i < rest->len; i++) {
    Named *n = &g_array_index (rest, Named, i);
    const gchar *last = last_part (n->name);
    gboolean bias = g_str_equal (last, "bias");
    g_autofree gchar *path = bias || g_str_equal (last, "weight")
        || g_str_equal (last, "pattern") ? parent_of (n->name)
        : g_strdup (n->name);
    CoPart *module = NULL;

    /* Two tensors of one name make two modules, of which one has no place. */
    for (guint m = 0; m < modules->len && !module; m++) {
      CoPart *other = &g_array_index (modules, CoPart, m);
      if (g_str_equal (other->name, path)
          && !(bias ? other->bias : other->weight))
        module = other;
    }
    if (!module) {
      g_array_set_size (modules, modules->len + 1);
      module = &g_array_index (modules, CoPart, modules->len - 1);
      module->name = g_steal_pointer (&path);
    }
    if (bias)
      module->bias = n->tensor;
    else
      module->weight = n->tensor;
  }
  return modules;
}

/* Whether a module is a child of @path. */
static gboolean
has_child (GArray * modules, const gchar * path)
{
  for (guint i = 0; i < modules->len; i++) {
    g_autofree gchar *parent =
        parent_of (g_array_index (modules, CoPart, i).name);
    if (g_str_equal (parent, path))
      return TRUE;
  }
  return FALSE;
}

static void
part_clear (gpointer data)
{
  g_free (((CoPart *) data)->name);
}

/* Moves a part to the end of the list, if the file has it. */
static void
append (CoParts * self, CoPart * part, CoPartType type)
{
  if (!part->name)
    return;
  part->type = type;
  g_array_append_val (self->list, *part);
  part->name = NULL;
}

/* The parts that a file without a layout may have */
typedef struct
{
  CoPart embed, positions, encoder_norm, norm, head;
} Slots;

/* Which part a module beside the encoder is, or NULL. Numbered children are told by their place and shape,
 * named ones by name. */
static CoPart *
place (Slots * self, const CoPart * module,
    const CoSettings * settings, const gchar * encoder_path,
    const gchar * parent, gint64 first, gint64 last)
{
  g_autofree gchar *own_norm = *encoder_path
      ? g_strconcat (encoder_path, ".norm", NULL) : g_strdup ("norm");
  g_autofree gchar *module_parent = parent_of (module->name);
  const gchar *name = last_part (module->name);
  gint64 n = number_of (module->name);

  if (!module->weight)
    return NULL;
  if (g_str_equal (module->name, own_norm))
    return &self->encoder_norm;
  if (g_str_equal (module->name, "") || (!g_str_equal (module_parent, parent)
          && !g_str_equal (module_parent, encoder_path)))
    return NULL;
  if (n >= 0 && first >= 0 && g_str_equal (module_parent, parent)) {
    gboolean table = strstr (module->weight->name, ".pe.") != NULL
        || g_str_has_suffix (module->weight->name, ".pe")
        || g_str_has_suffix (module->weight->name, ".pattern");
    if (n < first)
      return table ? &self->positions : &self->embed;
    if (n > last)
      return module->weight->n_dims == 1 ? &self->norm : &self->head;
    return NULL;
  }
  if (g_str_equal (name, settings->embed))
    return &self->embed;
  if (g_str_equal (name, settings->positions))
    return &self->positions;
  if (g_str_equal (name, settings->norm))
    return &self->norm;
  if (g_str_equal (name, settings->head))
    return &self->head;
  return NULL;
}

/* Numbered children go through in that order: the table is added to what the embedding gives, the head gets what the
 * norm gives. */
static gboolean
check_order (const CoPart * first, const CoPart * second,
    const CoSafetensors * file, GError ** error)
{
  if (!first->weight || !second->weight
      || number_of (first->name) <= number_of (second->name)
      || number_of (second->name) < 0)
    return TRUE;
  g_set_error (error, CO_ERROR, CO_ERROR_MODEL,
      "%s: expected tensor '%s' behind '%s' in the order of their numbers, found it before; such a model can't be run, "
      "train it in the order embedding, positions, encoder, norm, head",
      co_safetensors_get_name (file), second->weight->name,
      first->weight->name);
  return FALSE;
}

/* Lists named `layers` have no gaps; elsewhere modules without tensors may stand between. */
static gboolean
check_gaps (GArray * layers, const CoSafetensors * file, GError ** error)
{
  for (guint i = 1; i < layers->len; i++) {
    const gchar *path = g_array_index (layers, CoLayerParts, i).path;
    const gchar *before = g_array_index (layers, CoLayerParts, i - 1).path;
    g_autofree gchar *list = parent_of (path);

    if (g_str_equal (last_part (list), "layers") && number_of (before) >= 0
        && number_of (path) > number_of (before) + 1) {
      g_set_error (error, CO_ERROR, CO_ERROR_MODEL,
          "%s: layer '%s.%" G_GINT64_FORMAT "' is missing: expected it behind '%s', found '%s'; save the whole state "
          "dict", co_safetensors_get_name (file), list,
          number_of (before) + 1, before, path);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
place_modules (CoParts * self, GArray * modules, const CoSafetensors * file,
    const CoSettings * settings, GError ** error)
{
  const CoLayerParts *first = &g_array_index (self->layers, CoLayerParts, 0);
  const CoLayerParts *last =
      &g_array_index (self->layers, CoLayerParts, self->layers->len - 1);
  g_autofree gchar *container = parent_of (first->path);
  g_autofree gchar *encoder_path = NULL, *parent = NULL;
  Slots slots = { 0 };
  gboolean ok = FALSE;
  gint64 from, to;

  for (guint i = 1; i < self->layers->len; i++) {
    const gchar *path = g_array_index (self->layers, CoLayerParts, i).path;
    g_autofree gchar *other = parent_of (path);
    if (!g_str_equal (other, container)) {
      g_set_error (error, CO_ERROR, CO_ERROR_MODEL,
          "%s: layers '%s' and '%s' lie apart: expected one encoder, found several; save the one to run alone",
          co_safetensors_get_name (file), first->path, path);
      return FALSE;
    }
  }
  if (!check_gaps (self->layers, file, error))
    return FALSE;
  if (g_str_equal (last_part (container), "layers")) {
    encoder_path = parent_of (container);
    from = to = number_of (encoder_path);
  } else if (*container && !has_child (modules, container)) {   /* a list of layers */
    encoder_path = g_strdup (container);
    from = to = number_of (container);
  } else {                      /* layers that are children themselves */
    encoder_path = g_strdup (first->path);
    from = number_of (first->path);
    to = number_of (last->path);
  }
  parent = parent_of (encoder_path);

  for (guint i = 0; i < modules->len; i++) {
    CoPart *module = &g_array_index (modules, CoPart, i);
    CoPart *part = place (&slots, module, settings, encoder_path, parent,
        from, to);

    if (!module->weight) {
      g_set_error (error, CO_ERROR, CO_ERROR_MODEL,
          "%s: tensor '%s%sweight' is missing: expected it beside '%s'; save the whole state dict",
          co_safetensors_get_name (file), module->name,
          *module->name ? "." : "", module->bias->name);
      goto out;
    }
    if (!part || part->weight) {
      const CoTensor *t = module->weight;
      g_set_error (error, CO_ERROR, CO_ERROR_MODEL,
          "%s: nothing uses tensor '%s': expected %s with, beside it, at most an embedding, positions, a norm "
          "and a head; leave the tensor out, or say which part it is in the metadata (embed, positions, norm, "
          "head = the child's name)", co_safetensors_get_name (file), t->name,
          self->scheme->title);
      goto out;
    }
    *part = *module;
    module->name = NULL;
  }
  if (!check_order (&slots.embed, &slots.positions, file, error)
      || !check_order (&slots.norm, &slots.head, file, error))
    goto out;
  if (settings->encoder && !g_str_equal (settings->encoder,
          last_part (encoder_path)) && !g_str_equal (settings->encoder,
          last_part (container))) {
    g_autofree gchar *quoted = co_quote (settings->encoder);    /* an option may be any bytes */

    g_set_error (error, CO_ERROR, CO_ERROR_MODEL,
        "%s: expected the encoder under %s as metadata `encoder` says, found it under '%s'; correct the metadata",
        co_safetensors_get_name (file), quoted, encoder_path);
    goto out;
  }
  slots.encoder_norm.type = CO_PART_NORM;
  self->encoder_norm = slots.encoder_norm;
  slots.encoder_norm = (CoPart) { 0 };
  append (self, &slots.embed, CO_PART_LINEAR);
  append (self, &slots.positions, CO_PART_POSITIONS);
  append (self, &(CoPart) {.name = g_strdup (encoder_path)}, CO_PART_ENCODER);
  append (self, &slots.norm, CO_PART_NORM);
  append (self, &slots.head, CO_PART_LINEAR);
  ok = TRUE;

out:
  part_clear (&slots.embed);
  part_clear (&slots.positions);
  part_clear (&slots.encoder_norm);
  part_clear (&slots.norm);
  part_clear (&slots.head);
  return ok;
}

static GArray *
new_layers (void)
{
  GArray *layers = g_array_new (FALSE, TRUE, sizeof (CoLayerParts));

  g_array_set_clear_func (layers, layer_clear);
  return layers;
}

gboolean
co_parts_find (CoParts * self, const CoSafetensors * file,
    const CoSettings * settings, GError ** error)
{
  g_autoptr (GArray) named = g_array_new (FALSE, FALSE, sizeof (Named));
  g_autoptr (GArray) rest = NULL;
  g_autoptr (GArray) modules = NULL;

  memset (self, 0, sizeof *self);
  self->list = g_array_new (FALSE, TRUE, sizeof (CoPart));
  g_array_set_clear_func (self->list, part_clear);
  g_array_set_clear_func (named, named_clear);
  for (gsize i = 0; i < co_safetensors_get_n_tensors (file); i++) {
    const CoTensor *tensor = co_safetensors_get_tensor (file, i);
    g_array_append_val (named, ((Named) {
          tensor, strip_wrappers (tensor->name)
        }));
  }
  /* The scheme that leaves the fewest tensors over; of equals the first whose layers are whole. Others count as well, so
   * that what they lack is named. */
  for (gsize i = 0; co_schemes[i]; i++) {
    g_autoptr (GArray) layers = new_layers ();
    g_autoptr (GArray) left = g_array_new (FALSE, FALSE, sizeof (Named));

    match (co_schemes[i], named, layers, left);
    if (layers->len > 0 && (!rest || left->len < rest->len
            || (left->len == rest->len && !plausible (self->scheme,
                    self->layers) && plausible (co_schemes[i], layers)))) {
      self->scheme = co_schemes[i];
      g_clear_pointer (&self->layers, g_array_unref);
      g_clear_pointer (&rest, g_array_unref);
      self->layers = g_steal_pointer (&layers);
      rest = g_steal_pointer (&left);
    }
  }
  if (!rest) {
    g_set_error (error, CO_ERROR, CO_ERROR_MODEL,
        "%s: expected the state dict of a TransformerEncoder, TransformerEncoderLayer or MultiheadAttention of "
        "torch, continual-inference or fast_transformers, found %u tensors%s%s%s; see the names in docs/model-files.md",
        co_safetensors_get_name (file), named->len,
        named->len ? " such as '" : "",
        named->len ? g_array_index (named, Named, 0).tensor->name : "",
        named->len ? "'" : "");
    co_parts_clear (self);
    return FALSE;
  }
  g_array_sort (self->layers, by_number);
  modules = group (rest);
  g_array_set_clear_func (modules, part_clear);
  if (!place_modules (self, modules, file, settings, error)) {
    co_parts_clear (self);
    return FALSE;
  }
  return TRUE;
}

void
co_parts_clear (CoParts * self)
{
  g_clear_pointer (&self->layers, g_array_unref);
  g_clear_pointer (&self->list, g_array_unref);
  part_clear (&self->encoder_norm);
  self->encoder_norm = (CoPart) { 0 };
}
