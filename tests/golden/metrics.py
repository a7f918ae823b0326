"""What scikit-learn says of random scores and predictions: `metrics.json`.

Classes: `outputs` scores a sample (1: above `threshold` is class 1; else the largest counts), `labels`, and of these
`accuracy`, `top_3`, `macro` and `weighted` precision, recall and F1, `classes` with the same for each class that occurs,
`confusion`, `auc` for each class against the rest (null where it is not defined). Scores are float32; `ties` are scores on
int8's grid, with many equal ones. Some cases lack a class, some have one class alone.

Numbers: `predictions`, `targets` of `outputs` values a sample, and `mae`, `mse`, `rmse` (of all values together), `r2`.

    python3 metrics.py           # writes metrics.json, the same bytes each time
"""
import json
import pathlib

import numpy as np
from sklearn import metrics as sk

rng = np.random.default_rng(4)


def averaged(truth, predicted, average, labels=None):
    p, r, f, _ = sk.precision_recall_fscore_support(
        truth, predicted, average=average, labels=labels, zero_division=0)
    if average is None:
        return [dict(zip(("precision", "recall", "f1"), map(float, row))) for row in zip(p, r, f)]
    return {"precision": float(p), "recall": float(r), "f1": float(f)}


def area(positive, scores):
    return float(sk.roc_auc_score(positive, scores)) if 0 < positive.sum() < len(positive) else None


def classes(outputs, samples, grid, missing=(), only=None):
    count = max(outputs, 2)
    labels = rng.integers(0, count, samples)
    for gone in missing:
        labels[labels == gone] = (gone + 1) % count
    if only is not None:
        labels[:] = only
    scores = rng.normal(size=(samples, outputs))
    if outputs == 1:
        scores[:, 0] += 1.2 * (labels - 0.5)
    else:
        scores[np.arange(samples), labels] += 1.0
    # The decimals are those that the file holds.
    scores = np.clip(np.round(scores * 8), -128, 127) / 8 if grid else np.round(scores, 4)
    scores = scores.astype(np.float32)
    if outputs == 1:
        predicted = (scores[:, 0] > 0).astype(int)
        auc = [area(labels == 1, scores[:, 0])] * 2
        top_3 = None
    else:
        predicted = scores.argmax(axis=1)
        auc = [area(labels == c, scores[:, c]) for c in range(outputs)]
        # scikit-learn takes the last of equal scores first, milligrad the first, as argmax does.
        best = np.argsort(-scores, axis=1, kind="stable")[:, :3]
        top_3 = float((best == labels[:, None]).any(axis=1).mean())
        if not grid and outputs > 3:
            assert top_3 == sk.top_k_accuracy_score(labels, scores, k=3, labels=range(outputs))
    if outputs > 2 and None not in auc:
        soft = np.exp(scores.astype(float)) / np.exp(scores.astype(float)).sum(axis=1, keepdims=True)
        mean = np.mean([area(labels == c, soft[:, c]) for c in range(outputs)])
        assert abs(mean - sk.roc_auc_score(labels, soft, multi_class="ovr", average="macro")) < 1e-12
    every = list(range(count))
    return {
        "outputs": outputs, "threshold": 0.0, "scores": scores.astype(float).round(6).ravel().tolist(),
        "labels": labels.tolist(), "accuracy": float(sk.accuracy_score(labels, predicted)),
        "top_3": top_3, "macro": averaged(labels, predicted, "macro"),
        "weighted": averaged(labels, predicted, "weighted"),
        "classes": averaged(labels, predicted, None, every),
        "confusion": sk.confusion_matrix(labels, predicted, labels=every).tolist(), "auc": auc,
    }


def numbers(outputs, samples, kind="noisy"):
    targets = rng.normal(scale=5, size=(samples, outputs)).round(3).astype(np.float32)
    if kind == "constant":
        targets[:] = 2.5
    noise = 0 if kind == "exact" else rng.normal(size=targets.shape)
    predictions = (targets * (1 if kind == "exact" else 0.8) + noise).round(3).astype(np.float32)
    if kind == "exact":
        predictions = targets
    t, y = targets.astype(float), predictions.astype(float)
    return {
        "outputs": outputs, "predictions": y.round(6).ravel().tolist(), "targets": t.round(6).ravel().tolist(),
        "mae": float(sk.mean_absolute_error(t, y)), "mse": float(sk.mean_squared_error(t, y)),
        "rmse": float(np.sqrt(sk.mean_squared_error(t, y))), "r2": float(sk.r2_score(t, y)),
    }


cases = [classes(outputs, samples, grid) for outputs in (1, 2, 3, 4, 10) for samples in (7, 60) for grid in (0, 1)]
cases += [classes(4, 30, grid, missing=(2,)) for grid in (0, 1)]
cases += [classes(6, 25, grid, missing=(0, 5)) for grid in (0, 1)]
cases += [classes(outputs, 20, 1, only=only) for outputs, only in ((1, 0), (1, 1), (2, 1), (5, 3))]
values = [numbers(outputs, samples) for outputs in (1, 3) for samples in (2, 40)]
values += [numbers(1, 20, "constant"), numbers(2, 20, "exact"), numbers(2, 20, "constant")]
path = pathlib.Path(__file__).with_name("metrics.json")
lines = lambda rows: ",\n".join(json.dumps(row) for row in rows)
path.write_text('{"classes": [\n' + lines(cases) + '\n], "numbers": [\n' + lines(values) + "\n]}\n")
