"""The grid search of the talk: pipelines of three stages that share their first ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import OURS, Run, Size, Workload

FOLDS = 3
GRID = {
    "scale__with_std": (True, False),
    "reduce__n_components": (10, 20, 40),
    "classify__C": (0.01, 0.1, 1.0, 10.0, 100.0),
}


@cache
def data(rows: int, columns: int) -> tuple[Any, Any]:
    from sklearn.datasets import make_classification

    return make_classification(rows, columns, n_informative=columns // 4, random_state=0)


def stages() -> dict[str, Any]:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    return {
        "scale": StandardScaler(),
        "reduce": PCA(random_state=0, svd_solver="full"),
        "classify": LogisticRegression(max_iter=300),
    }


def folds(rows: int, labels: Any) -> Iterator[tuple[Any, Any]]:
    from sklearn.model_selection import StratifiedKFold

    yield from StratifiedKFold(FOLDS).split(np.empty((rows, 0)), labels)


def fit(step: Any, x: Any, y: Any, name: str, value: Any) -> Any:
    from sklearn.base import clone

    return clone(step).set_params(**{name: value}).fit(x, y)


def transform(step: Any, x: Any) -> Any:
    return step.transform(x)


def score(step: Any, x: Any, y: Any) -> float:
    return step.score(x, y)


def scores(delayed: Any, size: Size) -> list[Any]:
    """Return the delayed score of each candidate in each fold, the folds of a candidate together.

    A stage of which several pipelines have the same beginning is fitted once.
    """
    fitted, transformed, scored = delayed(fit), delayed(transform), delayed(score)
    x, y = data(size["rows"], size["columns"])
    (scale, reduce, classify), (stds, counts, penalties) = stages().values(), GRID.values()
    found = {}
    for fold, (train, test) in enumerate(folds(size["rows"], y)):
        x_train, y_train, x_test, y_test = x[train], y[train], x[test], y[test]
        for std in stds:
            step = fitted(scale, x_train, y_train, "with_std", std)
            one, other = transformed(step, x_train), transformed(step, x_test)
            for count in counts:
                step = fitted(reduce, one, y_train, "n_components", count)
                first, second = transformed(step, one), transformed(step, other)
                for penalty in penalties:
                    step = fitted(classify, first, y_train, "C", penalty)
                    found[std, count, penalty, fold] = scored(step, second, y_test)
    return [
        found[std, count, penalty, fold]
        for penalty in penalties  # as scikit-learn counts: by the name of the parameter
        for count in counts
        for std in stds
        for fold in range(FOLDS)
    ]


def search(ga: Any, size: Size, folder: Path) -> Run:
    import gpuscale

    data(size["rows"], size["columns"])
    return lambda: np.array(gpuscale.compute(scores(gpuscale.delayed, size))[0])


def search_in_sklearn(model_selection: Any, size: Size, folder: Path) -> Run:
    import joblib
    from sklearn.pipeline import Pipeline

    x, y = data(size["rows"], size["columns"])

    def run() -> Any:
        pipeline = Pipeline(list(stages().items()))
        grid = {name: list(values) for name, values in GRID.items()}
        cv = list(folds(size["rows"], y))
        found = model_selection.GridSearchCV(pipeline, grid, cv=cv, n_jobs=2, refit=False)
        # What joblib does where no variable of the environment says otherwise, as ours do.
        with joblib.parallel_config("loky", inner_max_num_threads=1):
            results = found.fit(x, y).cv_results_
        return np.array([results[f"split{k}_test_score"] for k in range(FOLDS)]).T.ravel()

    return run


WORKLOADS = (
    Workload(
        name="grid-search",
        about="grid search over 30 pipelines of 3 stages, 3 folds, {rows} x {columns}: "
        "114 fits, and 270 in scikit-learn with n_jobs=2",
        sizes={
            "full": {"rows": 2_000, "columns": 100},
            "quick": {"rows": 66, "columns": 44},
        },
        implementations={OURS: search, "scikit-learn": search_in_sklearn},
        goals={"scikit-learn": 1},
        needs="sklearn",
    ),
)
