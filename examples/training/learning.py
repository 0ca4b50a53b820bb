# How the examples learn: what happens at every step, whatever is learnt.
# SPDX-License-Identifier: LGPL-2.1-or-later
import math

import torch


class Learner:
    """AdamW with decay for matrices only, at a rate that rises for 100 steps and falls as half a cosine; and a moving
    average of the model's weights, which is what to keep."""

    def __init__(self, model, helpers, peak, decay, memory):
        """helpers: other modules, for training only; peak: the highest rate; memory: how much of the average a step
        leaves as it was, at most."""
        self.model, self.peak, self.memory = model, peak, memory
        self.trained = [p for m in (model, *helpers) for p in m.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [{"params": [p for p in self.trained if p.ndim > 1], "weight_decay": decay},
             {"params": [p for p in self.trained if p.ndim == 1], "weight_decay": 0}], peak, betas=(0.9, 0.98))
        self.average = {n: t.clone() for n, t in model.state_dict().items()}
        self.steps = 0

    def step(self, loss, done):
        """done: how much of the training is over, 0 to 1."""
        self.steps += 1
        for group in self.optimizer.param_groups:
            group["lr"] = self.peak * (min(1, self.steps / 100) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-3)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()

    @torch.no_grad()
    def remember(self):
        keep = min(self.memory, self.steps / (self.steps + 10))
        for name, tensor in self.model.state_dict().items():
            self.average[name].mul_(keep).add_(tensor, alpha=1 - keep)

    def state(self):
        """What `restore` needs beside the modules' own state."""
        return {"optimizer": self.optimizer.state_dict(), "average": self.average, "steps": self.steps}

    def restore(self, state):
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.steps = state["average"], state["steps"]
