/* libcontinual: an immutable model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model.h"
#include "model/build.h"
#include "model/describe.h"
#include "math/alloc.h"
#include "model/limits.h"
#include <jansson.h>
#include <string.h>

/* The models in use by file and options: loading one again shares its weights. */
static GMutex cache_lock;
static GHashTable *cache;       /* gchar * to CoModel *, which is not referenced */

static gboolean
read_labels (CoModel * self, const CoCheckpoint * file, const gchar * json,
    GError ** error)
{
  json_error_t why;
  json_t *array = json_loads (json, JSON_REJECT_DUPLICATES, &why);
  gsize n = json_array_size (array);
  gboolean ok = json_is_array (array);

  for (gsize i = 0; ok && i < n; i++)
    ok = json_is_string (json_array_get (array, i));
  if (!ok) {
    g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
        "%s: metadata `labels`: expected a JSON array of strings such as [\"yes\", \"no\"], found %s",
        co_checkpoint_get_name (file), array ? "something else" : why.text);
  } else if (n != self->stack.n_outputs) {
    ok = FALSE;
    g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
        "%s: metadata `labels`: expected a label for each of the %"
        G_GSIZE_FORMAT " outputs, found %" G_GSIZE_FORMAT "; correct the labels",
        co_checkpoint_get_name (file), self->stack.n_outputs, n);
  } else {
    self->labels = g_new0 (gchar *, n + 1);
    for (gsize i = 0; i < n; i++)
      self->labels[i] = g_strdup (json_string_value (json_array_get (array, i)));
  }
  json_decref (array);
  return ok;
}

static void
describe (CoModel * self, const CoSettings * settings)
{
  const CoStack *stack = &self->stack;
  const CoAttention *first = &stack->layers[0].attention;
  CoModelInfo *info = &self->info;
  gboolean decoder = stack->layers[0].cross_class != NULL;
  const CoAttention *last = &stack->layers[stack->n_layers - 1].attention;
  gsize window = last->klass->window ? last->sequence_len : 0;

  info->model = self;
  info->kind = decoder ? co_self_attention_choices[settings->self_attention].name
      : co_kind_choices[settings->kind].name;
  info->n_memory = decoder ? stack->layers[0].cross.k.n_in : 0;
  info->n_inputs = stack->n_inputs;
  info->bare_attention = stack->layers[0].bare && stack->before.n == 0;
  info->n_keys = info->bare_attention ? first->k.n_in : stack->n_inputs;
  info->n_values = info->bare_attention ? first->v.n_in : stack->n_inputs;
  info->n_outputs = stack->n_outputs;
  info->n_positions = co_stack_n_positions (stack);
  info->d_model = stack->d_model;
  info->n_heads = first->n_heads;
  info->n_layers = stack->n_layers;
  info->sequence_len = window;
  info->delay = stack->pool == CO_POOL_NONE ? stack->query_back : 0;
  info->chunk_len = co_stack_max_answers (stack);
  info->answer_interval = stack->answer_interval;
  info->scores = co_stack_get_scores (stack);
  info->warm_up = co_stack_warm_up (stack);
  info->n_weights = window ? co_attention_n_weights (last) : 0;
  info->labels = (const gchar * const *) self->labels;
  info->n_labels = self->labels ? g_strv_length (self->labels) : 0;
  info->state_bytes = stack->state_size;
  info->macs = co_stack_macs (stack);
  info->model_bytes = self->owned_bytes;
}

/* A snapshot fits every model with the same weights and hyper-parameters, whatever its file. */
static void
take_fingerprint (CoModel * self, const CoCheckpoint * file,
    const CoSettings * settings, const CoParts * parts)
{
  g_autofree gchar *parts_string = co_parts_to_string (parts);
  g_autofree gchar *hyper_parameters = co_settings_to_string (settings);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize n = sizeof self->fingerprint;
  const gsize numbers[] = { self->stack.n_layers, self->info.n_heads,
    self->info.sequence_len, self->info.state_bytes, self->info.delay
  };

  g_checksum_update (sum, (const guchar *) self->info.kind, -1);
  g_checksum_update (sum, (const guchar *) hyper_parameters, -1);
  g_checksum_update (sum, (const guchar *) parts_string, -1);
  g_checksum_update (sum, (const guchar *) numbers, sizeof numbers);
  for (gsize l = 0; l < self->stack.n_layers; l++) {
    const CoAttention *a = &self->stack.layers[l].attention;
    const gsize window[] = { a->sequence_len, a->query_back };

    g_checksum_update (sum, (const guchar *) window, sizeof window);
  }
  for (gsize i = 0; i < co_checkpoint_get_n_tensors (file); i++) {
    const CoTensor *t = co_checkpoint_get_tensor (file, i);
    g_checksum_update (sum, (const guchar *) t->name, strlen (t->name) + 1);
    g_checksum_update (sum, (const guchar *) t->data,
        t->n_elements * sizeof (float));
  }
  g_checksum_get_digest (sum, self->fingerprint, &n);
}

G_DEFINE_BOXED_TYPE (CoModel, co_model, co_model_ref, co_model_unref)
G_DEFINE_BOXED_TYPE (CoModelInfo, co_model_info, co_model_info_copy, co_model_info_free)

static void
model_free (CoModel * self)
{
  g_free (self->stack.layers);
  g_clear_pointer (&self->owned, g_ptr_array_unref);
  g_strfreev (self->labels);
  co_settings_clear (&self->settings);
  g_free (self->name);
  g_free (self->parts);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
  g_free (self->key);
  g_free (self);
}

/* What co_model_describe() says of the file */
static void
keep_words (CoModel * self, const CoCheckpoint * file, CoParts * parts)
{
  self->name = g_strdup (co_checkpoint_get_name (file));
  self->parts = co_describe_parts (parts);
  self->warnings = g_steal_pointer (&parts->warnings);
  self->info.n_warnings = self->warnings->len;
  self->info.warnings = (const gchar * const *) self->warnings->pdata;
}

static CoModel *
model_new (const CoCheckpoint * file, const CoOptions * options, GError ** error)
{
  CoModel *self = g_new0 (CoModel, 1);
  CoSettings *settings = &self->settings;
  CoParts parts = { 0 };
  gboolean ok;

  self->ref_count = 1;
  self->owned = g_ptr_array_new_with_free_func (co_free);
  ok = co_settings_read (settings, file, options, error)
      && co_parts_find (&parts, file, settings, error)
      && co_limits_check_room (file, error)
      && co_build (&self->stack, &parts, settings, file, self->owned,
      &self->owned_bytes, error)
      && co_limits_check (&self->stack, file, options, error)
      && (!settings->labels || read_labels (self, file, settings->labels, error));
  if (ok) {
    co_build_tables (&self->stack, self->owned, &self->owned_bytes);
    describe (self, settings);
    take_fingerprint (self, file, settings, &parts);
    keep_words (self, file, &parts);
  }
  co_parts_clear (&parts);
  if (!ok)
    g_clear_pointer (&self, model_free);
  return self;
}

/* NULL if a file cannot be examined; loading then says why. */
static gchar *
cache_key (const gchar * path, const CoOptions * options)
{
  g_autofree gchar *option_string = co_options_to_string (options);
  g_autofree gchar *identity = co_checkpoint_identity (path);

  return identity ? g_strconcat (identity, "\n", option_string, NULL) : NULL;
}

CoModel *
co_model_load (const gchar * path, const CoOptions * options, GError ** error)
{
  g_autofree gchar *key = NULL, *key_after = NULL;
  g_autoptr (CoCheckpoint) file = NULL;
  CoModel *self = NULL, *other;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  key = cache_key (path, options);
  g_mutex_lock (&cache_lock);
  if (key && cache && (self = g_hash_table_lookup (cache, key)))
    self->ref_count++;
  g_mutex_unlock (&cache_lock);
  if (self)
    return self;

  file = co_checkpoint_load (path, error);
  self = file ? model_new (file, options, error) : NULL;
  key_after = cache_key (path, options);
  /* The key names another file if it was replaced meanwhile. */
  if (!self || g_strcmp0 (key, key_after) != 0 || !key)
    return self;

  g_mutex_lock (&cache_lock);
  if (!cache)
    cache = g_hash_table_new (g_str_hash, g_str_equal);
  other = g_hash_table_lookup (cache, key);
  if (other) {
    other->ref_count++;
  } else {
    self->key = g_steal_pointer (&key);
    g_hash_table_insert (cache, self->key, self);
  }
  g_mutex_unlock (&cache_lock);
  if (!other)
    return self;
  model_free (self);
  return other;
}

CoModel *
co_model_load_bytes (GBytes * bytes, const CoOptions * options,
    GError ** error)
{
  g_autoptr (CoCheckpoint) file = NULL;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  file = co_checkpoint_load_bytes (bytes, "model", error);
  return file ? model_new (file, options, error) : NULL;
}

CoModel *
co_model_ref (CoModel * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_mutex_lock (&cache_lock);
  self->ref_count++;
  g_mutex_unlock (&cache_lock);
  return self;
}

void
co_model_unref (CoModel * self)
{
  gboolean last;

  g_return_if_fail (self != NULL);

  g_mutex_lock (&cache_lock);
  last = --self->ref_count == 0;
  if (last && self->key)
    g_hash_table_remove (cache, self->key);
  if (cache && g_hash_table_size (cache) == 0)
    g_clear_pointer (&cache, g_hash_table_unref);
  g_mutex_unlock (&cache_lock);
  if (last)
    model_free (self);
}

const CoModelInfo *
co_model_get_info (const CoModel * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return &self->info;
}

CoModelInfo *
co_model_dup_info (CoModel * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return co_model_info_copy (&self->info);
}

const gchar *const *
co_model_get_labels (const CoModel * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->info.labels;
}

CoModelInfo *
co_model_info_copy (const CoModelInfo * self)
{
  CoModelInfo *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  co_model_ref (copy->model);
  return copy;
}

void
co_model_info_free (CoModelInfo * self)
{
  g_return_if_fail (self != NULL);

  co_model_unref (self->model);
  g_free (self);
}
