/* libcontinual: any bytes are a snapshot that a stream goes on from, or refused, and the stream as it was
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The first byte says of which model, the second how much of the frame is put right: the head, the size, the
 * checksum. The rest are the snapshot's bytes. */
#include "../core/variants.h"
#include "stream/stream.h"
#include <string.h>

#define HEAD_SIZE 64
#define SUM_SIZE 32
#define STEPS 4
#define MAX_VARIANTS 100

enum
{
  RIGHT_HEAD = 1,
  RIGHT_SIZE = 2,
  RIGHT_SUM = 4,
};

static CoStream *streams[MAX_VARIANTS];
static gsize n_streams;

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 * data, size_t size);

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  const Shape small = {.E = 6,.H = 2,.N = 3,.ff = 3,.max_len = 9 };

  g_log_set_always_fatal (G_LOG_LEVEL_MASK);
  for (const Variant * v = variants; v->name; v++) {
    g_autoptr (GRand) random = g_rand_new_with_seed (1);
    g_autoptr (RefModel) m = ref_model_random (v, &small, random);
    g_autoptr (CoModel) model = ref_model_load (m);

    g_assert (n_streams < MAX_VARIANTS);
    streams[n_streams++] = co_stream_new (model, 1);
  }
  return 0;
}

static void
step (CoStream * stream)
{
  const CoModelInfo *info = co_model_get_info (co_stream_get_model (stream));
  const gsize width = MAX (info->n_inputs, MAX (info->n_keys, info->n_values));
  const gsize capacity = co_stream_max_outputs (stream, STEPS);
  g_autofree float *x = g_new (float, STEPS * width);
  g_autofree float *y =
      g_new (float, capacity * info->n_positions * info->n_outputs);
  CoResult result = {.capacity = capacity,.y = y };
  CoInput input = {.x = x };

  for (gsize i = 0; i < STEPS * width; i++)
    x[i] = i % 7 - 3.f;
  if (info->bare_attention)
    input.key = input.value = x;
  g_assert (co_stream_forward_steps (stream, &input, STEPS, TRUE,
          &result) <= capacity);
  g_assert (co_stream_drain (stream, &result) <= capacity);
}

/* @fresh: a snapshot that the stream takes, for the parts of the frame that are put right */
static void
put_right (GByteArray * bytes, GBytes * fresh, guint8 what)
{
  gsize size;
  const guint8 *good = g_bytes_get_data (fresh, &size);

  if (what & RIGHT_SIZE) {
    gsize n = bytes->len;

    g_byte_array_set_size (bytes, MAX (n, size));
    if (n < size)
      memset (bytes->data + n, 0, size - n);
    /* Of a decoder's there may be more: its memory. */
    if (n > size && what & RIGHT_HEAD)
      memcpy (bytes->data + size - SUM_SIZE - sizeof (guint64),
          &(guint64) {
          (n - size) / sizeof (float)}, sizeof (guint64));
  }
  if (what & RIGHT_HEAD && bytes->len >= HEAD_SIZE) {
    guint64 n = bytes->len;

    memcpy (bytes->data, good, HEAD_SIZE);
    memcpy (bytes->data + 16, &n, sizeof n);
  }
  if (what & RIGHT_SUM && bytes->len >= SUM_SIZE) {
    g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
    gsize n = SUM_SIZE;

    g_checksum_update (sum, bytes->data, bytes->len - SUM_SIZE);
    g_checksum_get_digest (sum, bytes->data + bytes->len - SUM_SIZE, &n);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 * data, size_t size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GBytes) before = NULL, after = NULL, again = NULL, state = NULL;
  g_autoptr (GError) error = NULL;
  CoStream *stream;

  if (size < 2)
    return 0;
  stream = streams[data[0] % n_streams];
  before = co_stream_get_state (stream);
  g_byte_array_append (bytes, data + 2, size - 2);
  put_right (bytes, before, data[1]);
  state = g_bytes_new_static (bytes->data, bytes->len);
  if (co_stream_set_state (stream, state, &error)) {
    g_assert (error == NULL);
    /* Fixed keys are those of the model, whatever the snapshot says: the rest is as it was, and then all of it. */
    after = co_stream_get_state (stream);
    g_assert (g_bytes_get_size (after) == g_bytes_get_size (state));
    g_assert (co_stream_set_state (stream, after, NULL));
    again = co_stream_get_state (stream);
    g_assert (g_bytes_equal (after, again));
    step (stream);
    co_stream_clean_state (stream, CO_ALL_STREAMS);
  } else {
    g_assert (g_error_matches (error, CO_ERROR, CO_ERROR_STATE));
    g_assert (g_utf8_validate (error->message, -1, NULL));
    after = co_stream_get_state (stream);
    g_assert (g_bytes_equal (before, after));
  }
  return 0;
}
