/* libcontinual: any text is a config.json of a known family, each value of which a hyper-parameter can have, or refused
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/config.h"
#include <jansson.h>
#include <string.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 * data, size_t size);

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_LEVEL_MASK);
  json_object_seed (1);
  return 0;
}

static void
check (const CoConfig * config)
{
  g_assert (config->family);
  g_assert (config->n_layers >= 0);
  for (guint i = 0; i < CO_N_ROWS; i++) {
    g_assert (!config->keys[i] || config->values[i]);
    g_assert (!config->values[i] || g_utf8_validate (config->values[i], -1, NULL));
  }
  g_assert (config->values[CO_ROW_activation] && config->values[CO_ROW_norm_type]);
  g_assert (!config->family->rotary || config->values[CO_ROW_rope_theta]);
  g_assert (!config->family->read_windows || config->values[CO_ROW_kind]);
}

int
LLVMFuzzerTestOneInput (const guint8 * data, size_t size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_autoptr (GError) error = NULL;
  CoConfig config;

  if (co_config_parse (&config, text, "folder", &error)) {
    g_assert (!error);
    check (&config);
  } else {
    g_assert (g_error_matches (error, CO_ERROR, CO_ERROR_CORRUPT) || g_error_matches (error, CO_ERROR, CO_ERROR_SETTING));
    g_assert (g_utf8_validate (error->message, -1, NULL));
  }
  co_config_clear (&config);
  return 0;
}
