/* libcontinual: hyper-parameters from a file's metadata
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/rows.h"
#include "weights/checkpoint.h"

G_BEGIN_DECLS

/* The value of the metadata key of @setting or its alias, or NULL. */
const gchar *co_metadata_get (const CoCheckpoint * file, const CoSetting * setting);

/* FALSE with CO_ERROR_SETTING if the metadata of @file has a key that is within two letters of a known one: a typing
 * mistake would otherwise leave the default in place without a word. */
gboolean co_metadata_check_keys (const CoCheckpoint * file, GError ** error);

G_END_DECLS
