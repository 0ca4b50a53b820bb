/* libcontinual: tensors beside the layers, by module
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "names/parts.h"
#include "names/tensors.h"

G_BEGIN_DECLS

typedef struct
{
  CoPart part;                  /* name: the module's, or the tensor's if it is in no module */
  gboolean is_tensor;           /* a tensor itself: NAME, not NAME.weight */
  gboolean used;
} CoModule;

typedef struct
{
  GArray *list;                 /* CoModule, sorted by the names of their first tensors */
  GTree *modules, *tensors;     /* name to its index + 1 */
} CoModules;

/* Groups @rest (CoNamed): NAME.weight, NAME.bias, NAME.running_mean, NAME.running_var, NAME.pattern, which is a
 * RecyclingPositionalEncoding's weight, and NAME.@gain, which is a norm's weight; NULL: there is no other name for that.
 * Any other tensor is by itself. */
void co_modules_group (CoModules * self, const GArray * rest,
    const gchar * gain);
void co_modules_clear (CoModules * self);

/* NULL: there is none. */
CoModule *co_modules_find (const CoModules * self, const gchar * name,
    gboolean is_tensor);
/* Whether a module is a child of @path. */
gboolean co_modules_has_child (const CoModules * self, const gchar * path);
/* A tensor of @self */
const CoTensor *co_module_tensor (const CoModule * self);

G_END_DECLS
