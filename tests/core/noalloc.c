/* A step allocates nothing
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The program's own malloc() and its like stand in for the C library's, and count. OpenBLAS reserves its buffers at
 * its first large product, so a stream of the same shape goes first. */
#include "live.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
#define SANITIZED
#elif defined (__has_feature)
#if __has_feature (address_sanitizer) || __has_feature (thread_sanitizer) || __has_feature (memory_sanitizer)
#define SANITIZED
#endif
#endif

#if defined (__GLIBC__) && !defined (SANITIZED)
#define COUNTS

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *p, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);

static volatile gboolean counting;
static volatile guint allocations;

#define EXPORT __attribute__ ((visibility ("default")))

static void
count (void)
{
  if (counting)
    allocations++;
}

EXPORT void *
malloc (size_t size)
{
  count ();
  return __libc_malloc (size);
}

EXPORT void *
calloc (size_t n, size_t size)
{
  count ();
  return __libc_calloc (n, size);
}

EXPORT void *
realloc (void *p, size_t size)
{
  count ();
  return __libc_realloc (p, size);
}

EXPORT void *
memalign (size_t alignment, size_t size)
{
  count ();
  return __libc_memalign (alignment, size);
}

EXPORT void *
aligned_alloc (size_t alignment, size_t size)
{
  count ();
  return __libc_memalign (alignment, size);
}

EXPORT int
posix_memalign (void **p, size_t alignment, size_t size)
{
  count ();
  *p = __libc_memalign (alignment, size);
  return *p ? 0 : ENOMEM;
}
#endif

#ifdef COUNTS
/* The counter counts what GLib allocates. */
static void
test_counter (void)
{
  gpointer memory[4];

  allocations = 0;
  counting = TRUE;
  memory[0] = g_malloc (100);
  memory[1] = g_malloc0 (100);
  memory[2] = g_aligned_alloc (1, 128, 64);
  memory[0] = g_realloc (memory[0], 100000);
  counting = FALSE;
  g_assert_cmpuint (allocations, ==, 4);
  g_free (memory[0]);
  g_free (memory[1]);
  g_aligned_free (memory[2]);
}

static void
run (const Live * live, const Chunk * chunk, Outputs * out)
{
  const CoInput input = chunk_input (chunk);

  co_stream_forward_steps (live->stream, &input, chunk->T, FALSE, &out->result);
  co_stream_forward_steps (live->stream, &input, chunk->T, TRUE, &out->result);
  if (chunk->T == 1 && live->m->chunk_len == 1)
    co_stream_forward_step (live->stream, chunk->x, out->result.y);
  g_clear_pointer (&out->result.weights, g_free);
  co_stream_drain (live->stream, &out->result);
}

static void
check (const RefModel * m, guint S, gsize T, GRand * random)
{
  g_autoptr (Live) live = live_new (m, S, random);

  /* Until windows are full, and chunks complete, and beyond. */
  for (guint i = 0; i < 16; i++) {
    g_autoptr (Chunk) chunk = chunk_new (live, T, i % 2, 1, random);
    g_autoptr (Outputs) out = outputs_new (live, T);

    allocations = 0;
    counting = i > 0 || T == 1;
    run (live, chunk, out);
    counting = FALSE;
    g_assert_cmpuint (allocations, ==, 0);
    if (i == 14)
      live_reset (live, 0);
  }
}

static void
test_step (gconstpointer data)
{
  const Variant *variant = data;
  const Shape shape = {.E = 24,.H = 3,.N = 4,.max_len = 40 };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (variant, &shape, random);

  g_test_message ("CONTINUAL_TEST_SEED=%u", ref_seed ());
  check (m, 1, 64, random);
  check (m, 16, 64, random);
  check (m, 1, 1, random);
  check (m, 16, 1, random);
}
#else
static void
test_counter (void)
{
  g_test_skip ("allocations cannot be counted here");
}
#endif

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/noalloc/counter", test_counter);
#ifdef COUNTS
  for (const Variant * v = variants; v->name; v++) {
    g_autofree gchar *path = g_strdup_printf ("/noalloc/%s", v->name);
    g_test_add_data_func (path, v, test_step);
  }
#endif
  return g_test_run ();
}
