/* gst-continual: what a panel shows: the vtable, and a file for each style
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cairo.h>

#include "scope/history.h"
#include "scope/scale.h"
#include "scope/text.h"

G_BEGIN_DECLS

typedef enum
{
  SCOPE_WATERFALL,
  SCOPE_SCORES,
  SCOPE_LINES,
  SCOPE_ATTENTION
} ScopeStyleId;

/* One pixel for each value, stretched over a part of the picture */
typedef struct
{
  cairo_surface_t *surface;     /* NULL: none */
  guint32 *pixels;              /* 0xRRGGBB */
  gsize stride;                 /* in pixels */
  guint width, height;
} ScopeCells;

/* One stream's part of the picture */
typedef struct
{
  guint x, y, width, height;
  guint stream;
  guint dims[3];                /* of what one stream has at a time, innermost first */
  guint margin;                 /* left of the values; see ScopeStyle */
  const gchar *const *labels;   /* (dims[0]), NULL: numbers */
  const ScopeHistory *history;
  ScopeScale scale;
  ScopeCells cells;
  ScopeText *text;
} ScopePanel;

typedef struct
{
  const gchar *dims;            /* of a tensor, for error messages */
  gboolean timed;               /* dims[1] of a tensor are vectors in time. Else the newest counts */
  gboolean scrolls;             /* the last vectors are shown. Else the newest */
  gboolean weights;             /* the tensor has heads: streams are dims[3] */
  gboolean labeled;             /* labels are one for each of dims[0] */
  gdouble least, most;          /* of the values; NaN: of those that came */
  guint memory;                 /* vectors after which their extremes are mostly forgotten */

  /* The panel that has at least a pixel for each thing it shows */
  void (*get_least_size) (const guint dims[3], guint * width, guint * height);
  /* The cells that draw() needs. NULL: none */
  void (*get_cells) (const guint dims[3], guint length, guint * width,
      guint * height);
  /* Draws what stays while labels and sizes do, and sets the margin. NULL: nothing */
  void (*draw_ground) (ScopePanel * panel, cairo_t * cr);
  /* Draws the values over it. */
  void (*draw) (const ScopePanel * panel, cairo_t * cr);
} ScopeStyle;

extern const ScopeStyle scope_waterfall, scope_scores, scope_lines, scope_attention;

/* Stretches the cells over a part of the picture. */
void scope_cells_paint (const ScopeCells * self, cairo_t * cr, guint x,
    guint y, guint width, guint height);

/* The text that fits a row of one of dims[0], and its label. Free it. */
guint scope_panel_get_text_size (const ScopePanel * panel);
gchar *scope_panel_copy_label (const ScopePanel * panel, guint i);

void scope_set_color (cairo_t * cr, guint32 color);

G_END_DECLS
