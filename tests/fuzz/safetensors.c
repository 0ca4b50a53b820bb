/* libcontinual: any bytes are a safetensors file, with all that its header says in it, or refused
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include <weights/safetensors.h>

#define LENGTH_SIZE 8

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 * data, size_t size);
size_t LLVMFuzzerCustomMutator (guint8 * data, size_t size, size_t max_size,
    unsigned int seed);
size_t LLVMFuzzerMutate (guint8 * data, size_t size, size_t max_size);

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_LEVEL_MASK);
  json_object_seed (1);         /* the same bytes take the same path each time */
  return 0;
}

static void
check_file (const CoSafetensors * file, gsize size)
{
  gsize n_bytes = 0;

  for (gsize i = 0; i < co_safetensors_get_n_tensors (file); i++) {
    const CoTensor *tensor = co_safetensors_get_tensor (file, i);
    gsize n = 1;

    for (gsize j = 0; j < tensor->n_dims; j++)
      n *= tensor->dims[j];
    g_assert (n == tensor->n_elements);
    g_assert ((guintptr) tensor->data % 64 == 0);
    for (gsize j = 0; j < n; j++)
      g_assert (isfinite (tensor->data[j]));
    g_assert (g_utf8_validate (tensor->name, -1, NULL));
    g_assert (co_safetensors_lookup (file, tensor->name) == tensor);
    g_assert (i == 0 || strcmp (tensor->name,
            co_safetensors_get_tensor (file, i - 1)->name) > 0);
    n_bytes += n * sizeof (float);
  }
  g_assert (n_bytes == co_safetensors_get_n_bytes (file));
  g_assert (n_bytes <= 2 * size);
  co_safetensors_get_metadata (file, "nhead");
}

int
LLVMFuzzerTestOneInput (const guint8 * data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (CoSafetensors) file =
      co_safetensors_load_bytes (bytes, "fuzz", &error);

  if (file) {
    g_assert (error == NULL);
    check_file (file, size);
  } else {
    g_assert (g_error_matches (error, CO_ERROR, CO_ERROR_CORRUPT));
    g_assert (g_utf8_validate (error->message, -1, NULL));
  }
  return 0;
}

/* Half of the mutants get the length that their header has: few would be read beyond it otherwise. */
size_t
LLVMFuzzerCustomMutator (guint8 * data, size_t size, size_t max_size,
    unsigned int seed)
{
  const guint8 *end;
  guint64 length;

  size = LLVMFuzzerMutate (data, size, max_size);
  if (seed % 2 == 0 || size <= LENGTH_SIZE)
    return size;
  end = memrchr (data + LENGTH_SIZE, '}', size - LENGTH_SIZE);
  if (end == NULL)
    return size;
  length = GUINT64_TO_LE ((guint64) (end + 1 - data - LENGTH_SIZE));
  memcpy (data, &length, sizeof length);
  return size;
}
