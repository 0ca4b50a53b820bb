/* libcontinual: files of other formats, recognised by their content
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/error.h>

G_BEGIN_DECLS

/* Bytes at the start and at the end of a file that co_foreign_check() reads. */
#define CO_FOREIGN_HEAD 512
#define CO_FOREIGN_TAIL 65536

/* Recognises files of other formats: PyTorch's, ONNX, Keras, NumPy and so on, and Git LFS pointers. Call it for a file
 * that is not safetensors.
 *
 * @head: (n_head) the first bytes, at least CO_FOREIGN_HEAD where the file has as many.
 * @tail: (n_tail) the last bytes, at least CO_FOREIGN_TAIL where the file has as many. Zip archives list their files
 * there.
 * @file: the file's name in messages.
 * Returns: FALSE with CO_ERROR_CORRUPT, which says what the file is and how to convert it; TRUE if it is unknown. */
gboolean co_foreign_check (const guint8 * head, gsize n_head,
    const guint8 * tail, gsize n_tail, const gchar * file, GError ** error);

G_END_DECLS
