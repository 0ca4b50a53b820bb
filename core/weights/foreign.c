/* libcontinual: files of other formats, recognised by their content
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sources: the formats' own documentation (zip: APPNOTE.TXT; ONNX: onnx.proto; HDF5 and NumPy: their format
 * specifications; GGUF: its specification; Git LFS: its pointer specification) and what torch.save(),
 * torch.jit.save() and torch.export.save() write. */
#include "foreign.h"

#include <string.h>

#include "fail.h"

#define SAVE(weights) "safetensors.torch.save_file (" weights ", \"model.safetensors\")"
#define EXPORT "convert it with `examples/export.py FILE model.safetensors`, or in PyTorch with " \
  SAVE ("model.state_dict ()")
#define EXPORT_MODULE "export the PyTorch module that it was made from with examples/export.py, or with " \
  SAVE ("model.state_dict ()")
#define BY_HAND "save its weights, under the names that the manual lists, with safetensors' save_file ()"

typedef struct
{
  const gchar *bytes;
  gsize n_bytes;
  const gchar *found, *todo;
} Format;

#define BYTES(text) text, sizeof text - 1

/* By the first bytes. *INDENT-OFF* */
static const Format formats[] = {
  { BYTES ("\x80\x02"), "a pickle, as old torch.save() writes it (.pt, .pth, .bin)", EXPORT },
  { BYTES ("\x80\x03"), "a Python pickle", EXPORT },
  { BYTES ("\x80\x04"), "a Python pickle", EXPORT },
  { BYTES ("\x80\x05"), "a Python pickle", EXPORT },
  { BYTES ("GGUF"), "a GGUF file", "use the safetensors checkpoint that it was converted from" },
  { BYTES ("\x89HDF\r\n\x1a\n"), "an HDF5 file, such as Keras' .h5", BY_HAND },
  { BYTES ("\x93NUMPY"), "a NumPy array (.npy)", BY_HAND },
  { BYTES ("version https://git-lfs"), "a Git LFS pointer in the place of the file",
    "run `git lfs pull` in the repository" },
  { BYTES ("{"), "text that begins with '{', such as a config.json or a shard index",
    "give the path of the .safetensors file, or of the folder that holds it" },
};

/* Zip archives, by the name of a file in them: the first that fits. */
static const Format archives[] = {
  { BYTES ("/code/__torch__"), "a TorchScript archive", "save its weights in PyTorch with "
    SAVE ("torch.jit.load (FILE).state_dict ()") },
  { BYTES ("/constants.pkl"), "a TorchScript archive", "save its weights in PyTorch with "
    SAVE ("torch.jit.load (FILE).state_dict ()") },
  { BYTES ("archive_format"), "a torch.export archive (.pt2)", "save its weights in PyTorch with "
    SAVE ("torch.export.load (FILE).state_dict") },
  { BYTES ("data.pkl"), "a PyTorch file, as torch.save() writes it (.pt, .pth, .bin)", EXPORT },
  { BYTES ("model.weights.h5"), "a Keras archive (.keras)", BY_HAND },
  { BYTES (".npy"), "a NumPy archive (.npz)", BY_HAND },
  { BYTES (""), "a zip archive", "unpack it, and give the path of the .safetensors file in it" },
};
/* *INDENT-ON* */

static gboolean
contains (const guint8 * data, gsize n, const Format * format)
{
  return memmem (data, n, format->bytes, format->n_bytes) != NULL;
}

static gboolean
begins_with (const guint8 * data, gsize n, const gchar * bytes, gsize n_bytes)
{
  return n >= n_bytes && memcmp (data, bytes, n_bytes) == 0;
}

static const Format *
find_format (const guint8 * head, gsize n_head, const guint8 * tail,
    gsize n_tail)
{
  if (begins_with (head, n_head, BYTES ("PK\x03\x04"))
      || begins_with (head, n_head, BYTES ("PK\x05\x06"))) {
    const Format *archive = archives;

    while (!contains (head, n_head, archive)
        && !contains (tail, n_tail, archive))
      archive++;
    return archive;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    if (begins_with (head, n_head, formats[i].bytes, formats[i].n_bytes))
      return &formats[i];
  }
  return NULL;
}

/* An ONNX file is a ModelProto: field 1, ir_version, a number of one byte, and then one of fields 2 to 8 (producer,
 * domain, version, doc_string, graph, opset_import). */
static gboolean
is_onnx (const guint8 * head, gsize n)
{
  return n >= 3 && head[0] == 0x08 && head[1] > 0 && head[1] < 0x80
      && head[2] > 0 && strchr ("\x12\x1a\x22\x28\x32\x3a\x42", head[2]) != NULL;
}

gboolean
co_foreign_check (const guint8 * head, gsize n_head, const guint8 * tail,
    gsize n_tail, const gchar * file, GError ** error)
{
  static const Format onnx =
      { NULL, 0, "an ONNX graph (.onnx)", EXPORT_MODULE };
  const Format *format;

  if (is_onnx (head, n_head))
    format = &onnx;
  else
    format = find_format (head, n_head, tail, n_tail);
  if (format == NULL)
    return TRUE;
  return co_fail (error, CO_ERROR_CORRUPT, file,
      "expected a safetensors file, found %s; %s", format->found, format->todo);
}
