/* libcontinual: parts beside the layers, by the names and numbers of children
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/place.h"
#include "weights/fail.h"
#include "weights/quote.h"
#include <string.h>

gboolean
co_place_fail (CoPlacing * self, CoError code, const gchar * format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  return co_fail (self->error, code, co_checkpoint_get_name (self->file), "%s", text);
}

void
co_place_append (CoPlacing * self, CoPart * part)
{
  g_array_append_val (self->parts->list, *part);
  part->name = NULL;
}

CoModule *
co_place_own_norm (CoPlacing * self, const gchar * path)
{
  for (gsize i = 0; self->parts->scheme->norms[i]; i++) {
    g_autofree gchar *name = co_name_join (path, self->parts->scheme->norms[i]);
    CoModule *module = co_modules_find (self->modules, name, FALSE);

    if (module)
      return module;
  }
  return NULL;
}

/* Where the layers are among the children */
typedef struct
{
  gchar *encoder, *parent;      /* the module that holds the layers, and the one that holds that */
  gchar *container;             /* the list of layers */
  gint64 first, last;           /* numbers of the encoder or of the layers among the children; -1: they have none */
} Place;

static void
place_clear (Place * self)
{
  g_free (self->encoder);
  g_free (self->parent);
  g_free (self->container);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static gboolean
check_one_list (CoPlacing * self, const Place * place)
{
  const GArray *layers = self->layers->layers;

  for (guint i = 1; i < layers->len; i++) {
    const gchar *first = g_array_index (layers, CoLayerParts, 0).path;
    const gchar *path = g_array_index (layers, CoLayerParts, i).path;
    g_autofree gchar *other = co_name_parent (path);

    if (!g_str_equal (other, place->container))
      return co_place_fail (self, CO_ERROR_MODEL,
          "layers '%s' and '%s' lie apart: expected one encoder, found several; say with `prefix` which one runs, or save "
          "that one alone", first, path);
  }
  return TRUE;
}

static void
find_encoder (CoPlacing * self, Place * place)
{
  const GArray *layers = self->layers->layers;
  const gchar *first = g_array_index (layers, CoLayerParts, 0).path;
  const gchar *list = co_name_last (place->container);
  const gboolean mixed = co_modules_has_child (self->modules, place->container);        /* an nn.Sequential */

  if (!mixed && (g_str_equal (list, "layers") || g_str_equal (list, "layer"))) {
    place->encoder = co_name_parent (place->container);
    place->first = place->last = co_name_number (place->encoder);
  } else if (!mixed && *place->container) {     /* a list of layers */
    place->encoder = g_strdup (place->container);
    place->first = place->last = co_name_number (place->container);
  } else {                      /* layers that are children themselves */
    place->encoder = g_strdup (first);
    place->first = co_name_number (first);
    place->last = co_name_number (g_array_index (layers, CoLayerParts, layers->len - 1).path);
  }
  place->parent = co_name_parent (place->encoder);
}

/* The parts that a file without a layout may have, in the order in which they run */
typedef enum
{ EMBED, POSITIONS, NORM, HEAD, N_SLOTS } Slot;

static gboolean
is_table (const CoTensor * tensor)
{
  return strstr (tensor->name, ".pe.") || g_str_has_suffix (tensor->name, ".pe") || g_str_has_suffix (tensor->name,
      ".pattern");
}

/* Numbered children are told by their place and shape, named ones by name. N_SLOTS: @module is no part. */
static Slot
slot_of (CoPlacing * self, const Place * place, const CoModule * module)
{
  const CoTensor *weight = module->part.weight;
  const gchar *path = module->part.name, *name = co_name_last (path);
  g_autofree gchar *parent = co_name_parent (path);
  const gchar *const names[] = { self->settings->embed, self->settings->positions, self->settings->norm,
    self->settings->head
  };
  const gint64 n = co_name_number (path);

  if (*path == '\0' || module->part.running_mean || module->part.running_var
      || (!g_str_equal (parent, place->parent) && !g_str_equal (parent, place->encoder)))
    return N_SLOTS;
  if (n >= 0 && place->first >= 0 && g_str_equal (parent, place->parent)) {
    if (n < place->first)
      return is_table (weight) ? POSITIONS : EMBED;
    return n <= place->last ? N_SLOTS : weight->n_dims == 1 ? NORM : HEAD;
  }
  for (Slot s = EMBED; s < N_SLOTS; s++)
    if (g_str_equal (name, names[s]))
      return s;
  return g_strv_contains (self->parts->scheme->norms, name) ? NORM : N_SLOTS;
}

/* Numbered children run in that order: the table is added to what the embedding gives, the head gets what the norm gives. */
static gboolean
check_order (CoPlacing * self, const CoPart * first, const CoPart * second)
{
  if (!first->weight || !second->weight
      || co_name_number (first->name) <= co_name_number (second->name)
      || co_name_number (second->name) < 0)
    return TRUE;
  return co_place_fail (self, CO_ERROR_MODEL,
      "expected tensor '%s' behind '%s' in the order of their numbers, found it before; say in `layout` in which order "
      "forward() uses them", second->weight->name, first->weight->name);
}

static gboolean
check_encoder_name (CoPlacing * self, const Place * place)
{
  const gchar *name = self->settings->encoder;
  g_autofree gchar *quoted = NULL;

  if (!name || g_str_equal (name, co_name_last (place->encoder))
      || g_str_equal (name, co_name_last (place->container)))
    return TRUE;
  quoted = co_quote (name);     /* an option may be any bytes */
  return co_place_fail (self, CO_ERROR_MODEL,
      "expected the encoder under %s as metadata `encoder` says, found it under '%s'; correct the metadata", quoted,
      place->encoder);
}

static gboolean
fail_unused (CoPlacing * self, const Place * place, const CoModule * module)
{
  const gchar *name = co_module_tensor (module)->name;
  g_autofree gchar *prefix = co_name_join (self->prefix, *place->container ? place->container : place->encoder);

  return co_place_fail (self, CO_ERROR_MODEL,
      "nothing uses tensor '%s': expected %s%s%s%s with, beside it, at most an embedding, positions, a norm and a head; "
      "say in `layout` (metadata or property) where forward() uses it, name the parts in the metadata (embed, positions, "
      "norm, head = the child's name), say with `prefix` which part runs, or leave the tensor out", name,
      self->layers->scheme->title, *prefix ? " under '" : "", prefix, *prefix ? "'" : "");
}

static gboolean
fill_slots (CoPlacing * self, const Place * place, CoPart * slots)
{
  CoModule *own_norm = co_place_own_norm (self, place->encoder);

  for (guint i = 0; i < self->modules->list->len; i++) {
    CoModule *module = &g_array_index (self->modules->list, CoModule, i);
    const CoPart *p = &module->part;
    CoPart *part = NULL;
    Slot slot;

    if (p->bias && !p->weight && !p->running_mean)
      return co_place_fail (self, CO_ERROR_MODEL,
          "tensor '%s%sweight' is missing: expected it beside '%s'; save the whole state dict", p->name,
          *p->name ? "." : "", p->bias->name);
    if (p->weight && module == own_norm) {
      part = &self->parts->encoder_norm;
    } else if (p->weight) {
      slot = slot_of (self, place, module);
      part = slot == N_SLOTS ? NULL : &slots[slot];
    }
    if (!part || part->weight)
      return fail_unused (self, place, module);
    *part = module->part;
    part->type = CO_PART_NORM;  /* the encoder's own; the slots have types of their own */
    part->name = g_strdup (p->name);
  }
  return TRUE;
}

gboolean
co_place_by_names (CoPlacing * self)
{
  static const CoPartType types[N_SLOTS] = { CO_PART_LINEAR, CO_PART_POSITIONS, CO_PART_NORM, CO_PART_LINEAR };
  g_auto (Place) place = { 0 };
  CoPart slots[N_SLOTS] = { 0 };
  gboolean ok;

  place.container = co_name_parent (g_array_index (self->layers->layers, CoLayerParts, 0).path);
  if (!check_one_list (self, &place)
      || !co_layers_check_lists (self->layers->layers, self->modules, self->prefix, self->file, self->error))
    return FALSE;
  find_encoder (self, &place);
  ok = fill_slots (self, &place, slots) && check_order (self, &slots[EMBED], &slots[POSITIONS])
      && check_order (self, &slots[NORM], &slots[HEAD]) && check_encoder_name (self, &place);
  for (Slot s = EMBED; s < N_SLOTS; s++) {
    if (ok && s == NORM)
      co_place_append (self, &(CoPart) {.type = CO_PART_ENCODER,.name = g_strdup (*place.encoder ? place.encoder
              : place.container)});
    slots[s].type = types[s];
    if (ok && slots[s].name)
      co_place_append (self, &slots[s]);
    g_free (slots[s].name);
  }
  if (ok)
    self->parts->layers = g_steal_pointer (&self->layers->layers);
  return ok;
}
