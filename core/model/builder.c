/* libcontinual: helpers of the functions that build parts
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"
#include "weights/quote.h"

gboolean
co_build_fail (const CoBuild * b, CoError code, const gchar * format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (b->error, CO_ERROR, code, "%s: %s",
      co_checkpoint_get_name (b->file), text);
  return FALSE;
}

gboolean
co_build_check (const CoBuild * b, const CoTensor * tensor, gsize n_dims,
    const gsize * dims)
{
  gboolean same = tensor->n_dims == n_dims;

  for (gsize i = 0; same && i < n_dims; i++)
    same = tensor->dims[i] > 0 && (dims[i] == CO_ANY || dims[i] == tensor->dims[i]);
  if (!same) {
    g_autofree gchar *expected = co_shape_to_string (dims, n_dims, "any");
    g_autofree gchar *found = co_shape_to_string (tensor->dims,
        tensor->n_dims, NULL);
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected shape %s, found %s; is it of another model?",
        tensor->name, expected, found);
  }
  return TRUE;
}

gboolean
co_build_matrix (const CoBuild * b, CoMatrix * matrix,
    const CoTensor * weight, const CoTensor * bias, gsize n_out, gsize n_in)
{
  if (!co_build_check (b, weight, 2, (gsize[]) {
          n_out, n_in}) || (bias && !co_build_check (b, bias, 1, (gsize[]) {
              weight->dims[0]})))
    return FALSE;
  *matrix = (CoMatrix) {.n_out = weight->dims[0],.n_in = weight->dims[1],
    .out_stride = weight->dims[1],.in_stride = 1,.data = weight->data,.bias =
        bias ? bias->data : NULL};
  return TRUE;
}

gboolean
co_build_unused (const CoBuild * b, const CoTensor * tensor,
    const gchar * why)
{
  return !tensor || co_build_fail (b, CO_ERROR_MODEL,
      "nothing uses tensor '%s' %s: expected none; leave it out of the file, or correct the metadata",
      tensor->name, why);
}

/* Whether the scheme's weights in role @role have biases or not by themselves */
static gboolean
has_own_biases (const CoScheme * scheme, CoRole role)
{
  for (const CoRole * own = scheme->own_biases; own && *own != CO_N_ROLES; own++)
    if (*own == role)
      return TRUE;
  return FALSE;
}

/* The group of the roles in CoScheme.own_biases, or the group of all others */
static gboolean
check_group (const CoBuild * b, const CoLayerParts * layer,
    const CoRole * weights, gsize n, gboolean own)
{
  gboolean any = FALSE;

  for (gsize i = 0; i < n; i++)
    any = any || (has_own_biases (b->scheme, weights[i]) == own
        && layer->tensors[weights[i] + 1]);
  for (gsize i = 0; any && i < n; i++)
    if (has_own_biases (b->scheme, weights[i]) == own
        && !co_build_require (b, layer, weights[i] + 1))
      return FALSE;
  return TRUE;
}

gboolean
co_build_check_biases (const CoBuild * b, const CoLayerParts * layer,
    const CoRole * weights, gsize n)
{
  return check_group (b, layer, weights, n, FALSE)
      && check_group (b, layer, weights, n, TRUE);
}

gboolean
co_build_require (const CoBuild * b, const CoLayerParts * layer,
    CoRole role)
{
  const gchar *suffix = NULL;

  if (layer->tensors[role])
    return TRUE;
  for (const CoSchemeName * n = b->scheme->names; n->suffix && !suffix; n++)
    if (n->role == role)
      suffix = n->suffix;
  return co_build_fail (b, CO_ERROR_MODEL,
      "tensor '%s%s%s' is missing: expected every tensor of %s; save the whole state dict",
      layer->path, *layer->path ? "." : "", suffix ? suffix : "?",
      b->scheme->title);
}
