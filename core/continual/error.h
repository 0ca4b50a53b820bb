/* libcontinual: what can be wrong with a file, a setting or a snapshot
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include <continual/version.h>

G_BEGIN_DECLS

/**
 * CO_ERROR:
 *
 * The error domain of libcontinual; its codes are #CoError.
 *
 * Since: 0.1
 */
#define CO_ERROR (co_error_quark ())

/**
 * CoError:
 * @CO_ERROR_NOT_FOUND: the file does not exist
 * @CO_ERROR_READ: the file exists and cannot be read
 * @CO_ERROR_CORRUPT: the file is not a valid safetensors file
 * @CO_ERROR_MODEL: the tensors are not a model: one is missing, unused or of the wrong shape
 * @CO_ERROR_SETTING: a hyper-parameter is missing, malformed or out of range
 * @CO_ERROR_STATE: a snapshot is of another model, or was altered
 * @CO_ERROR_MEMORY: a decoder's memory holds numbers that are not finite or too large, or does not fit into RAM
 * @CO_ERROR_NO_SPACE: not enough RAM for the model, its streams or their outputs
 * @CO_ERROR_INPUT: bytes are not of the shape that the model takes
 *
 * Every message says what was expected, what was found and what to do.
 *
 * Since: 0.1
 */
typedef enum
{
  CO_ERROR_NOT_FOUND,
  CO_ERROR_READ,
  CO_ERROR_CORRUPT,
  CO_ERROR_MODEL,
  CO_ERROR_SETTING,
  CO_ERROR_STATE,
  CO_ERROR_MEMORY,
  CO_ERROR_NO_SPACE,
  CO_ERROR_INPUT
} CoError;

/**
 * co_error_quark:
 *
 * Tells the error domain of libcontinual.
 *
 * Returns: %CO_ERROR.
 *
 * Since: 0.1
 */
CO_API GQuark co_error_quark (void);

G_END_DECLS
