/* libcontinual: feature maps, which stand in for the exponential of softmax
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/settings.h>

G_BEGIN_DECLS

typedef struct _CoFeatures CoFeatures;

/* Maps one query or key. Where @logs is set, the features are positive and @map writes their logarithms, so that no
 * input overflows. */
typedef struct
{
  const gchar *name;
  void (*map) (const CoFeatures * self, const double *x /* (n_in) scaled */ ,
      const double *u /* (n_projected) W x, or x */ ,
      double *f /* (n_features) */ );   /* NULL: it needs the whole sequence, which a stream does not have */
  gboolean logs;
  gboolean positive;            /* features, or those of which these are the logarithms, are not negative */
  gsize n_per_projection, n_constant;   /* features per projection, and constant ones */
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

/* fast_transformers' feature maps: name, function, logs, positive, n_per_projection, n_constant, description */
#define CO_FEATURE_MAPS(M)                                                                      \
  M ("elu", map_elu, FALSE, TRUE, 1, 0, "elu (x) + 1")                                                \
  M ("favor", map_favor, TRUE, TRUE, 2, 0, "Positive random features (Favor)")                        \
  M ("random-fourier", map_random_fourier, FALSE, FALSE, 2, 0, "Random Fourier features")              \
  M ("smoothed-random-fourier", map_smoothed, FALSE, FALSE, 2, 1, "Random Fourier features and a constant one") \
  M ("generalized", map_generalized, FALSE, FALSE, 1, 0, "kernel-fn of random projections")

/* KernelAttention's feature transforms */
#define CO_FEATURE_TRANSFORMS(M)                                                                \
  M ("elu", map_elu, FALSE, TRUE, 1, 0, "elu (x) + 1")                                                \
  M ("relu", map_relu, FALSE, TRUE, 1, 0, "ReLU")                                                     \
  M ("square", map_square, FALSE, TRUE, 1, 0, "Square")                                               \
  M ("exp", map_exp, TRUE, TRUE, 1, 0, "Exponential, less half of the squared norm")                  \
  M ("expmod", map_expmod, TRUE, TRUE, 1, 0, "Exponential")                                           \
  M ("identity", map_identity, FALSE, FALSE, 1, 0, "None")                                             \
  M ("expplus", NULL, TRUE, TRUE, 1, 0, "Refused: it needs the whole sequence")

#define COUNT(...) + 1
enum
{
  CO_N_FEATURE_MAPS = 0 CO_FEATURE_MAPS (COUNT),
  CO_N_FEATURE_TRANSFORMS = 0 CO_FEATURE_TRANSFORMS (COUNT)
};
#undef COUNT

extern const CoFeatureMap co_feature_maps[CO_N_FEATURE_MAPS];
extern const CoChoice co_feature_map_choices[CO_N_FEATURE_MAPS];
extern const CoFeatureMap co_feature_transforms[CO_N_FEATURE_TRANSFORMS];
extern const CoChoice co_feature_transform_choices[CO_N_FEATURE_TRANSFORMS];

/* No feature, or logarithm of one, of a vector whose elements are at most @x is larger. */
double co_features_largest (const CoFeatures * self, double x);

/* @scratch: n_in + n_projected doubles */
void co_features_map (const CoFeatures * self, const float *x /* (n_in) */ ,
    double *f /* (n_features) */ , double *scratch);

G_END_DECLS
