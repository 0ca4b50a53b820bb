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

/* A key of config.json that is a hyper-parameter under another name. null means the same as no key; but a hyper-parameter
 * without a default is not said then. */
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

/* Biases that the weights of every layer have, or not */
typedef struct
{
  const gchar *key;             /* of config.json that says whether they are there, false where it is absent; NULL: none */
  gboolean there;               /* whether they are, if there is no such key */
  const gchar *const *weights;  /* the ends of names, without .weight; ended by NULL. NULL ends a list */
} CoFamilyBias;

typedef struct _CoConfig CoConfig;
typedef struct _CoConfigObject CoConfigObject;

/* One model_type */
typedef struct
{
  const gchar *model_type;
  const gchar *config;          /* the key of the object that describes the part that runs; NULL: config.json itself */
  const gchar *config_type;     /* the model_type that this object may have */
  const gchar *const *prefixes; /* where that part usually is; ended by NULL */
  const gchar *layout;          /* of that part, or NULL: the rules for a file without a layout */
  const gchar *const *not_run;  /* modules that may be beside the layers; "*": any; "*.NAME": tensors whose names end so.
                                 * Ended by NULL */
  const gchar *n_layers;        /* the key that counts the layers */
  gint64 n_layers_fallback;     /* the library's value where config.json has none; 0: unknown */
  const CoFamilyKey *keys;
  const CoFamilyValue *values;
  const CoFamilyCheck *checks;
  const CoFamilyBias *biases;   /* NULL: as the tensors say */
  const gchar *const *extras;   /* ends of the names of what every layer has beyond two projections of the feed-forward and
                                 * its norms: gate, norms of heads, scales. Ended by NULL; NULL: none */
  gboolean rotary;              /* rope_parameters, rope_scaling and rope_theta are read */
  /* Reads kind and windows of the layers; NULL: `keys` and `values` say them. FALSE with an error. */
  gboolean (*read_windows) (CoConfig * self, const CoConfigObject * object);
  const gchar *windows_fallback;        /* what the key of the windows says where config.json has none */
} CoFamily;

/* Ended by NULL */
extern const CoFamily *const co_families[];

/* In the files families-*.c */
extern const CoFamily co_family_bert, co_family_vit, co_family_wav2vec2, co_family_hubert, co_family_whisper, co_family_mimi,
    co_family_moonshine_encoder, co_family_moonshine, co_family_voxtral_encoder, co_family_voxtral, co_family_llama,
    co_family_mistral, co_family_qwen2, co_family_qwen3;

#define CO_LIST(type, ...) (const type[]) { __VA_ARGS__, {0} }
#define CO_TEXTS(...) (const gchar *const[]) { __VA_ARGS__, NULL }

/* The activation that transformers calls @name, as this library calls it; NULL: there is none. */
const gchar *co_family_activation (const gchar * name);

G_END_DECLS
