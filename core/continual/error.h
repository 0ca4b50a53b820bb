/* libcontinual: what can go wrong with a file or a setting
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#ifndef CO_API
#define CO_API __attribute__ ((visibility ("default")))
#endif

#define CO_ERROR (co_error_quark ())

/**
 * CoError:
 * @CO_ERROR_NOT_FOUND: the file does not exist
 * @CO_ERROR_READ: the file exists and cannot be read
 * @CO_ERROR_CORRUPT: the file is not a valid safetensors file
 * @CO_ERROR_MODEL: its tensors are not a model: one is missing, unused or of the wrong shape
 * @CO_ERROR_SETTING: a hyper-parameter is missing, malformed or out of range
 * @CO_ERROR_STATE: a snapshot is not one of this model, or was altered
 *
 * Every message says what was expected, what was found and what to do.
 */
typedef enum
{
  CO_ERROR_NOT_FOUND,
  CO_ERROR_READ,
  CO_ERROR_CORRUPT,
  CO_ERROR_MODEL,
  CO_ERROR_SETTING,
  CO_ERROR_STATE
} CoError;

CO_API GQuark co_error_quark (void);

G_END_DECLS
