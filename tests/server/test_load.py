"""Sessions at once: each plays the episode that it would play alone."""

from __future__ import annotations

from benchmarks.bench_server import TASKS, disturbed, soak
from tests.server.serving import Running

SESSIONS, SECONDS = 8, 2.0


def test_sessions_do_not_disturb_each_other(server: Running) -> None:
    before = len(server.hub.sessions)
    found = soak(server.url, SESSIONS, SECONDS)
    assert len(found) == SESSIONS and {one.task for one in found} == set(TASKS)
    assert sum(one.errors for one in found) == 0 and disturbed(found, "decomposed") == 0
    assert all(len(one.told) > 20 for one in found)
    assert disturbed([found[0]._replace(seed=found[0].seed + 1)], "decomposed") == 1  # another episode is noticed
    assert len(server.hub.sessions) <= before + SESSIONS
