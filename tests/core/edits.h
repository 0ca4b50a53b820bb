/* Files of made-up numbers, described in lines of edits
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Edits are separated by semicolons:
 *   NAME 3,4         a tensor                +NAME 3,4    one more
 *   -NAME            is missing              =NAME 3,4    has another shape
 *   >OLD NEW         has another name        *PREFIX      goes before every name
 *   @KEY=VALUE       metadata; without a value: none */
#pragma once

#include <glib.h>

#define ATTENTION "in_proj_weight 12,4;in_proj_bias 12;out_proj.weight 4,4;out_proj.bias 4"
#define FEED_FORWARD(p) p "linear1.weight 6,4;" p "linear1.bias 6;" p "linear2.weight 4,6;" p "linear2.bias 4;" \
  p "norm1.weight 4;" p "norm1.bias 4;" p "norm2.weight 4;" p "norm2.bias 4"
#define LAYER(p) p "self_attn.in_proj_weight 12,4;" p "self_attn.in_proj_bias 12;" \
  p "self_attn.out_proj.weight 4,4;" p "self_attn.out_proj.bias 4;" FEED_FORWARD (p)

/* The bytes of a safetensors file: @content, then @edits */
GBytes *edits_write (const gchar * content, const gchar * edits);
