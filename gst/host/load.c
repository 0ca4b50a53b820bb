/* gst-continual: loading the model of an element
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/load.h"

#include "tensor/about.h"

#define GST_CAT_DEFAULT element_debug (element)

static void
post_error (GstElement * element, const gchar * path, const GError * error)
{
  switch ((CoError) error->code) {
    case CO_ERROR_NOT_FOUND:
      GST_ELEMENT_ERROR (element, RESOURCE, NOT_FOUND, ("%s", error->message),
          ("model-path=%s", path));
      break;
    case CO_ERROR_READ:
      GST_ELEMENT_ERROR (element, RESOURCE, OPEN_READ, ("%s", error->message),
          ("model-path=%s", path));
      break;
    case CO_ERROR_NO_SPACE:
      GST_ELEMENT_ERROR (element, RESOURCE, NO_SPACE_LEFT, ("%s",
              error->message), ("model-path=%s", path));
      break;
    case CO_ERROR_SETTING:
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS, ("%s", error->message),
          ("model-path=%s; a hyper-parameter that the file does not give can "
              "be set as a property, see gst-inspect-1.0 %s", path,
              GST_OBJECT_NAME (gst_element_get_factory (element))));
      break;
    default:
      GST_ELEMENT_ERROR (element, STREAM, DECODE, ("%s", error->message),
          ("model-path=%s", path));
      break;
  }
}

static CoModel *
load_file (GstElement * element, const gchar * path, const CoOptions * options,
    gboolean keep)
{
  g_autoptr (GError) error = NULL;
  CoModel *model;

  if (!path || !*path) {
    if (keep)
      GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
          ("The model in use stays: expected a model-path, found none."),
          (NULL));
    else
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
          ("Expected the property model-path to name a model, a file or a "
              "folder, found it unset: set it, for example "
              "model-path=model.safetensors"),
          (NULL));
    return NULL;
  }
  model = co_model_load (path, options, &error);
  if (!model && keep)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("The model in use stays: %s", error->message), ("model-path=%s",
            path));
  else if (!model)
    post_error (element, path, error);
  return model;
}

/* NULL: an element of @kind runs such a model. Else the end of the sentence "Expected ...". */
static gchar *
check_element (ModelElement kind, const CoModelInfo * info)
{
  const gboolean three_inputs =
      info->n_keys != info->n_inputs || info->n_values != info->n_inputs;

  switch (kind) {
    case MODEL_FOR_ENCODER:
      return info->n_memory || three_inputs ?
          g_strdup_printf ("a model with one input, found one that needs "
          "several: use %s for it",
          info->n_memory ? "continualdecoder" : "continualattention") : NULL;
    case MODEL_FOR_ATTENTION:
      return info->bare_attention ? NULL :
          g_strdup_printf ("a bare attention, as nn.MultiheadAttention is, "
          "found a whole model: use %s for it",
          info->n_memory ? "continualdecoder" : "continualencoder");
    case MODEL_FOR_DECODER:
      return info->n_memory ? NULL :
          g_strdup_printf ("a decoder, found a model without "
          "cross-attention: use %s for it",
          info->bare_attention ? "continualattention" : "continualencoder");
  }
  g_return_val_if_reached (NULL);
}

/* What the file may mean other than how it runs; and, in the log, all that is known of it */
static void
tell (GstElement * element, const gchar * path, CoModel * model)
{
  const CoModelInfo *info = co_model_get_info (model);

  for (gsize i = 0; i < info->n_warnings; i++)
    GST_ELEMENT_WARNING (element, LIBRARY, SETTINGS, ("%s", info->warnings[i]),
        ("model-path=%s", path));
  if (gst_debug_category_get_threshold (element_debug (element)) >= GST_LEVEL_INFO) {
    g_autofree gchar *text = co_model_describe (model);

    GST_INFO_OBJECT (element, "model-path=%s:\n%s", path, text);
  }
}

CoModel *
model_load (GstElement * element, ModelElement kind, AttentionWeights weights,
    const gchar * path, const CoOptions * options, gboolean keep)
{
  CoModel *model = load_file (element, path, options, keep);
  g_autofree gchar *why = NULL;

  if (!model)
    return NULL;
  why = check_element (kind, co_model_get_info (model));
  if (!why && weights && !co_model_get_info (model)->n_weights)
    why = g_strdup_printf ("a kind of attention with a window, since "
        "attention-weights asks for its weights, found %s: set "
        "attention-weights=none", co_model_get_info (model)->kind);
  if (!why) {
    tell (element, path, model);
    return model;
  }
  co_model_unref (model);
  if (keep)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("The model in use stays: expected %s.", why), ("model-path=%s", path));
  else
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
        ("Expected %s.", why), ("model-path=%s", path));
  return NULL;
}
