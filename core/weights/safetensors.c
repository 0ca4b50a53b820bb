/* libcontinual: reading safetensors files
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "foreign.h"
#include "header.h"
#include "quote.h"
#include "table.h"

#define ALIGNMENT 64

struct _CoSafetensors
{
  gatomicrefcount ref_count;
  gchar *name;
  CoHeader header;              /* entries sorted by name */
  float *arena;                 /* data of all tensors, each at a multiple of ALIGNMENT */
  gsize n_bytes;
};

static CoHeaderEntry *
get_entry (const CoSafetensors * self, gsize index)
{
  return &g_array_index (self->header.entries, CoHeaderEntry, index);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  const CoHeaderEntry *x = a, *y = b;

  return strcmp (x->tensor.name, y->tensor.name);
}

/* Bytes of @tensor in the arena. */
static gboolean
get_arena_size (const CoTensor * tensor, gsize * size)
{
  if (!g_size_checked_mul (size, tensor->n_elements, sizeof (float))
      || !g_size_checked_add (size, *size, ALIGNMENT - 1))
    return FALSE;
  *size -= *size % ALIGNMENT;
  return TRUE;
}

static gboolean
reserve_arena (CoSafetensors * self, GError ** error)
{
  gsize total = ALIGNMENT;      /* an empty tensor has an address too */
  gpointer memory;

  for (guint i = 0; i < self->header.entries->len; i++) {
    gsize size;

    if (!get_arena_size (&get_entry (self, i)->tensor, &size)
        || !g_size_checked_add (&total, total, size)) {
      total = G_MAXSIZE;
      break;
    }
  }
  if (total == G_MAXSIZE || posix_memalign (&memory, ALIGNMENT, total) != 0) {
    g_set_error (error, CO_ERROR, CO_ERROR_READ,
        "%s: expected weights that fit in memory, found %" G_GSIZE_FORMAT
        " bytes of them; use a smaller model or a machine with more memory",
        self->name, total);
    return FALSE;
  }
  self->arena = memory;
  return TRUE;
}

/* @data: what follows the header. */
static gboolean
convert_tensors (CoSafetensors * self, const guint8 * data, GError ** error)
{
  gsize offset = 0;

  for (guint i = 0; i < self->header.entries->len; i++) {
    CoHeaderEntry *entry = get_entry (self, i);
    CoTensor *tensor = &entry->tensor;
    float *dst = self->arena + offset / sizeof (float);
    gsize size, bad;

    bad = co_dtype_convert (entry->dtype, data + entry->begin, dst,
        tensor->n_elements);
    if (bad != tensor->n_elements) {
      g_autofree gchar *quoted = co_quote (tensor->name);

      g_set_error (error, CO_ERROR, CO_ERROR_CORRUPT, "%s: tensor %s: expected "
          "values that are finite in float32, found %g at index %"
          G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT "; check the training run, and "
          "save weights from before it diverged", self->name, quoted,
          co_dtype_get_value (entry->dtype, data + entry->begin
              + bad * co_dtype_get_size (entry->dtype)), bad,
          tensor->n_elements);
      return FALSE;
    }
    tensor->data = dst;
    self->n_bytes += tensor->n_elements * sizeof (float);
    get_arena_size (tensor, &size);
    offset += size;
  }
  return TRUE;
}

/* Checks the start of a file of @size bytes. @head: (n_head), @tail: (n_tail), as co_foreign_check() takes them. */
static gboolean
check_format (const guint8 * head, gsize n_head, const guint8 * tail,
    gsize n_tail, guint64 size, const gchar * name, GError ** error)
{
  g_autoptr (GError) broken = NULL;
  gboolean looks_right = n_head >= CO_HEADER_START
      && head[CO_HEADER_START - 1] == '{';

  if (co_header_check_start (head, size, name, &broken))
    return TRUE;
  if (looks_right || co_foreign_check (head, n_head, tail, n_tail, name, error))
    g_propagate_error (error, g_steal_pointer (&broken));
  return FALSE;
}

CoSafetensors *
co_safetensors_load_bytes (GBytes * bytes, const gchar * name, GError ** error)
{
  g_autoptr (CoSafetensors) self = NULL;
  CoHeader header = { 0 };
  const guint8 *data;
  gsize size, n_tail;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  data = g_bytes_get_data (bytes, &size);
  if (data == NULL)             /* no bytes */
    data = (const guint8 *) "";
  n_tail = MIN (size, CO_FOREIGN_TAIL);
  if (!check_format (data, MIN (size, CO_FOREIGN_HEAD),
          data + size - n_tail, n_tail, size, name, error)
      || !co_header_parse (&header, data, size, name, error))
    return NULL;

  self = g_new0 (CoSafetensors, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->name = g_strdup (name);
  self->header = header;
  if (!reserve_arena (self, error)
      || !convert_tensors (self, data + header.data_start, error))
    return NULL;
  g_array_sort (self->header.entries, compare_names);
  return g_steal_pointer (&self);
}

/* Checks the start of the file before all of it is read: a path may name a huge file of any kind. */
static gboolean
check_file (gint fd, guint64 size, const gchar * name, GError ** error)
{
  guint8 head[CO_FOREIGN_HEAD] = { 0 };
  gsize n_head = MIN (size, sizeof head);
  gsize n_tail = MIN (size, CO_FOREIGN_TAIL);
  g_autofree guint8 *tail = NULL;

  /* Where a read fails here, reading all of the file fails and says why. */
  if (pread (fd, head, n_head, 0) != (gssize) n_head
      || co_header_check_start (head, size, name, NULL))
    return TRUE;
  tail = g_malloc (n_tail);
  if (pread (fd, tail, n_tail, size - n_tail) != (gssize) n_tail)
    return TRUE;
  return check_format (head, n_head, tail, n_tail, size, name, error);
}

CoSafetensors *
co_safetensors_load_stamped (const gchar * path, CoFileStamp * stamp,
    GError ** error)
{
  g_autofree gchar *name = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gint fd;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (stamp != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  fd = co_file_open (path, stamp, error);
  if (fd < 0)
    return NULL;
  name = g_filename_display_name (path);
  if (check_file (fd, stamp->size, name, error))
    bytes = co_file_read (fd, path, stamp, error);
  close (fd);
  return bytes ? co_safetensors_load_bytes (bytes, name, error) : NULL;
}

CoSafetensors *
co_safetensors_load (const gchar * path, GError ** error)
{
  CoFileStamp stamp;

  return co_safetensors_load_stamped (path, &stamp, error);
}

CoSafetensors *
co_safetensors_ref (CoSafetensors * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
co_safetensors_unref (CoSafetensors * self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  co_header_clear (&self->header);
  free (self->arena);
  g_free (self->name);
  g_free (self);
}

gsize
co_safetensors_get_n_tensors (const CoSafetensors * self)
{
  return self->header.entries->len;
}

const CoTensor *
co_safetensors_get_tensor (const CoSafetensors * self, gsize index)
{
  g_return_val_if_fail (index < self->header.entries->len, NULL);

  return &get_entry (self, index)->tensor;
}

const CoTensor *
co_safetensors_lookup (const CoSafetensors * self, const gchar * name)
{
  CoHeaderEntry key = {.tensor.name = name };
  guint index;

  if (!g_array_binary_search (self->header.entries, &key, compare_names,
          &index))
    return NULL;
  return &get_entry (self, index)->tensor;
}

const gchar *
co_safetensors_get_metadata (const CoSafetensors * self, const gchar * key)
{
  return co_table_lookup (self->header.metadata, key);
}

const GArray *
co_safetensors_get_metadata_table (const CoSafetensors * self)
{
  return self->header.metadata;
}

const GArray *
co_safetensors_get_buffers (const CoSafetensors * self)
{
  return self->header.buffers;
}

const gchar *
co_safetensors_get_name (const CoSafetensors * self)
{
  return self->name;
}

gsize
co_safetensors_get_n_bytes (const CoSafetensors * self)
{
  return self->n_bytes;
}
