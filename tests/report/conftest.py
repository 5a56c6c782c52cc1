"""Results folders for the tests of the report."""

from collections.abc import Callable

import pytest
from fake_results import Fake, build_results


@pytest.fixture(scope="session")
def make_results(tmp_path_factory) -> Callable[..., Fake]:
    def make(n_masters: int, **hostile: str) -> Fake:
        return build_results(tmp_path_factory.mktemp("run"), n_masters, **hostile)

    return make


@pytest.fixture(scope="session")
def fake(make_results) -> Fake:
    return make_results(20)
