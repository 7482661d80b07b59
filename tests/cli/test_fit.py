"""`restock fit`: what it writes can be used at once, and Ctrl-C keeps the best so far."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import numpy as np
import pytest
import yaml

import restock
from tests.cli.running import COMMAND, environment, run

FIT = ("fit", "serial", "s-S", "--episodes", "8", "--budget", "120", "--set", "batches=20", "--set", "multiples=0.7")


def test_words_and_document_say_the_same(tmp_path):
    out = tmp_path / "found.yaml"
    ran = run(*FIT, "--out", str(out), "--json", "--quiet")
    found = restock.fit("serial", "s-S", episodes=8, budget=120, batches=20, multiples=0.7)
    assert ran.code == 0
    assert ran.document["parameters"] == found.parameters == yaml.safe_load(out.read_text())
    assert ran.document["in_sample"]["mean"] == found.in_sample.mean
    assert ran.document["held_out"]["mean"] == pytest.approx(found.held_out.mean)
    words = run(*FIT, "--quiet").out
    assert "s-S (blind) on serial" in words and f"{found.in_sample.mean:,.0f}" in words
    assert f"multiples: {json.dumps(found.parameters['multiples'])}".replace(" ", "") in "".join(words.split())


def test_the_file_is_what_other_commands_read(tmp_path):
    out = tmp_path / "found.yaml"
    assert run(*FIT, "--information", "informed", "--out", str(out)).code == 0
    parameters = yaml.safe_load(out.read_text())
    ran = run("simulate", "serial", f"s-S:@{out}", "-n", "3", "--json")
    by_hand = restock.simulate("serial", restock.make_policy("s-S", "serial", **parameters), episodes=3)
    assert ran.document["information"] == "informed"
    assert ran.document["kpis"]["profit"]["mean"] == pytest.approx(by_hand.profit.mean())
    again = run("simulate", "serial", "s-S", "--set", f"@{out}", "-n", "3", "--json")
    assert again.document["kpis"] == ran.document["kpis"]
    twice = run("simulate", "serial", f"s-S:@{out},batches=2", "-n", "3")
    assert twice.code == 2 and "this parameter is given twice" in twice.err
    assert run("simulate", "serial", f"s-S:@{tmp_path / 'none.yaml'}").code == 2


def test_everything_as_json(tmp_path):
    out = tmp_path / "found.json"
    assert run(*FIT, "--out", str(out), "--quiet").code == 0
    document = json.loads(out.read_text())
    assert document["policy"] == "s-S" and document["finished"] is True and document["evaluations"] <= 120
    assert set(document["start"]) == {"mean", "low", "high"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fit", "serial", "random"), "policy = 'random': it has no parameters to fit."),
        (("fit", "serial", "s-S", "--tune", "level"), "tune = 'level': s-S cannot be tuned in that."),
        (("fit", "serial", "s-S", "--budget", "0"), "budget = 0: must be an integer >= 1."),
        (("fit", "serial", "s-S", "--set", "seed=3"), "seed = 3: s-S has no such parameter."),
        (("fit", "serial", "s-S", "--information", "all"), "information = 'all': s-S decides on these levels:"),
        (
            ("fit", "serial", "s-S", "--out", "found.txt"),
            "--out = 'found.txt': the ending says in which form to write.",
        ),
    ],
)
def test_bad_input(arguments, said):
    ran = run(*arguments)
    assert ran.code == 2 and said in ran.err and ran.out == ""


def test_ctrl_c_keeps_the_best_so_far(tmp_path):
    out = tmp_path / "found.yaml"
    arguments = ["fit", "divergent", "echelon-base-stock", "--budget", "1000000", "--episodes", "64", "--out", str(out)]
    code = (
        "import sys\n"
        "from restock.evaluation.search import Search\n"
        "first = Search._evolve\n"
        "def told(self, *rest):\n"
        "    print('searching', file=sys.stderr, flush=True)\n"
        "    return first(self, *rest)\n"
        "Search._evolve = told\n"
        f"sys.argv = ['restock', *{arguments!r}, '--json', '--quiet']\n"
        "from restock.cli.main import main\n"
        "main()\n"
    )
    running = subprocess.Popen(
        [COMMAND[0], "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    try:
        assert running.stderr is not None and running.stderr.readline() == "searching\n"
        time.sleep(3.0)
        running.send_signal(signal.SIGINT)
        said, told = running.communicate(timeout=120)
    finally:
        running.kill()
    assert running.returncode == 0, told
    document = json.loads(said)
    assert document["finished"] is False and document["evaluations"] >= 1
    assert document["parameters"] == yaml.safe_load(out.read_text())
    assert document["in_sample"]["mean"] >= document["start"]["mean"]
    assert np.isfinite(document["held_out"]["mean"])
