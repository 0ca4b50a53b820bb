/* libcontinual: values of a config.json
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/config.h"
#include <jansson.h>

G_BEGIN_DECLS

/* What the message says to do where a value cannot be run */
#define CO_CONFIG_NO "such a model cannot be run"
#define CO_CONFIG_WITHOUT \
  "load model.safetensors itself to leave config.json out, and give the hyper-parameters as metadata or options"

/* The object that describes the part that runs */
struct _CoConfigObject
{
  const json_t *json;
  const gchar *name;            /* of the folder, in messages */
  GError **error;
};

/* Returns: FALSE, with "`key` of config.json: expected @expected, found @found; @todo" as CO_ERROR_SETTING. */
gboolean co_config_fail (const CoConfigObject * self, const gchar * key,
    const gchar * expected, const json_t * found, const gchar * todo);
/* The value of @key in @object; NULL: it is null, or there is none. */
const json_t *co_config_member (const json_t * object, const gchar * key);
/* As a metadata string; NULL for null, an array and an object */
gchar *co_config_to_text (const json_t * value);
/* Sets a row of @self. @key: where the value is from; NULL: the family says it. */
void co_config_set (CoConfig * self, guint row, const gchar * value,
    const gchar * key);

/* Rotary positions: rope_parameters, or rope_scaling and rope_theta. Types whose angles are scaled are an error. */
gboolean co_config_read_rotary (CoConfig * self,
    const CoConfigObject * object);

/* Kinds and windows. The family's `windows_fallback` is the value where the key is absent.
 *
 * sliding_window: a number of vectors. With `or_null`, null means no window. With `if_used`, it also counts only where
 * use_sliding_window is true and every layer is a sliding one.
 * sliding_windows: pairs (l, r) of which vector t sees t - l < s < t + r, and itself.
 * none: every vector before it is seen. */
gboolean co_config_sliding_window (CoConfig * self,
    const CoConfigObject * object);
gboolean co_config_sliding_window_or_null (CoConfig * self,
    const CoConfigObject * object);
gboolean co_config_sliding_window_if_used (CoConfig * self,
    const CoConfigObject * object);
gboolean co_config_sliding_windows (CoConfig * self,
    const CoConfigObject * object);
gboolean co_config_no_window (CoConfig * self, const CoConfigObject * object);

G_END_DECLS
