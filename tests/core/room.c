/* Where there is no room, an error says so, and nothing has changed
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocations.h"
#include "live.h"
#include <string.h>

#ifdef COUNTS_ALLOCATIONS
/* What is larger is sized by a model, a file or a number of streams. */
#define LARGE 4096
#define LONG 3000               /* vectors of a memory */
#define MANY 200                /* streams */

typedef struct
{
  Live *live;
  GBytes *state;                /* of the live stream, at an odd address */
  float *memory;                /* (LONG, n_memory) */
} Fixture;

typedef gboolean (*Try) (Fixture * self, GError ** error);

static gboolean
try_new (Fixture * self, GError ** error)
{
  g_autoptr (CoStream) stream = co_stream_try_new (self->live->model, MANY,
      error);

  return stream != NULL;
}

static gboolean
try_copy (Fixture * self, GError ** error)
{
  g_autoptr (CoStream) copy = co_stream_copy (self->live->stream);

  if (!copy)
    g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE, "expected room");
  return copy != NULL;
}

static gboolean
try_get_state (Fixture * self, GError ** error)
{
  g_autoptr (GBytes) state = co_stream_get_state (self->live->stream);

  if (!state)
    g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE, "expected room");
  return state != NULL;
}

static gboolean
try_set_state (Fixture * self, GError ** error)
{
  return co_stream_set_state (self->live->stream, self->state, error);
}

static gboolean
try_set_memory (Fixture * self, GError ** error)
{
  return co_stream_set_memory (self->live->stream, 1, self->memory, LONG, error);
}

/* The first large allocation fails, then the second, until none is left to fail. */
static void
check (Fixture * self, const gchar * name, Try try, guint least)
{
  for (guint n = 0;; n++) {
    g_autoptr (GBytes) before = co_stream_get_state (self->live->stream);
    g_autoptr (GBytes) after = NULL;
    g_autoptr (GError) error = NULL;
    gboolean ok;

    allocations_fail (n, LARGE);
    ok = try (self, &error);
    if (!allocations_failed ()) {
      g_assert_no_error (error);
      g_assert_true (ok);
      g_test_message ("%s: %u large allocations", name, n);
      g_assert_cmpuint (n, >=, least);
      return;
    }
    g_assert_false (ok);
    g_assert_nonnull (error);
    g_assert_true (error->code == CO_ERROR_NO_SPACE
        || error->code == CO_ERROR_MEMORY);
    g_assert_nonnull (strstr (error->message, "expected "));
    after = co_stream_get_state (self->live->stream);
    g_assert_true (g_bytes_equal (before, after));
  }
}

static void
advance (Live * live, GRand * random)
{
  g_autoptr (Chunk) chunk = chunk_new (live, 5, FALSE, 1, random);

  outputs_free (live_feed (live, live->stream, chunk));
}

static void
test_room (gconstpointer data)
{
  const Variant *variant = data;
  const Shape shape = {.E = 24,.H = 3,.N = 20,.max_len = 60 };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (variant, &shape, random);
  g_autoptr (Live) live = live_new (m, 3, random);
  g_autofree guint8 *odd = NULL;
  g_autoptr (GBytes) state = NULL;
  Fixture self = {.live = live };
  gsize n;

  g_test_message ("CONTINUAL_TEST_SEED=%u", ref_seed ());
  live->check = FALSE;
  check (&self, "new", try_new, 3);
  if (variant->decoder) {
    self.memory = g_new0 (float, LONG * live->info->n_memory);
    /* Its vectors, and the keys and values of its layers, unless these are sums */
    check (&self, "set_memory", try_set_memory, 1);
  }
  advance (live, random);
  check (&self, "copy", try_copy, 1);
  check (&self, "get_state", try_get_state, 1);

  state = co_stream_get_state (live->stream);
  n = g_bytes_get_size (state);
  odd = g_malloc (n + 1);
  memcpy (odd + 1, g_bytes_get_data (state, NULL), n);
  self.state = g_bytes_new_static (odd + 1, n);
  advance (live, random);
  check (&self, "set_state", try_set_state, 1);
  g_bytes_unref (self.state);
  g_free (self.memory);
}

/* A model for which there is no room beside its file is refused. */
static void
test_model (gconstpointer data)
{
  const Shape shape = {.E = 48,.H = 3,.N = 20,.max_len = 60 };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (data, &shape, random);
  g_autoptr (GBytes) file = ref_model_write (m, NULL);
  g_autoptr (GError) error = NULL;

  /* The only allocation that is so large */
  allocations_fail (0, 2 * g_bytes_get_size (file));
  g_assert_null (co_model_load_bytes (file, NULL, &error));
  g_assert_true (allocations_failed ());
  g_assert_error (error, CO_ERROR, CO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "expected room for"));
}

/* More streams than can be counted, or than the machine has RAM for, are refused before any is reserved. */
static void
test_too_many (gconstpointer data)
{
  const Shape shape = {.E = 48,.H = 3,.N = 40,.max_len = 60 };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (data, &shape, random);
  g_autoptr (CoModel) model = ref_model_load (m);
  g_autoptr (GError) error = NULL;
  const guint64 one = co_model_get_stream_bytes (model, 1);
  const guint64 most = co_model_get_stream_bytes (model, G_MAXUINT);
  Allocations found;

  g_assert_cmpuint (one, >, 2 * co_model_get_info (model)->state_bytes);
  /* The work of a step of one stream is that of 64 rows. */
  g_assert_cmpuint (most / G_MAXUINT, >=,
      2 * co_model_get_info (model)->state_bytes);
  allocations_begin ();
  g_assert_null (co_stream_try_new (model, G_MAXUINT, &error));
  found = allocations_end ();
  g_assert_error (error, CO_ERROR, CO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "4294967295 streams"));
  g_assert_nonnull (strstr (error->message, "fewer streams"));
  g_assert_cmpuint (found.bytes, <, 65536);
}

/* What is said to be reserved is what is reserved. */
static void
test_bytes (gconstpointer data)
{
  const guint numbers[] = { 1, 7, 64, 65, 1000 };
  const Shape shape = {.E = 48,.H = 3,.N = 40,.max_len = 60 };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (data, &shape, random);
  g_autoptr (CoModel) model = ref_model_load (m);

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    const guint64 bytes = co_model_get_stream_bytes (model, numbers[i]);
    CoStream *stream;
    Allocations found;

    allocations_begin ();
    stream = co_stream_new (model, numbers[i]);
    found = allocations_end ();
    co_stream_unref (stream);
    g_assert_cmpuint (found.bytes, >=, bytes);
    g_assert_cmpuint (found.bytes, <, bytes + 4096 + 16 * numbers[i]);
  }
}
#endif

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#ifdef COUNTS_ALLOCATIONS
  for (const Variant * v = variants; v->name; v++) {
    g_autofree gchar *room = g_strdup_printf ("/room/%s/fails", v->name);
    g_autofree gchar *many = g_strdup_printf ("/room/%s/too-many", v->name);
    g_autofree gchar *bytes = g_strdup_printf ("/room/%s/bytes", v->name);
    g_autofree gchar *model = g_strdup_printf ("/room/%s/model", v->name);

    g_test_add_data_func (room, v, test_room);
    g_test_add_data_func (many, v, test_too_many);
    g_test_add_data_func (bytes, v, test_bytes);
    g_test_add_data_func (model, v, test_model);
  }
#endif
  return g_test_run ();
}
