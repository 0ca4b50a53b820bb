/* libcontinual: feature maps, which stand in for the exponential of softmax
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CoFeatures CoFeatures;

/* Maps one query or key. Where @logs is set the features are positive and come as their logarithms, so that no
 * input is too large. */
typedef struct
{
  const gchar *name;            /* as files and properties say it */
  gboolean logs;
  gsize n_per_projection, n_constant;   /* features of a projection, and besides */
  void (*map) (const CoFeatures * self, const double *x /* (n_in) scaled */ ,
      const double *u /* (n_projected) W x, or x */ ,
      double *f /* (n_features) */ );
} CoFeatureMap;

struct _CoFeatures
{
  const CoFeatureMap *map;
  gsize n_in;                   /* dk */
  gsize n_projected;            /* rows of the projection, or dk */
  gsize n_features;             /* M */
  const float *projection;      /* (n_projected, n_in) or NULL */
  double scale;                 /* of the input */
  double norm;                  /* of the features */
  double smoothing;             /* the constant feature of smoothed-random-fourier */
  gint kernel_fn;               /* CoActivation of generalized */
  double eps;                   /* under the ratio of sums */
};

/* KernelAttention's feature_transform, and fast_transformers' feature_map. Each ended by NULL. */
extern const CoFeatureMap *const co_feature_transforms[];
extern const CoFeatureMap *const co_feature_maps[];

/* @scratch: n_in + n_projected doubles */
void co_features_map (const CoFeatures * self, const float *x /* (n_in) */ ,
    double *f /* (n_features) */ , double *scratch);

G_END_DECLS
