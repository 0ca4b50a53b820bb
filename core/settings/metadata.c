/* libcontinual: hyper-parameters from a file's metadata
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/metadata.h"
#include "settings/near.h"
#include "weights/fail.h"
#include "weights/quote.h"

/* Ordinary words that are near a key and are none the less meant */
static const gchar *const ordinary[] = {
  "case", "decoder", "form", "layers", "mean", "more", "node", "note", "org", "scope", "score", "seed", "shape", "share",
  "space", "stage", "state", "team", "word", "year", NULL
};

const gchar *
co_metadata_get (const CoCheckpoint * file, const CoSetting * setting)
{
  const gchar *value = co_checkpoint_get_metadata (file, setting->key);

  return value || !setting->alias ? value : co_checkpoint_get_metadata (file, setting->alias);
}

static gboolean
is_known (const gchar * key)
{
  for (guint i = 0; i < co_setting_count (); i++) {
    const CoSetting *s = co_setting_get (i);

    if (g_str_equal (s->key, key) || g_strcmp0 (s->alias, key) == 0)
      return TRUE;
  }
  return g_strv_contains (ordinary, key);
}

gboolean
co_metadata_check_keys (const CoCheckpoint * file, GError ** error)
{
  const gchar *const *keys = co_checkpoint_get_metadata_keys (file);

  for (gsize k = 0; keys[k]; k++)
    for (guint i = 0; i < co_setting_count () && !is_known (keys[k]); i++) {
      const CoSetting *s = co_setting_get (i);
      /* A property has another name than its key only for heads. */
      const gchar *meant = co_is_near (keys[k], s->key, 2) || g_strcmp0 (keys[k], s->property) == 0 ? s->key
          : s->alias && co_is_near (keys[k], s->alias, 2) ? s->alias : NULL;

      if (meant) {
        g_autofree gchar *found = co_quote (keys[k]);

        return co_fail (error, CO_ERROR_SETTING, co_checkpoint_get_name (file),
            "metadata key %s is not known: expected `%s`, which is within two letters of it; correct the key, or rename "
            "it if it means something else", found, meant);
      }
    }
  return TRUE;
}
