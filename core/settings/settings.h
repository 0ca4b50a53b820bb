/* libcontinual: the hyper-parameters of one model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/rows.h"
#include "weights/safetensors.h"

G_BEGIN_DECLS

/* What a state dict cannot say: a member for each row of settings/rows.h. */
typedef struct
{
#define INTEGER(member, ...) gint64 member;
#define NUMBER(member, ...) gdouble member;
#define BOOLEAN(member, ...) gboolean member;
#define CHOICE(member, ...) gint member;
#define TEXT(member, ...) gchar *member;
  CO_SETTINGS (INTEGER, NUMBER, BOOLEAN, CHOICE, TEXT)
#undef INTEGER
#undef NUMBER
#undef BOOLEAN
#undef CHOICE
#undef TEXT
} CoSettings;

/* Reads metadata, and @options over it. An integer or a number that neither says and that has no fallback is its row's
 * `unset`. FALSE with CO_ERROR_SETTING; there is nothing to clear then. */
gboolean co_settings_read (CoSettings * self, const CoSafetensors * file,
    const CoOptions * options, GError ** error);
void co_settings_clear (CoSettings * self);
/* The values that the outputs of a stream depend on, in one string: equal for equal values, wherever they were said. */
gchar *co_settings_to_string (const CoSettings * self);

/* NULL if the option is not set. */
const gchar *co_options_get (const CoOptions * self, const gchar * key);
/* Every option that is set, in one string: equal for equal options. */
gchar *co_options_to_string (const CoOptions * self);

G_END_DECLS
