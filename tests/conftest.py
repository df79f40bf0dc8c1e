"""What every test may rely on: a clean environment, no way out of this machine, a PostgreSQL when asked for."""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres as server
from tests.crash.figures import pytest_terminal_summary  # noqa: F401  the workers do not write the summary

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

for name in [name for name in os.environ if name.startswith("HONGZHU_") and "__" in name]:
    del os.environ[name]  # settings of whoever runs the tests are not part of them


@pytest.fixture(scope="session", autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    """A test that would reach a real platform fails at once, and sends nothing."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise AssertionError(f"a test tried to leave this machine: {address}")
        connect(self, address)  # type: ignore[arg-type]

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def postgres() -> server.Postgres:
    """The server; one for all workers of a run."""
    if server.MISSING:
        pytest.skip(server.MISSING)
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    # Not under pytest's own folder: another run on this machine tidies that up while our server still lives in it.
    return server.start(Path(tempfile.gettempdir()) / f"hongzhu-postgres-{run[:12]}")


@pytest.fixture(scope="session")
def postgres_url(postgres: server.Postgres) -> str:
    """The maintenance database: ``postgresql+psycopg://...``. Tests of their own rows ask for ``fresh_database``."""
    return postgres.url


@pytest.fixture
def fresh_database(postgres: server.Postgres) -> Iterator[Callable[[], str]]:
    """``fresh_database()`` is the url of a new empty PostgreSQL database, dropped after the test."""
    made: list[str] = []

    def fresh() -> str:
        made.append(postgres.fresh_database())
        return made[-1]

    yield fresh
    for url in made:
        postgres.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The url of a new empty database: every test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        fresh: Callable[[], str] = request.getfixturevalue("fresh_database")
        return fresh()
    return f"sqlite:///{tmp_path / 'school.db'}"
