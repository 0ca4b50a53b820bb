/* libcontinual: reading safetensors files
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/error.h>

#include "file.h"

G_BEGIN_DECLS

#define CO_TENSOR_MAX_DIMS 8

/* One tensor, as float32 in memory aligned to 64 bytes. */
typedef struct
{
  const gchar *name;
  gsize n_dims;
  gsize dims[CO_TENSOR_MAX_DIMS];       /* outermost first, as torch prints them */
  gsize n_elements;
  const float *data;            /* (dims[0], dims[1], …) */
} CoTensor;

/* A validated safetensors file: immutable, reference counted. Tensors of type F32, F16, BF16 and F64 are converted to
 * float32; integers and booleans are validated and skipped; other types are errors. */
typedef struct _CoSafetensors CoSafetensors;

/* Errors: CO_ERROR_NOT_FOUND, CO_ERROR_READ, CO_ERROR_CORRUPT. @name: the file's name in messages. */
CoSafetensors *co_safetensors_load (const gchar * path, GError ** error);
/* Also gives the stamp of the file that was read. */
CoSafetensors *co_safetensors_load_stamped (const gchar * path,
    CoFileStamp * stamp, GError ** error);
CoSafetensors *co_safetensors_load_bytes (GBytes * bytes, const gchar * name,
    GError ** error);
CoSafetensors *co_safetensors_ref (CoSafetensors * self);
void co_safetensors_unref (CoSafetensors * self);

/* Tensors sorted by name (strcmp). */
gsize co_safetensors_get_n_tensors (const CoSafetensors * self);
const CoTensor *co_safetensors_get_tensor (const CoSafetensors * self,
    gsize index);
/* Returns: NULL if no tensor has that name. */
const CoTensor *co_safetensors_lookup (const CoSafetensors * self,
    const gchar * name);

/* A value of __metadata__, or NULL. */
const gchar *co_safetensors_get_metadata (const CoSafetensors * self,
    const gchar * key);
/* Tables (table.h): all of __metadata__; name and dtype of the integer and boolean tensors. */
const GArray *co_safetensors_get_metadata_table (const CoSafetensors * self);
const GArray *co_safetensors_get_buffers (const CoSafetensors * self);
/* The file's name in messages. */
const gchar *co_safetensors_get_name (const CoSafetensors * self);
/* Bytes of float32 data held. */
gsize co_safetensors_get_n_bytes (const CoSafetensors * self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CoSafetensors, co_safetensors_unref)

G_END_DECLS
