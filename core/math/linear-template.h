/* libcontinual: a matrix in panels times rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Included once for each type of weight, with
 *   WEIGHT          the type
 *   LOAD_WEIGHTS    what makes a Vec of CO_LANES of them
 *   FORMAT          a word for the names: the function is linear_FORMAT_any
 *
 * Weights come in panels of 16 outputs, (n_in, 16) each, so that outputs lie in the lanes and nothing is summed across
 * them. */

#define JOIN_(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN_ (a, b, c)
#define NAME(what, n) JOIN (what, FORMAT, n)
#define TILE_NAME_(f, np, nx) tile_##f##_##np##_##nx
#define TILE_NAME__(f, np, nx) TILE_NAME_ (f, np, nx)
#define TILE_NAME(np, nx) TILE_NAME__ (FORMAT, np, nx)
/* A panel is PARTS vectors. */
#define PARTS (CO_PANEL / CO_LANES)
/* Inputs whose products are summed before they join the others: short sums keep their digits. */
#define BLOCK 128

/* NP panels by NX rows: each weight is read once for NX rows. The last panel may have fewer than 16 outputs. */
#define TILE(NP, NX)                                                                            \
INLINE void                                                                                     \
TILE_NAME (NP, NX) (const WEIGHT *w, gsize stride, const float *b, gsize n_out, gsize n_in,          \
    const float *x, gsize x_stride, float *y, gsize y_stride)                                                   \
{                                                                                               \
  Vec total[NX][NP * PARTS] = { 0 };                                                            \
                                                                                                \
  for (gsize begin = 0; begin < n_in; begin += BLOCK) {                                         \
    const gsize end = MIN (begin + BLOCK, n_in);                                                \
    Vec acc[NX][NP * PARTS] = { 0 };                                                            \
                                                                                                \
    for (gsize i = begin; i < end; i++)                                                         \
      for (int v = 0; v < NP * PARTS; v++) {                                                    \
        const WEIGHT *at = w + v / PARTS * stride + i * CO_PANEL + v % PARTS * CO_LANES;          \
        Vec wv = LOAD_WEIGHTS (at);                                                                   \
        for (int r = 0; r < NX; r++)                                                            \
          acc[r][v] += wv * x[r * x_stride + i];                                                \
      }                                                                                         \
    for (int r = 0; r < NX; r++)                                                                \
      for (int v = 0; v < NP * PARTS; v++)                                                      \
        total[r][v] += acc[r][v];                                                               \
  }                                                                                             \
  for (int v = 0; v < NP * PARTS && (gsize) v * CO_LANES < n_out; v++) {                        \
    const gsize o = v * CO_LANES, n = MIN (n_out - o, CO_LANES);                                \
    Vec bias = { 0 };                                                                           \
                                                                                                \
    if (b)                                                                                      \
      bias = n == CO_LANES ? load (b + o) : load_part (b + o, n);                               \
    for (int r = 0; r < NX; r++)                                                                \
      if (n == CO_LANES)                                                                        \
        store (y + r * y_stride + o, total[r][v] + bias);                                       \
      else                                                                                      \
        store_part (y + r * y_stride + o, total[r][v] + bias, n);                               \
  }                                                                                             \
}

/* As many accumulators as there are registers for, and for one row, whose panels wait for each other least, fewer of
 * what is left over. */
#if CO_LANES == 16
#define MANY_1 8
#define SOME_1 4
#define MANY_2 4
#define MANY_4 4
TILE (8, 1)
TILE (4, 1)
TILE (4, 2)
TILE (4, 4)
#elif CO_LANES == 8
#define MANY_1 4
#define SOME_1 2
#define MANY_2 2
#define MANY_4 1
TILE (4, 1)
TILE (2, 1)
TILE (2, 2)
#else
#define MANY_1 2
#define SOME_1 2
#define MANY_2 1
#define MANY_4 1
TILE (2, 1)
#endif
#define SOME_2 MANY_2
#define SOME_4 MANY_4
TILE (1, 2)
TILE (1, 4)

/* One panel, one row: four sums, for a single one would wait for itself at every input. */
INLINE void
TILE_NAME (1, 1) (const WEIGHT *w, gsize stride, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, float *y, gsize y_stride)
{
  for (gsize o = 0; o < MIN (n_out, CO_PANEL); o += CO_LANES) {
    const gsize n = MIN (n_out - o, CO_LANES);
    Vec s[4] = { 0 };
    gsize i = 0;

    for (; i + 4 <= n_in; i += 4)
      for (int k = 0; k < 4; k++)
        s[k] += LOAD_WEIGHTS (w + (i + k) * CO_PANEL + o) * x[i + k];
    for (; i < n_in; i++)
      s[0] += LOAD_WEIGHTS (w + i * CO_PANEL + o) * x[i];
    s[0] = (s[0] + s[1]) + (s[2] + s[3]);
    if (n == CO_LANES)
      store (y + o, b ? s[0] + load (b + o) : s[0]);
    else
      store_part (y + o, b ? s[0] + load_part (b + o, n) : s[0], n);
  }
}

#define PANELS(np, nx)                                                                          \
  for (; o + (np - 1) * CO_PANEL < n_out; o += np * CO_PANEL)                                   \
    TILE_NAME (np, nx) (w + o / CO_PANEL * stride, stride, b ? b + o : NULL, n_out - o, n_in, x,     \
        x_stride, y + o, y_stride)

/* All outputs of NX rows */
#define ROWS(NX)                                                                                \
static void                                                                                     \
NAME (rows, NX) (const WEIGHT *w, gsize stride, const float *b, gsize n_out, gsize n_in,                 \
    const float *x, gsize x_stride, float *y, gsize y_stride)                                   \
{                                                                                               \
  gsize o = 0;                                                                                  \
                                                                                                \
  PANELS (MANY_##NX, NX);                                                                       \
  PANELS (SOME_##NX, NX);                                                                       \
  PANELS (1, NX);                                                                               \
}

ROWS (1)
ROWS (2)
ROWS (4)

/* All rows of a few panels before the next ones, so that weights come from memory once. */
static void
NAME (linear, any) (const WEIGHT *w, gsize stride, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, gsize n_rows, float *y,
    gsize y_stride)
{
  const gsize step = n_rows == 1 ? n_out : MANY_4 * CO_PANEL;

  for (gsize o = 0; o < n_out; o += step) {
    const WEIGHT *panels = w + o / CO_PANEL * stride;
    const float *bias = b ? b + o : NULL;
    const gsize n = MIN (n_out - o, step);
    gsize r = 0;

    for (; r + 4 <= n_rows; r += 4)
      NAME (rows, 4) (panels, stride, bias, n, n_in, x + r * x_stride,
          x_stride, y + r * y_stride + o, y_stride);
    if (r + 2 <= n_rows) {
      NAME (rows, 2) (panels, stride, bias, n, n_in, x + r * x_stride,
          x_stride, y + r * y_stride + o, y_stride);
      r += 2;
    }
    if (r < n_rows)
      NAME (rows, 1) (panels, stride, bias, n, n_in, x + r * x_stride,
          x_stride, y + r * y_stride + o, y_stride);
  }
}

#undef JOIN_
#undef JOIN
#undef NAME
#undef TILE_NAME_
#undef TILE_NAME__
#undef TILE_NAME
#undef PARTS
#undef BLOCK
#undef TILE
#undef PANELS
#undef ROWS
#undef MANY_1
#undef SOME_1
#undef MANY_2
#undef SOME_2
#undef MANY_4
#undef SOME_4
#undef WEIGHT
#undef LOAD_WEIGHTS
#undef FORMAT
