/* libcontinual: exponentials and sums in double
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Included by kernels.c. Sums that last as long as a stream are kept in double. A vector has half as many doubles as floats. */

#define LANES_DOUBLE (CO_LANES / 2)

typedef double DVec __attribute__ ((vector_size (CO_LANES * 4)));
typedef gint64 LVec __attribute__ ((vector_size (CO_LANES * 4)));

INLINE DVec
load_double (const double *p)
{
  DVec v;
  memcpy (&v, p, sizeof v);
  return v;
}

INLINE void
store_double (double *p, DVec v)
{
  memcpy (p, &v, sizeof v);
}

/* What is left over goes through vectors of half the width and less. A store with a mask is none for it: the processor lets no
 * load pass it, whatever the mask leaves out. */
typedef double Double2 __attribute__ ((vector_size (16)));
typedef double Double4 __attribute__ ((vector_size (32)));
#define WIDTH(type) (sizeof (type) / sizeof (double))
#define ALL_PARTS(PART)                                                                         \
  for (; i + LANES_DOUBLE <= n;)                                                                \
    PART (DVec);                                                                                \
  if (LANES_DOUBLE > 4 && i + 4 <= n)                                                           \
    PART (Double4);                                                                             \
  if (LANES_DOUBLE > 2 && i + 2 <= n)                                                           \
    PART (Double2);                                                                             \
  if (i < n)                                                                                    \
    PART (double)
#define LOAD(type, p)                                                                           \
  ({                                                                                            \
    type loaded_;                                                                               \
    memcpy (&loaded_, p, sizeof loaded_);                                                       \
    loaded_;                                                                                    \
  })

INLINE DVec
splat_double (double x)
{
  return x - (DVec) { 0 };
}

INLINE DVec
blend_double (LVec mask, DVec yes, DVec no)
{
  return (DVec) ((mask & (LVec) yes) | (~mask & (LVec) no));
}

/* exp: x = k ln 2 + r, |r| <= ln 2 / 2, the polynomial of degree 13 in r of its series, which leaves out less than 5e-18. Even
 * and odd terms apart, so that neither waits for the other. Below -708 it is 0, above 709 it stays at exp (709). */
INLINE DVec
vexp_double (DVec x)
{
  const LVec zero = x < -708;
  DVec k, r, r2, even, odd;
  LVec scale;

  x = blend_double (zero, splat_double (-708), x);
  x = blend_double (x > 709, splat_double (709), x);
  k = x * 1.4426950408889634 + 0x1.8p52;        /* the sum's low bits are the nearest integer */
  scale = ((LVec) k - 0x4338000000000000 + 1023) << 52;
  k -= 0x1.8p52;
  r = x - k * 0x1.62e42feep-1 - k * 0x1.a39ef35793c76p-33;      /* ln 2: 33 bits, and the rest */
  r2 = r * r;
  even = splat_double (1. / 479001600);
  even = even * r2 + 1. / 3628800;
  even = even * r2 + 1. / 40320;
  even = even * r2 + 1. / 720;
  even = even * r2 + 1. / 24;
  even = even * r2 + 1. / 2;
  odd = splat_double (1. / 6227020800);
  odd = odd * r2 + 1. / 39916800;
  odd = odd * r2 + 1. / 362880;
  odd = odd * r2 + 1. / 5040;
  odd = odd * r2 + 1. / 120;
  odd = odd * r2 + 1. / 6;
  /* 1 + (r + r^2 (even + r odd)): the large terms last */
  r = 1 + (r + r2 * (even + r * odd));
  return (DVec) (~zero & (LVec) (r * (DVec) scale));
}

static void
k_exp_double (const double *x, double *y, gsize n)
{
  gsize i = 0;

  for (; i + LANES_DOUBLE <= n; i += LANES_DOUBLE)
    store_double (y + i, vexp_double (load_double (x + i)));
  if (i < n) {
    DVec v = { 0 };

    for (gsize k = i; k < n; k++)
      v[k - i] = x[k];
    v = vexp_double (v);
    for (gsize k = i; k < n; k++)
      y[k] = v[k - i];
  }
}

static void
k_axpy_double (double a, const double *x, double *restrict y, gsize n)
{
  for (gsize i = 0; i < n; i++)
    y[i] += a * x[i];
}

INLINE void
combine_double (const gsize n_terms, const double *a, const double *const *x, double *y, gsize n)
{
  gsize i = 0;

#define PART(type) {                                                                            \
    type sum = a[0] * LOAD (type, x[0] + i);                                                    \
                                                                                                \
    for (gsize t = 1; t < n_terms; t++)                                                         \
      sum += a[t] * LOAD (type, x[t] + i);                                                      \
    memcpy (y + i, &sum, sizeof sum);                                                           \
    i += WIDTH (type);                                                                          \
  }
  ALL_PARTS (PART);
#undef PART
}

/* Four terms at a time, from which the loop is made for each number */
static void
k_combine_double (gsize n_terms, const double *factors, const double *const *terms, double *y, gsize n)
{
  double a[4];                  /* where no store can reach them */
  const double *x[4];

  for (gsize t = 0; t < n_terms; t++) {
    a[t] = factors[t];
    x[t] = terms[t];
  }
  switch (n_terms) {
    case 1:
      combine_double (1, a, x, y, n);
      break;
    case 2:
      combine_double (2, a, x, y, n);
      break;
    case 3:
      combine_double (3, a, x, y, n);
      break;
    case 4:
      combine_double (4, a, x, y, n);
      break;
  }
}

static void
k_add_outer_double (const double *f, const double *x, double *y, gsize n_rows, gsize n)
{
  for (gsize r = 0; r < n_rows; r++, y += n) {
    const double a = f[r];
    gsize i = 0;

#define PART(type) {                                                                            \
    type sum = LOAD (type, y + i) + a * LOAD (type, x + i);                                     \
                                                                                                \
    memcpy (y + i, &sum, sizeof sum);                                                           \
    i += WIDTH (type);                                                                          \
  }
    ALL_PARTS (PART);
#undef PART
  }
}

static void
k_weigh_rows_double (const double *f, const double *x, double *y, gsize n_rows, gsize n)
{
  gsize i = 0;

  /* Two sums side by side, for one would wait for itself */
#define PART(type) {                                                                            \
    type even = { 0 }, odd = { 0 };                                                             \
    gsize r = 0;                                                                                \
                                                                                                \
    for (; r + 2 <= n_rows; r += 2) {                                                           \
      even += f[r] * LOAD (type, x + r * n + i);                                                \
      odd += f[r + 1] * LOAD (type, x + (r + 1) * n + i);                                       \
    }                                                                                           \
    if (r < n_rows)                                                                             \
      even += f[r] * LOAD (type, x + r * n + i);                                                \
    even += odd;                                                                                \
    memcpy (y + i, &even, sizeof even);                                                         \
    i += WIDTH (type);                                                                          \
  }
  ALL_PARTS (PART);
#undef PART
}

#undef WIDTH
#undef ALL_PARTS
#undef LOAD
