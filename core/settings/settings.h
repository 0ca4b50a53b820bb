/* libcontinual: the hyper-parameters of one model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/families.h"
#include "weights/checkpoint.h"

G_BEGIN_DECLS

/* Where a value is from; of two sources, the later one wins. */
typedef enum
{
  CO_SOURCE_DEFAULT,            /* the fallback of its row */
  CO_SOURCE_FAMILY,             /* the model_type of config.json */
  CO_SOURCE_CONFIG,             /* a key of config.json */
  CO_SOURCE_NAMES,              /* the names of the tensors */
  CO_SOURCE_FILE,               /* metadata */
  CO_SOURCE_OPTION
} CoSource;

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
  CoSource sources[CO_N_ROWS];  /* sources[CO_ROW_nhead] is where nhead is from */
  const CoFamily *family;       /* the model_type of config.json; NULL: there is none */
  gint64 n_layers;              /* that config.json counts; 0: unknown */
  guint biases;                 /* bit i: whether those of family->biases[i] are there */
} CoSettings;

/* Reads config.json, metadata over it, and @options over both. An integer or a number that none of them says and that has
 * no fallback is its row's `unset`. FALSE with CO_ERROR_SETTING; there is nothing to clear then. */
gboolean co_settings_read (CoSettings * self, const CoCheckpoint * file,
    const CoOptions * options, GError ** error);
void co_settings_clear (CoSettings * self);
/* The numbers and choices that the outputs of a stream depend on, in one string: equal for equal values, wherever they
 * were said. */
gchar *co_settings_to_string (const CoSettings * self);
/* The value of row @row as a metadata string, or NULL: none. */
gchar *co_settings_get_text (const CoSettings * self, guint row);
const gchar *co_source_get_name (CoSource source);

/* NULL if the option is not set. */
const gchar *co_options_get (const CoOptions * self, const gchar * key);
/* Every option that is set, in one string: equal for equal options. */
gchar *co_options_to_string (const CoOptions * self);

G_END_DECLS
