/* gst-continual: the properties of classlabeler
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/propertytable.h"

G_BEGIN_DECLS

typedef enum
{
  LABELER_FORMAT_LINES,
  LABELER_FORMAT_TEXT,
  LABELER_FORMAT_JSON
} LabelerFormat;

/* Settings that may change at any time. */
typedef struct
{
  guint top_k;
  gdouble threshold;
  LabelerFormat format;
  gboolean changes_only;
} LabelerOutput;

typedef struct
{
  gchar *labels_path;           /* or NULL */
  gchar *ignore;                /* or NULL */
  gchar *input_tensor;          /* or NULL */
  gboolean softmax;
  gdouble smoothing;
  guint64 hold;                 /* ns; 0: off */
  LabelerOutput output;
} LabelerSettings;

/* One row per field: those of LabelerOutput are GST_PARAM_MUTABLE_PLAYING, the others GST_PARAM_MUTABLE_READY. */
extern const PropertyTable labeler_properties;

G_END_DECLS
