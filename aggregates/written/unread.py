"""Says of a text that is no YAML what a person who wrote it has to mend. Reading order: why."""

import re

import yaml

from aggregates.written.problem import Problem

_OPENED = {"while parsing a flow mapping": "{", "while parsing a flow sequence": "["}
_NAMED = {"while scanning an alias": "*", "while scanning an anchor": "&"}
_CHARACTER = re.compile(r"found character '(.+)' that cannot start any token|expected the node content, but found '(.+)'")


def why(error: yaml.YAMLError) -> Problem:
    """What the parser (PyYAML 6, whose sentences are English) stumbled over, and in which line."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(1, "", "unreadable")
    mark, problem, context = error.problem_mark or error.context_mark, error.problem or "", error.context or ""
    line = mark.line + 1 if mark else 1
    began = {"from": str(error.context_mark.line + 1)} if error.context_mark else {}
    if context in _OPENED and began:
        return Problem(line, "", "not_closed", {"mark": _OPENED[context], **began})
    if context == "while scanning a quoted scalar" and began:
        return Problem(line, "", "quote_not_closed", began)
    if problem.startswith("mapping values are not allowed"):
        return Problem(line, "", "colon_astray")
    if "'\\t'" in problem or "'\t'" in problem:
        return Problem(line, "", "tabs")
    if context in _NAMED or problem.startswith("found undefined alias"):
        return Problem(line, "", "character_astray", {"mark": _NAMED.get(context, "*")})
    if (found := _CHARACTER.match(problem)) is not None:
        return Problem(line, "", "character_astray", {"mark": found[1] or found[2]})
    if problem.startswith(("expected <block end>", "sequence entries are not allowed")):
        return Problem(line, "", "line_astray")
    return Problem(line, "", "unreadable")
