/* What there is to test: one row for each kind and what it is used in, and random models of each
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reference.h"

typedef struct
{
  const gchar *name;
  const gchar *kind;
  gsize max_layers;             /* 0: a bare attention */
  gboolean classifier;          /* embedding, positions, norm and head around it */
  gboolean look_back;           /* any query_index */
  gboolean partial;
  gboolean separate;            /* keys and values of their own (bare) */
  gboolean drop_oldest, fills;  /* recurrent-full that meets its max_len, and what it does then */
  gboolean decoder, cross_linear;
  const gchar *map;             /* of features; NULL: any */
  gboolean chunks, cache;       /* kernel */
  gboolean rotary, windows;     /* rotary positions; deep: a window for each layer, with look-ahead */
  gboolean layout;              /* a classifier that a layout describes */
  gboolean window, pre_norm;    /* whose positions are counted in the window, whose layers normalise first; else by chance */
} Variant;

/* Ended by a name of NULL. */
extern const Variant variants[];

/* Sizes that a test wants; 0: random. */
typedef struct
{
  gsize E, H, N, L, ff, max_len;
  float logits;                 /* what queries and keys are multiplied by; 0: 1 */
} Shape;

RefModel *ref_model_random (const Variant * variant, const Shape * shape,
    GRand * random);
void ref_model_free (RefModel * m);

/* A line that says what the model is. */
gchar *ref_model_describe (const RefModel * m);

/* The model's state dict and metadata as a safetensors file, in an order of tensors that @random shuffles
 * (or NULL). */
GBytes *ref_model_write (const RefModel * m, GRand * random);

/* What the file says of the model. */
CoModel *ref_model_load (const RefModel * m);

/* A memory of random length for a decoder. */
RefMemory *ref_memory_random (const RefModel * m, GRand * random);
void ref_memory_free (RefMemory * memory);

/* Normally distributed. */
float ref_normal (GRand * random);

/* The seed of a test: CONTINUAL_TEST_SEED, or always the same. */
guint32 ref_seed (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RefModel, ref_model_free)
