"""Writes loss-references.json: losses of the training methods and their gradients, in float64 by PyTorch.

    python loss-references.py > loss-references.json

The network and its inputs are given by formulas, so that both sides can write them down: see losses.test.ts.
"""

import json
import math

import numpy as np
import torch
import torch.nn.functional as F

N, CLASSES, SMOOTHING = 4, 3, 0.1
SHAPES = [(2, 1, 3, 3), (2,), (8, 5), (5,), (5, 3), (3,)]
COUNT = sum(math.prod(shape) for shape in SHAPES)


def float32(values):
    return torch.tensor(np.float64(np.float32(np.array(values))))


theta = float32([0.5 * math.sin(1.7 * i + 0.3) for i in range(COUNT)])
inputs = float32([0.5 + 0.5 * math.sin(0.9 * i + 2 * n) for n in range(N) for i in range(16)]).view(N, 1, 4, 4)
others = float32(
    [0.5 + 0.5 * math.sin(0.9 * i + 2 * n) + 0.1 * math.cos(3 * i + n) for n in range(N) for i in range(16)]
).view(N, 1, 4, 4)
labels = torch.arange(N) % CLASSES
smooth = F.one_hot(labels, CLASSES).double() * (1 - SMOOTHING) + SMOOTHING / CLASSES


def weights(flat):
    parts, at = [], 0
    for shape in SHAPES:
        parts.append(flat[at : at + math.prod(shape)].view(shape))
        at += math.prod(shape)
    return parts


def logits(flat, x):
    k, kb, w1, b1, w2, b2 = weights(flat)
    hidden = F.relu(F.conv2d(x, k, kb, stride=2, padding=1)).flatten(1)
    return F.relu(hidden @ w1 + b1) @ w2 + b2


def cross_entropy(z, targets):
    return -(F.log_softmax(z, 1) * targets).sum(1)


def trades(flat):
    clean, adversarial = logits(flat, inputs), logits(flat, others)
    divergence = F.kl_div(F.log_softmax(adversarial, 1), F.softmax(clean, 1), reduction="batchmean")
    return cross_entropy(clean, smooth).mean() + 6 * divergence


def gradient_penalty(flat):
    here = F.cross_entropy(logits(flat, inputs), labels, reduction="none")
    there = F.cross_entropy(logits(flat, others), labels, reduction="none")
    return cross_entropy(logits(flat, inputs), smooth).mean() + 2 * (((there - here) / 0.25) ** 2).mean()


def through(low, high, apply, w, b):
    """Bounds by the signs of the weights, not by centre and radius."""
    positive, negative = w.clamp(min=0), w.clamp(max=0)
    return apply(low, positive) + apply(high, negative) + b, apply(high, positive) + apply(low, negative) + b


def ibp(flat):
    k, kb, w1, b1, w2, b2 = weights(flat)
    low, high = through(
        inputs - 0.05, inputs + 0.05, lambda x, w: F.conv2d(x, w, stride=2, padding=1), k, kb.view(1, -1, 1, 1)
    )
    low, high = F.relu(low).flatten(1), F.relu(high).flatten(1)
    low, high = through(low, high, lambda x, w: x @ w, w1, b1)
    low, high = F.relu(low), F.relu(high)
    rows = []
    for n in range(N):
        row = []
        for j in range(CLASSES):
            difference = w2[:, j] - w2[:, labels[n]]
            best = (difference.clamp(min=0) * high[n] + difference.clamp(max=0) * low[n]).sum()
            row.append(best + b2[j] - b2[labels[n]])
        rows.append(torch.stack(row))
    worst = torch.stack(rows)
    clean = cross_entropy(logits(flat, inputs), smooth).mean()
    return 0.75 * clean + 0.25 * cross_entropy(worst, smooth).mean()


def reference(loss):
    flat = theta.clone().requires_grad_(True)
    value = loss(flat)
    value.backward()
    return {"loss": value.item(), "gradient": flat.grad.tolist()}


print(
    json.dumps(
        {
            "plain": reference(lambda flat: cross_entropy(logits(flat, inputs), smooth).mean()),
            "trades": reference(trades),
            "gradient-penalty": reference(gradient_penalty),
            "ibp": reference(ibp),
        },
        indent=1,
    )
)
