/* gst-continual: the properties and action signals of every element that runs a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"

G_BEGIN_DECLS

/* Installs the properties and signals for class_init() of an element of @kind. Returns the first property id that is
 * free. */
guint model_host_class_init (GObjectClass * klass, ModelElement kind);

/* @self: a zeroed field of @element. */
void model_host_init (ModelHost * self, GstElement * element,
    ModelElement kind);
void model_host_clear (ModelHost * self);

/* FALSE: @pspec is not a property of the host. What is wrong, or refused while the element runs, is posted as
 * a warning. */
gboolean model_host_set_property (ModelHost * self, const GValue * value,
    GParamSpec * pspec);
/* The same; `stats` without the fields that the element adds. */
gboolean model_host_get_property (ModelHost * self, GValue * value,
    GParamSpec * pspec);

G_END_DECLS
