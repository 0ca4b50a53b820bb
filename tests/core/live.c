/* Streams that are checked against the truth, vector by vector
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include <math.h>
#include <string.h>

#define UNTOUCHED 12345.f

Live *
live_new (const RefModel * m, guint S, GRand * random)
{
  Live *self = g_new0 (Live, 1);

  g_assert_cmpuint (S, <=, LIVE_MAX_STREAMS);
  self->m = m;
  self->model = ref_model_load (m);
  self->info = co_model_get_info (self->model);
  self->stream = co_stream_new (self->model, S);
  self->S = S;
  self->check = TRUE;
  self->has_key = m->separate || (m->bare && g_rand_boolean (random));
  self->has_value = m->separate || (m->bare && g_rand_boolean (random));
  for (guint s = 0; s < S; s++) {
    self->x[s] = g_array_new (FALSE, FALSE, m->C * sizeof (float));
    self->key[s] = g_array_new (FALSE, FALSE,
        m->layers[0].self.k.n_in * sizeof (float));
    self->value[s] = g_array_new (FALSE, FALSE,
        m->layers[0].self.v.n_in * sizeof (float));
    self->chunk[s] = g_array_new (FALSE, FALSE, sizeof (guint64));
    self->memory[s] = g_array_new (FALSE, FALSE, sizeof (RefMemory *));
  }
  self->memories = g_ptr_array_new_with_free_func ((GDestroyNotify)
      ref_memory_free);
  if (m->decoder)
    live_set_memory (self, -1, random);
  return self;
}

void
live_free (Live * self)
{
  for (guint s = 0; s < self->S; s++) {
    g_array_unref (self->x[s]);
    g_array_unref (self->key[s]);
    g_array_unref (self->value[s]);
    g_array_unref (self->chunk[s]);
    g_array_unref (self->memory[s]);
  }
  g_ptr_array_unref (self->memories);
  co_stream_unref (self->stream);
  co_model_unref (self->model);
  g_free (self);
}

void
live_reset (Live * self, gint stream)
{
  co_stream_clean_state (self->stream, stream);
  for (gint s = 0; s < (gint) self->S; s++)
    if (stream < 0 || s == stream) {
      g_array_set_size (self->x[s], 0);
      g_array_set_size (self->key[s], 0);
      g_array_set_size (self->value[s], 0);
      g_array_set_size (self->chunk[s], 0);
      g_array_set_size (self->memory[s], 0);
      self->forgotten[s] = self->filled[s] = 0;
      self->current[s] = NULL;
    }
}

void
live_set_memory (Live * self, gint stream, GRand * random)
{
  RefMemory *memory = ref_memory_random (self->m, random);

  g_ptr_array_add (self->memories, memory);
  co_stream_set_memory (self->stream, stream, memory->x, memory->n, NULL);
  for (gint s = 0; s < (gint) self->S; s++)
    if (stream < 0 || s == stream)
      self->current[s] = memory;
}

/* ---- what goes in ---- */

static float *
vectors (gsize rows, gsize width, GRand * random)
{
  float *x = g_new (float, rows * width + 1);

  for (gsize i = 0; i < rows * width; i++)
    x[i] = ref_normal (random);
  return x;
}

/* The inputs that a row has, one of them at random. */
static float *
some_input (const Chunk * chunk, const Live * live, gsize at, gsize * width,
    GRand * random)
{
  struct
  {
    float *x;
    gsize width;
  } inputs[] = {
    {chunk->x, live->m->C},
    {chunk->key, live->m->layers[0].self.k.n_in},
    {chunk->value, live->m->layers[0].self.v.n_in},
  };
  gsize i;

  do
    i = g_rand_int_range (random, 0, G_N_ELEMENTS (inputs));
  while (!inputs[i].x);
  *width = inputs[i].width;
  return inputs[i].x + at * *width;
}

static void
spoil (Chunk * chunk, const Live * live, gsize at, GRand * random)
{
  const float bad[] = { NAN, INFINITY, -INFINITY, 3e38f };
  gsize width;
  float *x = some_input (chunk, live, at, &width, random);

  switch (g_rand_int_range (random, 0, 12)) {
    case 0:                    /* NaN throughout */
      for (gsize i = 0; i < width; i++)
        x[i] = NAN;
      chunk->rows[at] = CO_VECTOR_ABSENT;
      break;
    case 1:{
      /* A decoder without a memory does not look for the last one. */
      float value = bad[g_rand_int_range (random, 0,
              G_N_ELEMENTS (bad) - live->m->decoder)];
      x[g_rand_int_range (random, 0, width)] = value;
      chunk->rows[at] = width == 1 && isnan (value) ? CO_VECTOR_ABSENT
          : CO_VECTOR_REFUSED;
      break;
    }
    case 2:
      chunk->mask[at] = 0;
      chunk->rows[at] = CO_VECTOR_ABSENT;
      if (g_rand_boolean (random))      /* what lies under a mask does not matter */
        x[0] = NAN;
      break;
    default:
      break;
  }
}

Chunk *
chunk_new (const Live * live, gsize T, gboolean faults, float loudness,
    GRand * random)
{
  const RefModel *m = live->m;
  const gsize rows = live->S * T;
  Chunk *self = g_new0 (Chunk, 1);

  self->T = T;
  self->x = vectors (rows, m->C, random);
  self->key = live->has_key ? vectors (rows, m->layers[0].self.k.n_in, random) : NULL;
  self->value = live->has_value ? vectors (rows, m->layers[0].self.v.n_in, random)
      : NULL;
  self->rows = g_new (CoVectorStatus, rows);
  self->mask = faults ? g_malloc (MAX (rows, 1)) : NULL;
  for (gsize i = 0; i < rows; i++) {
    self->rows[i] = CO_VECTOR_TAKEN;
    if (loudness > 1 && g_rand_int_range (random, 0, 6) == 0) {
      gsize width;
      float *x = some_input (self, live, i, &width, random);
      for (gsize e = 0; e < width; e++)
        x[e] *= loudness;
    }
    if (faults) {
      self->mask[i] = g_rand_int_range (random, 1, 256);
      spoil (self, live, i, random);
    }
  }
  return self;
}

void
chunk_free (Chunk * self)
{
  g_free (self->x);
  g_free (self->key);
  g_free (self->value);
  g_free (self->mask);
  g_free (self->rows);
  g_free (self);
}

CoInput
chunk_input (const Chunk * self)
{
  return (CoInput) {
  .x = self->x,.key = self->key,.value = self->value,.mask = self->mask};
}

/* ---- what comes out ---- */

Outputs *
outputs_new (const Live * live, gsize T)
{
  const CoModelInfo *info = live->info;
  Outputs *self = g_new0 (Outputs, 1);
  /* Of a drain as well */
  gsize capacity = MAX (co_stream_max_outputs (live->stream, T),
      co_stream_max_outputs (live->stream, 0));

  self->result.capacity = capacity;
  self->y_size = info->n_positions * info->n_outputs;
  self->weights_size = info->n_heads * info->n_positions * info->n_weights;
  self->result.y = g_new (float, capacity * self->y_size + 1);
  self->guard = self->result.y + capacity * self->y_size;
  *self->guard = UNTOUCHED;
  if (info->n_weights)
    self->result.weights = g_new (float, capacity * self->weights_size);
  self->result.outputs = g_new0 (CoOutput, capacity);
  self->result.status = g_new0 (CoVectorStatus, live->S * T);
  return self;
}

void
outputs_free (Outputs * self)
{
  g_free (self->result.y);
  g_free (self->result.weights);
  g_free (self->result.outputs);
  g_free (self->result.status);
  g_free (self);
}

gboolean
outputs_equal (const Outputs * a, const Outputs * b)
{
  if (a->n != b->n || memcmp (a->result.y, b->result.y,
          a->n * a->y_size * sizeof (float)) != 0)
    return FALSE;
  if (a->result.weights && memcmp (a->result.weights, b->result.weights,
          a->n * a->weights_size * sizeof (float)) != 0)
    return FALSE;
  for (gsize i = 0; i < a->n; i++)
    if (a->result.outputs[i].stream != b->result.outputs[i].stream
        || a->result.outputs[i].step != b->result.outputs[i].step
        || a->result.outputs[i].age != b->result.outputs[i].age)
      return FALSE;
  return TRUE;
}

/* Largest |found - expected|; a NaN stays. */
static double
difference (const float *found, const double *expected, gsize n)
{
  double worst = 0;

  for (gsize i = 0; i < n; i++) {
    double e = fabs (found[i] - expected[i]);
    worst = e <= worst ? worst : e;
  }
  return worst;
}

void
live_compare (Live * self, guint stream, gsize age, const float *y,
    const float *weights)
{
  const RefModel *m = self->m;
  const gsize n = self->x[stream]->len, positions = ref_n_positions (m);
  const RefInput input = {
    .x = (float *) self->x[stream]->data,
    .key = self->has_key ? (float *) self->key[stream]->data : NULL,
    .value = self->has_value ? (float *) self->value[stream]->data : NULL,
    .chunk = (guint64 *) self->chunk[stream]->data,
    .memory = (const RefMemory **) self->memory[stream]->data,
  };
  RefAnswer truth;
  double error, tolerance, error_weights = 0;

  if (!self->check)
    return;
  ref_answer (m, &input, n, self->forgotten[stream], age, &truth);
  tolerance = ref_tolerance (&truth);
  error = difference (y, truth.y, positions * m->D);
  if (weights)
    error_weights = difference (weights, truth.weights,
        self->info->n_heads * positions * self->info->n_weights);
  if (!(error <= tolerance) || !(error_weights <= 1e-4 +
          ldexp (truth.largest_logit, -23)))
    g_error ("stream %u, vector %" G_GUINT64_FORMAT
        ", age %zu: error %g (of attention weights %g), allowed %g; largest output %g, logit %g",
        stream, self->forgotten[stream] + n - 1, age, error, error_weights,
        tolerance, truth.largest_output, truth.largest_logit);
  self->worst = MAX (self->worst, error / tolerance);
  for (gsize i = 0; weights && i < self->info->n_heads * positions; i++) {
    double sum = 0;
    for (gsize j = 0; j < self->info->n_weights; j++) {
      g_assert_cmpfloat (weights[i * self->info->n_weights + j], >=, 0);
      sum += weights[i * self->info->n_weights + j];
    }
    g_assert_cmpfloat (fabs (sum - 1), <=, 1e-5);
  }
  self->n_checked++;
  ref_answer_clear (&truth);
}

static void
take (Live * self, guint stream, const Chunk * chunk, gsize at)
{
  const RefModel *m = self->m;
  const gsize reach = ref_reach (m), n = self->chunk[stream]->len;
  guint64 number = n ? g_array_index (self->chunk[stream], guint64, n - 1) : 0;

  if (n && self->filled[stream] == 0)
    number++;
  self->filled[stream]++;
  g_array_append_val (self->chunk[stream], number);
  g_array_append_val (self->memory[stream], self->current[stream]);
  g_array_append_vals (self->x[stream], chunk->x + at * m->C, 1);
  if (chunk->key)
    g_array_append_vals (self->key[stream],
        chunk->key + at * m->layers[0].self.k.n_in, 1);
  if (chunk->value)
    g_array_append_vals (self->value[stream],
        chunk->value + at * m->layers[0].self.v.n_in, 1);
  /* Of a long stream only the end is kept. */
  if (reach < 1000 && self->x[stream]->len > 4096) {
    guint rest = self->x[stream]->len - reach;
    g_array_remove_range (self->x[stream], 0, rest);
    g_array_remove_range (self->chunk[stream], 0, rest);
    g_array_remove_range (self->memory[stream], 0, rest);
    if (chunk->key)
      g_array_remove_range (self->key[stream], 0, rest);
    if (chunk->value)
      g_array_remove_range (self->value[stream], 0, rest);
    self->forgotten[stream] += rest;
  }
}

static gboolean
has_room (const Live * self, guint stream)
{
  const RefModel *m = self->m;

  return m->max_len == 0 || m->drop_oldest || self->x[stream]->len < m->max_len;
}

Outputs *
live_run (Live * self, const Chunk * chunk)
{
  Outputs *out = outputs_new (self, chunk->T);
  const CoResult *r = &out->result;
  CoInput input = chunk_input (chunk);
  gsize n = 0;

  out->n = co_stream_forward_steps (self->stream, &input, chunk->T, TRUE,
      &out->result);
  for (gsize t = 0; t < chunk->T; t++)
    for (guint s = 0; s < self->S; s++) {
      gsize at = s * chunk->T + t, n_answers, age;
      CoVectorStatus expected = chunk->rows[at];

      if (expected == CO_VECTOR_TAKEN && self->m->decoder && !self->current[s])
        expected = CO_VECTOR_WAITING;
      if (expected == CO_VECTOR_TAKEN && !has_room (self, s))
        expected = CO_VECTOR_FULL;
      g_assert_cmpint (r->status[at], ==, expected);
      if (expected != CO_VECTOR_TAKEN)
        continue;
      take (self, s, chunk, at);
      n_answers = ref_n_answers (self->m,
          self->forgotten[s] + self->x[s]->len, self->filled[s], &age);
      if (self->filled[s] == self->m->chunk_len)
        self->filled[s] = 0;
      for (gsize i = n_answers; i-- > 0; n++) {
        g_assert_cmpuint (n, <, out->n);
        g_assert_cmpuint (r->outputs[n].stream, ==, s);
        g_assert_cmpuint (r->outputs[n].step, ==, t);
        g_assert_cmpuint (r->outputs[n].age, ==, age + i);
        live_compare (self, s, age + i, r->y + n * out->y_size,
            r->weights ? r->weights + n * out->weights_size : NULL);
      }
    }
  g_assert_cmpuint (out->n, ==, n);
  g_assert_true (*out->guard == UNTOUCHED);
  for (guint s = 0; s < self->S; s++)
    g_assert_cmpuint (co_stream_get_position (self->stream, s), ==,
        self->forgotten[s] + self->x[s]->len);
  return out;
}

void
live_drain (Live * self)
{
  g_autoptr (Outputs) out = outputs_new (self, 0);
  const CoOutput *o = out->result.outputs;
  gsize n = 0;

  if (!ref_look_ahead (self->m))
    g_clear_pointer (&out->result.weights, g_free);
  out->n = co_stream_drain (self->stream, &out->result);
  for (guint s = 0; s < self->S; s++) {
    const guint64 taken = self->forgotten[s] + self->x[s]->len;

    /* With look-ahead, the last vectors are answered from what there is, and the stream begins again. */
    for (gsize i = ref_look_ahead (self->m); i-- > 0;) {
      if (i >= taken || (!self->m->partial
              && taken - 1 - i < ref_look_back (self->m)))
        continue;
      g_assert_cmpuint (n, <, out->n);
      g_assert_cmpuint (o[n].stream, ==, s);
      g_assert_cmpuint (o[n].age, ==, i);
      live_compare (self, s, i, out->result.y + n * out->y_size,
          out->result.weights + n * out->weights_size);
      n++;
    }
    for (gsize i = self->filled[s]; i-- > 0 && self->m->chunk_len > 1; n++) {
      g_assert_cmpuint (n, <, out->n);
      g_assert_cmpuint (o[n].stream, ==, s);
      g_assert_cmpuint (o[n].age, ==, i);
      live_compare (self, s, i, out->result.y + n * out->y_size, NULL);
    }
    self->filled[s] = 0;
  }
  g_assert_cmpuint (out->n, ==, n);
  g_assert_true (*out->guard == UNTOUCHED);
  if (ref_look_ahead (self->m))
    live_reset (self, -1);
}

Outputs *
live_feed (const Live * live, CoStream * stream, const Chunk * chunk)
{
  Outputs *out = outputs_new (live, chunk->T);
  CoInput input = chunk_input (chunk);

  out->n = co_stream_forward_steps (stream, &input, chunk->T, TRUE,
      &out->result);
  return out;
}
