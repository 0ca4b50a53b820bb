# torch's functions that no layout has, each with what to do instead
# SPDX-License-Identifier: LGPL-2.1-or-later
from .flow import BY_HAND, Unsayable
from .table import OPERATIONS

# Names, and what is said of NAME()
REFUSED = (
    ("instance_norm group_norm local_response_norm normalize norm std var std_mean var_mean linalg_norm "
     "linalg_vector_norm cosine_similarity",
     "normalises by, or computes, a statistic that a layout has no operation for: expected a LayerNorm, a BatchNorm1d "
     "in evaluation, or constants from the training data"),
    ("argmax topk argsort sort",
     "makes a decision of the scores: leave it out; classlabeler picks the best ones"),
    ("where masked_fill masked_select masked_scatter",
     "changes some of the vectors by a mask: a window here is always full, so train and export without padding masks"),
    ("cross_entropy nll_loss mse_loss binary_cross_entropy binary_cross_entropy_with_logits l1_loss smooth_l1_loss "
     "kl_div ctc_loss",
     "computes a loss in forward(): return the scores, and compute the loss outside"),
    ("multi_head_attention_forward",
     f"is called by hand; {BY_HAND}"),
    ("conv1d conv2d conv3d conv_transpose1d unfold pad interpolate stft fft_rfft upsample",
     "looks at several vectors at once, or makes more or fewer of them: run it before the encoder, in front of the "
     "element, and export what follows"),
    ("cumsum flip roll gather scatter repeat repeat_interleave tile stack diff logsumexp",
     "is applied to the vectors, for which a layout has no operation: train without it, or do it outside of the "
     "exported module"),
)
REASONS = {name: reason for names, reason in REFUSED for name in names.split()}
OTHERWISE = ("is applied to the vectors, for which a layout has no operation: do it in front of the element, behind "
             "it, or train without")


def reason_of(name):
    return f"{name}() {REASONS.get(name, OTHERWISE)}"


def refuse(call):
    raise Unsayable(reason_of(call.name))


OPERATIONS.update(dict.fromkeys(REASONS, refuse))
