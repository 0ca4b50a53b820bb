/* libcontinual: a matrix in panels times rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Included once for each type of weight, with
 *   WEIGHT              the type of what CO_LANES of are loaded at once, each with the weights of one output for
 *   PER_WEIGHT          that many inputs, one after another
 *   INPUT               the type of an input
 *   RAW, LOAD_RAW       a vector of WEIGHTs, and what loads one
 *   ADD(sum, raw, k, x) the sum with the product of the k-th of those inputs, x, added
 *   FORMAT              a word for the names: the function is product_FORMAT_any
 *
 * Weights come in panels of 16 outputs, so that outputs lie in the lanes and nothing is summed across them. The order of
 * sums is one for any number of rows, outputs and rows beside a row: the products of BLOCK inputs are summed from zero, one
 * input after another, and a block's sum is added to what came before it, at first the bias. */

#define JOIN_(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN_ (a, b, c)
#define NAME(what, n) JOIN (what, FORMAT, n)
#define TILE_NAME_(f, np, nx) tile_##f##_##np##_##nx
#define TILE_NAME__(f, np, nx) TILE_NAME_ (f, np, nx)
#define TILE_NAME(np, nx) TILE_NAME__ (FORMAT, np, nx)
/* A panel is PARTS vectors. */
#define PARTS (CO_PANEL / CO_LANES)
/* How many weights ahead of the one that is used another is fetched: several rows stay with a block, and the next one
 * comes meanwhile. For one row the processor fetches by itself; where it has to take weights apart as well it does so too
 * late. */
#define AHEAD_1 (PER_WEIGHT > 1 ? 8 * CO_PANEL : 0)
#define AHEAD (BLOCK / PER_WEIGHT * CO_PANEL)
/* What a product writes: y = from + sums, where from is the bias or zeros (a stride of 0), or what y holds. */
#define OUTPUT_PARAMETERS const float *from, gsize from_stride, float *y, gsize y_stride

#define ADD_INPUT(k)                                                                            \
  for (int r = 0; r < NX_; r++)                                                                 \
    acc[r][v] = ADD (acc[r][v], raw, k, x[r * x_stride + i + k])

/* NP panels by NX rows: each weight is read once for NX rows. The last panel may have fewer than 16 outputs. */
#define TILE(NP, NX)                                                                            \
INLINE void                                                                                     \
TILE_NAME (NP, NX) (const WEIGHT *w, gsize stride, gsize ahead, gsize n_out, gsize n_in,        \
    const INPUT *x, gsize x_stride, OUTPUT_PARAMETERS)                                          \
{                                                                                               \
  enum { NX_ = NX };                                                                            \
  Vec acc[NX][NP * PARTS] = { 0 };                                                              \
  gsize i = 0;                                                                                  \
                                                                                                \
  for (; i + PER_WEIGHT <= n_in; i += PER_WEIGHT)                                               \
    for (int v = 0; v < NP * PARTS; v++) {                                                      \
      const WEIGHT *at = w + v / PARTS * stride + i / PER_WEIGHT * CO_PANEL +                   \
          v % PARTS * CO_LANES;                                                                 \
      RAW raw = LOAD_RAW (at);                                                                  \
      if ((NX > 1 || PER_WEIGHT > 1) && v % PARTS == 0)                                         \
        __builtin_prefetch (at + ahead);                                                        \
      for (int k = 0; k < PER_WEIGHT; k++)                                                      \
        ADD_INPUT (k);                                                                          \
    }                                                                                           \
  if (PER_WEIGHT > 1 && i < n_in)                                                               \
    for (int v = 0; v < NP * PARTS; v++) {                                                      \
      RAW raw = LOAD_RAW (w + v / PARTS * stride + i / PER_WEIGHT * CO_PANEL +                  \
          v % PARTS * CO_LANES);                                                                \
      ADD_INPUT (0);                                                                            \
    }                                                                                           \
  for (int v = 0; v < NP * PARTS; v++)                                                          \
    for (int r = 0; r < NX; r++)                                                                \
      put_sum (acc[r][v], v * CO_LANES, n_out, from + r * from_stride, y + r * y_stride);       \
}

TILE (MANY_1, 1)
#if SOME_1 != MANY_1
TILE (SOME_1, 1)
#endif
#if MANY_2 > 1
TILE (MANY_2, 2)
#endif
#if MANY_4 > 1
TILE (MANY_4, 4)
#endif
TILE (1, 1)
TILE (1, 2)
TILE (1, 4)

/* The part of a panel's outputs from @o on, of one row, through N blocks of inputs whose sums run side by side: a single one
 * would wait for itself at every input. */
#define BLOCKS(N)                                                                               \
INLINE Vec                                                                                      \
NAME (blocks, N) (const WEIGHT *w, const INPUT *x, Vec y)                                       \
{                                                                                               \
  Vec s[N] = { 0 };                                                                             \
                                                                                                \
  for (gsize i = 0; i < BLOCK; i += PER_WEIGHT)                                                 \
    for (int n = 0; n < N; n++) {                                                               \
      RAW raw = LOAD_RAW (w + (n * BLOCK + i) / PER_WEIGHT * CO_PANEL);                         \
      for (int k = 0; k < PER_WEIGHT; k++)                                                      \
        s[n] = ADD (s[n], raw, k, x[n * BLOCK + i + k]);                                        \
    }                                                                                           \
  for (int n = 0; n < N; n++)                                                                   \
    y += s[n];                                                                                  \
  return y;                                                                                     \
}

BLOCKS (4)
BLOCKS (2)

/* The outputs of one row's last panels, one panel after another */
static void
NAME (panels, 1) (const WEIGHT *w, gsize stride, gsize n_out, gsize n_in,
    const INPUT *x, OUTPUT_PARAMETERS)
{
  for (gsize o = 0; o < n_out; o += CO_PANEL) {
    const WEIGHT *panel = w + o / CO_PANEL * stride;
    float sums[CO_PANEL] = { 0 };
    gsize i = 0;

    memcpy (sums, from ? from + o : no_bias, MIN (n_out - o, CO_PANEL) * sizeof (float));
#define SIDE_BY_SIDE(N)                                                                         \
    for (; i + N * BLOCK <= n_in; i += N * BLOCK)                                               \
      for (int v = 0; v < PARTS; v++)                                                           \
        store (sums + v * CO_LANES, NAME (blocks, N) (panel + i / PER_WEIGHT * CO_PANEL +       \
                v * CO_LANES, x + i, load (sums + v * CO_LANES)))
    SIDE_BY_SIDE (4);
    SIDE_BY_SIDE (2);
#undef SIDE_BY_SIDE
    for (; i < n_in; i += BLOCK)
      TILE_NAME (1, 1) (panel + i / PER_WEIGHT * CO_PANEL, stride, 0, CO_PANEL,
          MIN (n_in - i, BLOCK), x + i, 0, sums, 0, sums, 0);
    memcpy (y + o, sums, MIN (n_out - o, CO_PANEL) * sizeof (float));
  }
}

/* NX rows through NP panels at a time, while there are so many */
#define PANELS(np, nx)                                                                          \
  for (; o + (np - 1) * CO_PANEL < n_out; o += np * CO_PANEL) {                                 \
    const float *begin = from ? from + o : no_bias;                                             \
    gsize begin_stride = from_stride, i = 0;                                                    \
                                                                                                \
    do {                                                                                        \
      TILE_NAME (np, nx) (w + o / CO_PANEL * stride + i / PER_WEIGHT * CO_PANEL, stride, ahead, \
          n_out - o, MIN (n_in - i, BLOCK), x + i, x_stride, begin, begin_stride, y + o,        \
          y_stride);                                                                            \
      begin = y + o;                                                                            \
      begin_stride = y_stride;                                                                  \
      i += BLOCK;                                                                               \
    } while (i < n_in);                                                                         \
  }

/* All outputs of NX rows */
#define ROWS(NX)                                                                                \
static void                                                                                     \
NAME (rows, NX) (const WEIGHT *w, gsize stride, gsize ahead, gsize n_out, gsize n_in,           \
    const INPUT *x, gsize x_stride, OUTPUT_PARAMETERS)                                          \
{                                                                                               \
  gsize o = 0;                                                                                  \
                                                                                                \
  PANELS (MANY_##NX, NX)                                                                        \
  PANELS (SOME_##NX, NX)                                                                        \
  if (NX == 1 && o < n_out)                                                                     \
    NAME (panels, 1) (w + o / CO_PANEL * stride, stride, n_out - o, n_in, x,                    \
        from ? from + o : NULL, 0, y + o, 0);                                                   \
  else                                                                                          \
    PANELS (1, NX)                                                                              \
}

ROWS (1)
ROWS (2)
ROWS (4)

/* All rows through at most BLOCK inputs */
#define PASS(NX)                                                                                \
  NAME (rows, NX) (w, stride, ahead, n_out, n_in, x + r * x_stride, x_stride,                   \
      from ? from + r * from_stride : NULL, from_stride, y + r * y_stride, y_stride)

static void
NAME (block, any) (const WEIGHT *w, gsize stride, gsize ahead, gsize n_out,
    gsize n_in, const INPUT *x, gsize x_stride, gsize n_rows, OUTPUT_PARAMETERS)
{
  gsize r = 0;

  for (; r + 4 <= n_rows; r += 4)
    PASS (4);
  if (r + 2 <= n_rows) {
    PASS (2);
    r += 2;
  }
  if (r < n_rows)
    PASS (1);
}

/* Several rows: all of them through a block of inputs of a few panels before the next, so that weights come from memory
 * once. */
static void
NAME (product, any) (const WEIGHT *w, gsize stride, gsize n_out, gsize n_in,
    const INPUT *x, gsize x_stride, gsize n_rows, OUTPUT_PARAMETERS)
{
  const gsize step = CO_PANEL * (n_rows >= 4 ? MANY_4 : MANY_2);

  if (n_rows == 1) {
    NAME (rows, 1) (w, stride, AHEAD_1, n_out, n_in, x, x_stride, from, 0, y, y_stride);
    return;
  }
  for (gsize o = 0; o < n_out; o += step) {
    const float *begin = from ? from + o : NULL;
    gsize begin_stride = from_stride, i = 0;

    do {
      NAME (block, any) (w + o / CO_PANEL * stride + i / PER_WEIGHT * CO_PANEL,
          stride, AHEAD, MIN (n_out - o, step), MIN (n_in - i, BLOCK), x + i, x_stride,
          n_rows, begin, begin_stride, y + o, y_stride);
      begin = y + o;
      begin_stride = y_stride;
      i += BLOCK;
    } while (i < n_in);
  }
}

#undef JOIN_
#undef JOIN
#undef NAME
#undef TILE_NAME_
#undef TILE_NAME__
#undef TILE_NAME
#undef PARTS
#undef AHEAD
#undef AHEAD_1
#undef OUTPUT_PARAMETERS
#undef ADD_INPUT
#undef TILE
#undef PANELS
#undef ROWS
#undef PASS
#undef BLOCKS
#undef WEIGHT
#undef PER_WEIGHT
#undef RAW
#undef LOAD_RAW
#undef ADD
#undef INPUT
#undef FORMAT
