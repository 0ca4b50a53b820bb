/* libcontinual: Continual Transformers over live streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/version.h>
#include <continual/error.h>
#include <continual/settings.h>
#include <continual/model.h>
#include <continual/stream.h>
#include <continual/bytes.h>
