"""What the code knows of a policy, for its page: `{policy-facts} base-stock`, `{policy-parameters}`, `{policies}`."""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import restock
from restock.policies.registry import policy_class


class Facts(SphinxDirective):
    """Name, class, levels and summary of a policy."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A table of two columns."""
        name = self.arguments[0]
        kind = policy_class(name)
        rows = {
            "in one line": kind.summary,
            "name": f'`restock.make_policy("{name}", problem)`',
            "may know": ", ".join(f"[{level}](/background/information.md)" for level in kind.may_know),
            "class": f"{{py:class}}`~{kind.__module__}.{kind.__qualname__}`",
        }
        lines = ["| | |", "|---|---|", *(f"| {label} | {text} |" for label, text in rows.items())]
        return self.parse_text_to_nodes("\n".join(lines))


class Parameters(SphinxDirective):
    """Parameters of a policy, with defaults, from its docstring."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A table, or a sentence where there is nothing to set."""
        rows = parameters(policy_class(self.arguments[0]))
        if not rows:
            return self.parse_text_to_nodes("None: it is made from the problem alone.")
        lines = ["| parameter | default | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | `{default}` | {meaning} |" for name, default, meaning in rows]
        return self.parse_text_to_nodes("\n".join(lines))


class Policies(SphinxDirective):
    """All policies, with what each may know."""

    def run(self) -> list[nodes.Node]:
        """A table with links to the pages."""
        lines = ["| policy | may know | in one line |", "|---|---|---|"]
        for name in restock.list_policies():
            kind = policy_class(name)
            lines.append(f"| [{name}](/reference/policies/{name}.md) | {', '.join(kind.may_know)} | {kind.summary} |")
        return self.parse_text_to_nodes("\n".join(lines))


def parameters(kind: type[Any]) -> list[tuple[str, str, str]]:
    """Name, default and meaning of each parameter but the problem."""
    meanings: dict[str, str] = {}
    _, _, section = (inspect.getdoc(kind) or "").partition("Args:\n")
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        entry = re.match(r" {4}\**(\w+): (.*)", line)
        if entry:
            name, meanings[entry[1]] = entry[1], entry[2]
        elif line.strip():
            meanings[name] += " " + line.strip()
    given = inspect.signature(kind).parameters
    return [
        (name, "required" if given[name].default is inspect.Parameter.empty else repr(given[name].default), meaning)
        for name, meaning in meanings.items()
        if name != "problem"
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("policy-facts", Facts)
    app.add_directive("policy-parameters", Parameters)
    app.add_directive("policies", Policies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
