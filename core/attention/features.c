/* libcontinual: feature maps, which stand in for the exponential of softmax
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * KernelAttention of TensorFlow Models (Choromanski et al., "Rethinking Attention with Performers", 2021) and the
 * feature maps of fast_transformers (Katharopoulos et al., "Transformers are RNNs", 2020). In double: the
 * features enter sums that last as long as a stream. */
#include "attention/features.h"
#include "math/activation.h"
#include "math/kernels.h"
#include <math.h>

#define RELU_OFFSET 1e-3        /* KernelAttention's own, against empty denominators */

static double
half_square (const double *x, gsize n)
{
  double s = 0;

  for (gsize i = 0; i < n; i++)
    s += x[i] * x[i];
  return s / 2;
}

#define EACH(expression)                                                         \
  for (gsize i = 0; i < self->n_projected; i++)                                  \
    f[i] = self->norm * (expression)

static void
map_elu (const CoFeatures * self, const double *x, const double *u, double *f)
{
  co_kernels->exp_double (u, f, self->n_projected);
  EACH (u[i] > 0 ? u[i] + 1 : f[i]);
}

static void
map_relu (const CoFeatures * self, const double *x, const double *u, double *f)
{
  EACH (MAX (u[i], 0) + RELU_OFFSET);
}

static void
map_square (const CoFeatures * self, const double *x, const double *u,
    double *f)
{
  EACH (u[i] * u[i]);
}

static void
map_identity (const CoFeatures * self, const double *x, const double *u,
    double *f)
{
  EACH (u[i]);
}

static void
map_exp (const CoFeatures * self, const double *x, const double *u, double *f)
{
  double h = half_square (x, self->n_in);

  for (gsize i = 0; i < self->n_projected; i++)
    f[i] = u[i] - h;
}

/* Its factor exp (-sqrt (dk) / 2) is the same for all keys, so it cancels in the ratio. */
static void
map_expmod (const CoFeatures * self, const double *x, const double *u,
    double *f)
{
  for (gsize i = 0; i < self->n_projected; i++)
    f[i] = u[i];
}

static void
map_favor (const CoFeatures * self, const double *x, const double *u,
    double *f)
{
  double offset = half_square (x, self->n_in) - log (self->norm);

  for (gsize i = 0; i < self->n_projected; i++) {
    f[i] = u[i] - offset;
    f[self->n_projected + i] = -u[i] - offset;
  }
}

static void
map_random_fourier (const CoFeatures * self, const double *x,
    const double *u, double *f)
{
  for (gsize i = 0; i < self->n_projected; i++) {
    f[i] = self->norm * cos (u[i]);
    f[self->n_projected + i] = self->norm * sin (u[i]);
  }
}

static void
map_smoothed (const CoFeatures * self, const double *x, const double *u,
    double *f)
{
  map_random_fourier (self, x, u, f);
  f[2 * self->n_projected] = self->smoothing;
}

static void
map_generalized (const CoFeatures * self, const double *x, const double *u,
    double *f)
{
  for (gsize i = 0; i < self->n_projected; i++) {
    float v = u[i];
    co_activate (self->kernel_fn, &v, 1);
    f[i] = v;
  }
}

#define ROW(name, function, logs, positive, n_per_projection, n_constant, blurb) \
    {name, function, logs, positive, n_per_projection, n_constant},
#define CHOICE(name, function, logs, positive, n_per_projection, n_constant, blurb) {name, blurb},

const CoFeatureMap co_feature_maps[CO_N_FEATURE_MAPS] = { CO_FEATURE_MAPS (ROW) };
const CoChoice co_feature_map_choices[CO_N_FEATURE_MAPS] = { CO_FEATURE_MAPS (CHOICE) };
const CoFeatureMap co_feature_transforms[CO_N_FEATURE_TRANSFORMS] = { CO_FEATURE_TRANSFORMS (ROW) };
const CoChoice co_feature_transform_choices[CO_N_FEATURE_TRANSFORMS] = { CO_FEATURE_TRANSFORMS (CHOICE) };

#undef ROW
#undef CHOICE

/* Every map's features are at most u^2 + u + 2, times norm where they have one, or the constant one; every logarithm is at most u + log (norm). */
double
co_features_largest (const CoFeatures * self, double x)
{
  double u = self->scale * x;

  if (self->projection) {
    double top = 0;

    for (gsize r = 0; r < self->n_projected; r++) {
      double sum = 0;

      for (gsize i = 0; i < self->n_in; i++)
        sum += fabs ((double) self->projection[r * self->n_in + i]);
      top = MAX (top, sum);
    }
    u *= top;
  }
  return self->map->logs ? u + fabs (log (self->norm)) :
      MAX (MAX (self->norm, 1) * (u * u + u + 2), self->smoothing);
}

void
co_features_map (const CoFeatures * self, const float *x, double *f,
    double *scratch)
{
  double *scaled = scratch, *u = scratch + self->n_in;

  for (gsize i = 0; i < self->n_in; i++)
    scaled[i] = self->scale * x[i];
  for (gsize r = 0; self->projection && r < self->n_projected; r++) {
    const float *w = self->projection + r * self->n_in;
    double sum = 0;
    for (gsize i = 0; i < self->n_in; i++)
      sum += scaled[i] * w[i];
    u[r] = sum;
  }
  self->map->map (self, scaled, self->projection ? u : scaled, f);
}
