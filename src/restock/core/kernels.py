"""The loops around a text of dynamics, written once for all problems.

These functions are templates. `restock.core.backends` binds the names `unpack`, `decide`, `step`,
`ends`, `observe`, `monitor`, `totals`, `put` and `act` to a problem's own functions and compiles the result;
none of them runs as it stands here. A world is what `unpack` makes of the packed arrays: the
tables, state, exogenous information and flows that `step` takes after t.

A row of memory is [recorded | hidden state | episode]: what a trajectory keeps each period, what
only the dynamics need, and what is fixed or drawn before the episode. The integer tables begin with
the lengths of a row, of its recorded part, of an action and of an observation.
"""

# mypy: ignore-errors
# ruff: noqa: F821
from __future__ import annotations


def single(t, handle, action):
    """Play one period of one environment and return the reward.

    `action` is the numbers of an action, or the number itself where there is but one.
    `handle` is the address of ten integers: address and length of the integer tables, the real
    tables, the memory and the observations (passing arrays would cost more than playing the period);
    then, written here, how the episode ended with this period (see `Texts.ends`); last the address of
    the highest choice of each number of an action, 0 where actions are no choices.
    The memory holds the environment's row and, behind it, T + 1 lines of [recorded | monitored | parts | reward];
    the observations are T + 1 lines of float32.
    NaN says that the action was not finite or no choice that there is, and that nothing was changed.
    With t = -1 nothing is played: line 0 is recorded, its parts zero, and the first observation written.
    """
    where = ints_at(handle, 10)
    ints = ints_at(where[0], where[1])
    floats = floats_at(where[2], where[3])
    memory = floats_at(where[4], where[5])
    world = unpack(ints, floats, memory)
    reward = 0.0
    if t >= 0:
        numbers = entries(action)
        for i in range(len(numbers)):
            if not isfinite(numbers[i]):
                return NAN
        if where[9] != 0:
            highest = floats_at(where[9], len(numbers))
            for i in range(len(numbers)):
                if numbers[i] < 0 or numbers[i] > highest[i] or numbers[i] != int(numbers[i]):
                    return NAN
        decide(numbers, ints, floats, *world)
        reward = step(t, *world)
        where[8] = ends(t, *world)
    parts = totals(t, *world)
    told = monitor(t, *world) + parts
    recorded = ints[1]
    end = ints[0] + (t + 2) * (recorded + len(told) + 1) - 1
    line = cut(memory, end - len(told) - recorded, recorded)
    for k in range(recorded):
        line[k] = memory[k]
    line = cut(memory, end - len(told), len(told) + 1)
    for k in range(len(told)):
        line[k] = told[k]
    if t < 0:
        for k in range(len(told) - len(parts), len(told)):
            line[k] = 0.0
    line[len(told)] = reward
    size = ints[3]
    observe(t + 1, cut(singles_at(where[6], where[7]), (t + 1) * size, size), ints, floats, *world)
    return reward


def batch(handle, actions, obs, told, flags):
    """Play one period of every row that is not over; the others only show their observation.

    `handle` is the address of twelve integers: address and length of the integer tables and of the
    real tables, the number of rows, the horizon, the addresses of the memory, of the clocks and of
    what says which rows are over, and of the record of shape (rows, T + 1, recorded) and the rewards
    of shape (rows, T) in which every period is kept; 0 for these two keeps nothing; last the address of
    the highest choice of each number of an action, 0 where actions are no choices.

    Writes for each row the observation (`obs` is in C order); into `told` of shape (M + P + 1, rows) what is
    monitored, the parts of the reward and, last, the reward itself (both 0 for a row that was over); and into
    `flags` of shape (3, rows) whether its episode was terminated, whether it was truncated, and true, for every row
    is told of. Returns how many episodes ended, or -1 if an action is not finite or no choice that there is (nothing
    was changed then).
    """
    where = ints_at(handle, 12)
    ints = ints_at(where[0], where[1])
    floats = floats_at(where[2], where[3])
    rows = where[4]
    horizon = where[5]
    width = ints[0]
    recorded = ints[1]
    decisions = actions.shape[1]
    size = ints[3]
    memory = floats_at(where[6], rows * width)
    clock = ints_at(where[7], rows)
    over = flags_at(where[8], rows)
    record = floats_at(where[9], rows * (horizon + 1) * recorded)
    returns = floats_at(where[10], rows * horizon)
    for b in range(rows):
        if over[b] == 0:
            for i in range(decisions):
                if not isfinite(actions[b, i]):
                    return -1
    if where[11] != 0:
        highest = floats_at(where[11], decisions)
        for b in range(rows):
            if over[b] == 0:
                for i in range(decisions):
                    asked = actions[b, i]
                    if asked < 0 or asked > highest[i] or asked != int(asked):
                        return -1
    count = 0
    last = len(told) - 1
    for b in range(rows):
        row = cut(memory, b * width, width)
        world = unpack(ints, floats, row)
        t = clock[b]
        flags[0, b] = False
        flags[1, b] = False
        flags[2, b] = True
        if over[b]:
            parts = totals(t - 1, *world)
            found = monitor(t - 1, *world) + parts
            for k in range(last - len(parts)):
                told[k, b] = found[k]
            for k in range(last - len(parts), last + 1):
                told[k, b] = 0.0
            over[b] = 0
        else:
            decide(actions[b], ints, floats, *world)
            reward = step(t, *world)
            found = monitor(t, *world) + totals(t, *world)
            for k in range(last):
                told[k, b] = found[k]
            told[last, b] = reward
            ending = ends(t, *world)
            t = t + 1
            clock[b] = t
            if t >= horizon and ending == 0:
                ending = 2  # the caller cuts episodes before their end
            if ending > 0:
                flags[0, b] = ending != 2
                flags[1, b] = ending >= 2
                over[b] = 1
                count = count + 1
            if where[9] != 0:
                returns[b * horizon + t - 1] = reward
                line = cut(record, (b * (horizon + 1) + t) * recorded, recorded)
                for k in range(recorded):
                    line[k] = row[k]
        observe(t, cut(obs, b * size, size), ints, floats, *world)
    return count


def advance(t, ints, floats, memory, record, orders, rewards, lengths, over):
    """Play period t of every row that is not over with given decisions, and record it; no observation.

    Writes how many periods each row has played, and which are over; those keep their last record.
    """
    for b in range(len(memory)):
        if over[b] == 0:
            world = unpack(ints, floats, memory[b])
            put(orders[b], *world)
            rewards[b, t] = step(t, *world)
            lengths[b] = t + 1
            if ends(t, *world) > 0:
                over[b] = 1
        for k in range(record.shape[2]):
            record[b, t + 1, k] = memory[b, k]


def shown(t, ints, floats, memory, obs):
    """Return what every row shows at the start of period t."""
    for b in range(len(memory)):
        observe(t, obs[b], ints, floats, *unpack(ints, floats, memory[b]))


def decided(ints, floats, memory, actions):
    """Return the decision that each row's action asks for, written into the row."""
    for b in range(len(memory)):
        decide(actions[b], ints, floats, *unpack(ints, floats, memory[b]))


def rollout(horizon, ints, floats, fresh, given, memory, episodes, parameters, rewards, record, lengths):
    """Play whole episodes with a policy inside: row b meets episodes[b]; `memory` is scratch space.

    `given` is how many numbers of an episode stand for the first ones of a row. A row whose episode
    ends early keeps its last record, and earns nothing any more.
    """
    width = len(fresh)
    drawn = episodes.shape[1]
    keep = len(record) > 0
    for b in range(len(rewards)):
        for k in range(width - drawn):
            memory[k] = fresh[k]
        for k in range(drawn):
            memory[width - drawn + k] = episodes[b, k]
        for k in range(given):
            memory[k] = episodes[b, k]
        world = unpack(ints, floats, memory)
        if keep:
            for k in range(record.shape[2]):
                record[b, 0, k] = memory[k]
        lengths[b] = horizon
        for t in range(horizon):
            if t < lengths[b]:
                act(t, parameters, *world)
                rewards[b, t] = step(t, *world)
                if ends(t, *world) > 0:
                    lengths[b] = t + 1
            else:
                rewards[b, t] = 0.0
            if keep:
                for k in range(record.shape[2]):
                    record[b, t + 1, k] = memory[k]


def parted(ints, floats, memory, record, episodes, lengths, parts):
    """The parts of the reward, summed over each episode: row b was recorded under episodes[b] for lengths[b] periods.

    `memory` is scratch space: of the state that is not recorded nothing is known, and no part asks for it.
    """
    drawn = episodes.shape[1]
    first = len(memory) - drawn
    for k in range(first):
        memory[k] = 0.0
    for b in range(len(episodes)):
        for k in range(drawn):
            memory[first + k] = episodes[b, k]
        world = unpack(ints, floats, memory)
        for k in range(parts.shape[1]):
            parts[b, k] = 0.0
        for t in range(lengths[b]):
            for k in range(record.shape[2]):
                memory[k] = record[b, t, k]
            found = totals(t, *world)
            for k in range(parts.shape[1]):
                parts[b, k] = parts[b, k] + found[k]
