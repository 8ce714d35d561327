"""Maps the top-level folder kernels/ onto gpuscale.kernels, which pyproject.toml cannot say."""

from setuptools import find_packages, setup

setup(
    package_dir={"gpuscale": "gpuscale", "gpuscale.kernels": "kernels"},
    packages=[
        *find_packages(include=["gpuscale", "gpuscale.*"]),
        "gpuscale.kernels",
        *(f"gpuscale.kernels.{name}" for name in find_packages("kernels")),
    ],
)
