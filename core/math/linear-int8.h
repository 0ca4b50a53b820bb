/* libcontinual: a matrix of int8 in panels times rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sums are integers, so that their order does not matter: an output is the same whatever the rows beside it. */
#include "math/int8-row.h"

/* Rows that are rounded at once */
#define INT8_ROWS 16
#define INT8_PARTS (CO_PANEL / CO_LANES)
/* Panels at a time for 1, 2 and 4 rows */
#if CO_LANES == 16 && INT8_SUMS == 1
#define INT8_MANY_1 4
#define INT8_MANY_2 4
#define INT8_MANY_4 4
#elif CO_LANES == 16
#define INT8_MANY_1 4
#define INT8_MANY_2 2
#define INT8_MANY_4 2
#elif CO_LANES == 8 && INT8_SUMS == 1
#define INT8_MANY_1 4
#define INT8_MANY_2 2
#define INT8_MANY_4 1
#else
#define INT8_MANY_1 2
#define INT8_MANY_2 1
#define INT8_MANY_4 1
#endif
/* Whether there are registers for four rows */
#define INT8_FOUR_ROWS (CO_LANES == 16 || INT8_SUMS == 1)

/* NP panels by NX rows over @n fours of inputs: y += scales * sums */
#define INT8_TILE_(NP, NX)                                                                      \
INLINE void                                                                                     \
int8_tile_##NP##_##NX (const gint16 *w, gsize stride, const float *scales, gsize n_out,         \
    const Int8Row *x, gsize n, float *y, gsize y_stride)                                        \
{                                                                                               \
  UVec acc[NX][NP * INT8_PARTS][INT8_SUMS] = { 0 };                                             \
                                                                                                \
  for (gsize i = 0; i < n; i++)                                                                 \
    for (int v = 0; v < NP * INT8_PARTS; v++) {                                                 \
      const gint16 *at = w + v / INT8_PARTS * stride + (i * CO_PANEL +                          \
          v % INT8_PARTS * CO_LANES) * 2;                                                       \
      UVec raw;                                                                                 \
      memcpy (&raw, at, sizeof raw);                                                            \
      if (v % INT8_PARTS == 0)                                                                  \
        __builtin_prefetch (at + 8 * 2 * CO_PANEL);                                             \
      for (int r = 0; r < NX; r++)                                                              \
        add_products (acc[r][v], raw, x + r, i);                                                \
    }                                                                                           \
  for (int r = 0; r < NX; r++)                                                                  \
    for (gsize v = 0; v < NP * INT8_PARTS && v * CO_LANES < n_out; v++) {                       \
      const gsize o = v * CO_LANES, m = MIN (n_out - o, CO_LANES);                              \
      float *to = y + r * y_stride + o;                                                         \
      Vec sum = __builtin_convertvector (get_sum (acc[r][v], x + r), Vec) * x[r].scale;         \
      if (m == CO_LANES)                                                                        \
        store (to, vmuladd (sum, load (scales + o), load (to)));                                \
      else                                                                                      \
        store_part (to, vmuladd (sum, load_part (scales + o, m), load_part (to, m)), m);        \
    }                                                                                           \
}
#define INT8_TILE(NP, NX) INT8_TILE_ (NP, NX)

#define INT8_NAME_(np, nx) int8_tile_##np##_##nx
#define INT8_NAME(np, nx) INT8_NAME_ (np, nx)

/* All outputs of NX rows over @n fours of inputs */
#define INT8_PANELS(NP, NX)                                                                     \
  for (; o + (NP - 1) * CO_PANEL < n_out; o += NP * CO_PANEL)                                   \
    INT8_NAME (NP, NX) (w + o / CO_PANEL * stride, stride, scales + o, n_out - o, x, n, y + o,  \
        y_stride)
#define INT8_ROWS_OF(MANY, NX)                                                                  \
static void                                                                                     \
int8_rows_##NX (const gint16 *w, gsize stride, const float *scales, gsize n_out,                \
    const Int8Row *x, gsize n, float *y, gsize y_stride)                                        \
{                                                                                               \
  gsize o = 0;                                                                                  \
                                                                                                \
  INT8_PANELS (MANY, NX);                                                                       \
  INT8_PANELS (1, NX);                                                                          \
}

INT8_TILE (INT8_MANY_1, 1)
#if INT8_MANY_2 > 1
INT8_TILE (INT8_MANY_2, 2)
#endif
#if INT8_MANY_4 > 1
INT8_TILE (INT8_MANY_4, 4)
#endif
INT8_TILE (1, 1)
INT8_TILE (1, 2)
INT8_TILE (1, 4)
INT8_ROWS_OF (INT8_MANY_1, 1)
INT8_ROWS_OF (INT8_MANY_2, 2)
INT8_ROWS_OF (INT8_MANY_4, 4)

/* The rows @x through a few panels at a time, so that weights come from memory once */
static void
int8_block (const gint16 * w, gsize stride, const float *scales, gsize n_out,
    const Int8Row * x, gsize n_rows, gsize n, float *y, gsize y_stride)
{
  const gsize step = n_rows == 1 ? n_out : CO_PANEL * INT8_MANY_1;

  for (gsize o = 0; o < n_out; o += step) {
    const gint16 *panels = w + o / CO_PANEL * stride;
    const gsize m = MIN (n_out - o, step);
    gsize r = 0;

#define INT8_PASS(NX)                                                                           \
  for (; r + NX <= n_rows; r += NX)                                                             \
    int8_rows_##NX (panels, stride, scales + o, m, x + r, n, y + r * y_stride + o, y_stride)
    if (INT8_FOUR_ROWS)
      INT8_PASS (4);
    INT8_PASS (2);
    INT8_PASS (1);
#undef INT8_PASS
  }
}

static void
k_linear_int8 (const gint16 * w, const float *scales, const float *b,
    gsize n_out, gsize n_in, const float *x, gsize x_stride, gsize n_rows,
    float *y, gsize y_stride)
{
  const gsize stride = (n_in + 3) / 4 * 2 * CO_PANEL;
  Int8Row in[INT8_ROWS];
  float factors[INT8_ROWS];

  for (gsize first = 0; first < n_rows; first += INT8_ROWS) {
    const gsize rows = MIN (n_rows - first, INT8_ROWS);
    float *to = y + first * y_stride;

    for (gsize r = 0; r < rows; r++) {
      const float top = k_peak (x + (first + r) * x_stride, n_in);

      in[r].scale = top / INT8_INPUT_MAX;
      factors[r] = top > 0 ? INT8_INPUT_MAX / top : 0;
      if (b)
        memcpy (to + r * y_stride, b, n_out * sizeof (float));
      else
        memset (to + r * y_stride, 0, n_out * sizeof (float));
    }
    for (gsize begin = 0; begin < n_in; begin += INT8_BLOCK) {
      const gsize n = MIN (n_in - begin, INT8_BLOCK);

      for (gsize r = 0; r < rows; r++)
        round_inputs (x + (first + r) * x_stride + begin, n, factors[r], in + r);
      int8_block (w + begin / 2 * CO_PANEL, stride, scales, n_out, in, rows,
          (n + 3) / 4, to, y_stride);
    }
  }
}
