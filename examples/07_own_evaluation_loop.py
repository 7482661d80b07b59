"""Evaluate language models with a loop of your own: a model is any function from messages to text.

    python examples/07_own_evaluation_loop.py

For a model behind an endpoint, `ask` is one line of its client, such as

    lambda messages: client.chat.completions.create(model="...", messages=messages).choices[0].message.content
"""

from __future__ import annotations

import json
from collections.abc import Callable

import restock
from restock.agents import Seat, again, parse, system_prompt, turn, went_wrong
from restock.agents.standins.speakers import speaker

Messages = list[dict[str, str]]


def play(ask: Callable[[Messages], str], task: str, seed: int, tries: int = 3, history: int = 7) -> tuple[float, int]:
    """Let a model play an episode; what it earned, and in how many periods no reply of it could be used."""
    seat, past, unused = Seat(task), [], 0
    system = {"role": "system", "content": system_prompt(seat.problem.prior())}
    seen, note = seat.reset(seed), None
    while not seat.done:
        asked = {"role": "user", "content": turn(seen, note)}
        said = [asked]
        for _ in range(tries):
            reply = ask([system, *past[-2 * history :], *said])
            try:
                action, _ = parse(reply)
                seen = seat.step(action)
                break
            except restock.InvalidInput as error:  # nothing has happened: tell it why, and ask again
                said += [{"role": "assistant", "content": reply}, {"role": "user", "content": again(error)}]
        else:
            unused += 1
            reply = json.dumps(seat.nothing())
            seen = seat.step(seat.nothing())
        past += [asked, {"role": "assistant", "content": reply}]
        note = went_wrong(seat.faults())
    return seat.earned, unused


# Models of three lines, and one that follows a policy: put yours in their place. -----------------------------

TASK, SEEDS = "serial", [1, 2, 3]
rule = speaker("stand-in:base-stock", restock.load_problem(TASK))
models: dict[str, Callable[[Messages], str]] = {
    "follows base-stock": lambda messages: str(rule.speak(messages, ())),
    "always orders 12": lambda messages: json.dumps({"orders": {"2->1": 12, "3->2": 12, "4->3": 12}}),
    "cannot count": lambda messages: "I would order a dozen of everything.",
}
for name, ask in models.items():
    played = [play(ask, TASK, seed) for seed in SEEDS]
    mean = sum(earned for earned, _ in played) / len(played)
    print(f"{name:20} {mean:7.1f}   periods without a reply of use: {sum(unused for _, unused in played)}")
for policy in ("base-stock", "hindsight"):  # on the same episodes
    print(f"{policy:20} {restock.simulate(TASK, policy, seeds=SEEDS).profit.mean():7.1f}")
