/* gst-continual: the properties of classlabeler
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  LABELER_FORMAT_LINES,
  LABELER_FORMAT_TEXT,
  LABELER_FORMAT_JSON
} LabelerFormat;

/* What may be switched at any time. */
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
  LabelerOutput output;
} LabelerSettings;

GType labeler_format_get_type (void);

/* Those of LabelerOutput are GST_PARAM_MUTABLE_PLAYING, the others GST_PARAM_MUTABLE_READY. */
void labeler_settings_install (GObjectClass * klass);

void labeler_settings_init (LabelerSettings * self);
void labeler_settings_clear (LabelerSettings * self);

/* The caller holds the lock. */
void labeler_settings_set (LabelerSettings * self, guint id,
    const GValue * value);
void labeler_settings_get (const LabelerSettings * self, guint id,
    GValue * value);

G_END_DECLS
