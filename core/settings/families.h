/* libcontinual: families of models that config.json names
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/rows.h"

G_BEGIN_DECLS

/* The index of each row of the table of hyper-parameters, by its member of CoSettings */
enum
{
#define ROW(member, ...) CO_ROW_##member,
  CO_SETTINGS (ROW, ROW, ROW, ROW, ROW)
#undef ROW
  CO_N_ROWS
};

/* A key of config.json that is a hyper-parameter under another name */
typedef struct
{
  const gchar *key;             /* NULL ends a list */
  guint row;
  const gchar *fallback;        /* the library's value where config.json has none, or NULL */
} CoFamilyKey;

/* A hyper-parameter that is the same for every model of a family */
typedef struct
{
  guint row;
  const gchar *value;           /* NULL ends a list */
} CoFamilyValue;

/* A key of config.json of which one value can be run. Where the key is absent or null, that value is meant. */
typedef struct
{
  const gchar *key;             /* NULL ends a list */
  const gchar *value;           /* as JSON has it, strings without quotes */
  const gchar *why;             /* what another one would mean */
} CoFamilyCheck;

/* One model_type */
typedef struct
{
  const gchar *model_type;
  const gchar *config;          /* the key of the object that describes the part that runs; NULL: config.json itself */
  const gchar *const *prefixes; /* where that part usually is; ended by NULL */
  const gchar *layout;          /* of that part, or NULL: the rules for a file without a layout */
  const gchar *const *not_run;  /* modules that may be beside the layers; "*": any. Ended by NULL */
  const gchar *n_layers;        /* the key that counts the layers */
  const CoFamilyKey *keys;
  const CoFamilyValue *values;
  const CoFamilyCheck *checks;
} CoFamily;

/* Ended by NULL */
extern const CoFamily *const co_families[];

/* The activation that transformers calls @name, as this library calls it; NULL: there is none. */
const gchar *co_family_activation (const gchar * name);

G_END_DECLS
