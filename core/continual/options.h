/* libcontinual: hyper-parameters that win over what a model file says
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/error.h>

G_BEGIN_DECLS

/**
 * CoOptions:
 *
 * Hyper-parameters by name, each overriding the key of the same name in the file's `__metadata__`:
 * `nhead`, `sequence_len`, `attention`, `activation`, `layer_norm_eps`, `norm_first`, `query_index`,
 * `add_zero_attn`, `feature_map`, `feature_transform`, `num_random_features`, `scale`,
 * `causal_chunk_length`, `causal_window_length`, `causal_window_decay`, `cache`, `architecture`,
 * `self_attention`, `cross_attention`, `labels` (a JSON array); and some that only make sense here: `warm_up` (`drop`
 * or `partial`), `max_len` and `at_max` (`error` or `drop-oldest`; recurrent-full), and `precision` (`float32`,
 * `bfloat16` or `int8`: how the matrices of the projections and the feed-forward are kept).
 *
 * Values are written as in a metadata string: numbers in decimal, `true` or `false`, names with `-` or
 * `_`. They are checked when a model is loaded, with the same messages as a file's own.
 */
typedef struct _CoOptions CoOptions;

CO_API CoOptions *co_options_new (void);
CO_API CoOptions *co_options_copy (const CoOptions * self);
CO_API void co_options_free (CoOptions * self);

/**
 * co_options_set:
 * @key: one of the names above
 * @value: (nullable): its value; %NULL: as the file says
 *
 * Returns: %FALSE, with %CO_ERROR_SETTING, if there is no such hyper-parameter; nothing has changed then.
 */
CO_API gboolean co_options_set (CoOptions * self, const gchar * key,
    const gchar * value, GError ** error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CoOptions, co_options_free)

G_END_DECLS
