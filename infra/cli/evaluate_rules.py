"""`yekta evaluate rules`: every signal and every candidate's outcome, from files, with exactly the code that runs live.

$ yekta evaluate rules --rules rules.yaml --policy policy.yaml --events events.jsonl
"""

import gc
import sys
import zlib
from collections.abc import Sequence
from lzma import LZMAError
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Never

from msgspec import MsgspecError

from aggregates.written.problem import Problem
from infra.errors import Refusal

if TYPE_CHECKING:
    from infra.evaluation.rules.events import Events
    from infra.evaluation.rules.run import Evaluation

SHOWN = 20


def rules(
    *,
    rules: Path,
    events: Path,
    policy: Path | None = None,
    salt: str = "",
    lang: Literal["en", "fa"] = "en",
    json: bool = False,
) -> None:
    """Run rules over a file of events and say every signal and what became of every contact.

    Parameters
    ----------
    rules
        The rules, YAML or JSON: one, or a list.
    events
        CloudEvents, one JSON object a line or one array of them, packed or not, in the order in which they arrived. When each was recorded
        is in `yektarecordedtime`, else it is the event's own time.
    policy
        The contact policy, YAML or JSON; without one only consent binds.
    salt
        By which hold-outs are drawn.
    lang
        The language in which mistakes in the rules are told.
    json
        Signals and outcomes as one JSON object, for programs.
    """
    from aggregates.contact_policy import reading as policies
    from aggregates.contact_policy.policy import DEFAULT
    from aggregates.rules import reading
    from infra.evaluation.files import unpacked
    from infra.evaluation.rules.events import Events, lines
    from infra.evaluation.rules.run import Evaluation

    in_force = DEFAULT
    if policy is not None:
        read_policy = policies.read(_text(policy))
        in_force = read_policy.policy or _refuse(policy, read_policy.problems, lang)
        for hint in read_policy.hints:
            print(f"{policy}: {hint.text(lang)}", file=sys.stderr)
    read = reading.read(_text(rules), in_force.zone)
    if read.problems:
        _refuse(rules, read.problems, lang)
    for hint in read.hints:
        print(f"{rules}: {hint.text(lang)}", file=sys.stderr)
    evaluation = Evaluation(read.rules, in_force, salt)
    told = Events()
    gc.disable()  # nothing that is made here refers to itself, and looking for it costs a third of the time
    try:
        with unpacked(events) as (_, file):
            for arrived in told.read(lines(file)):
                evaluation.take(arrived)
        evaluation.reach(told.repeated)
        evaluation.finish()
    except (OSError, EOFError, zlib.error, LZMAError, MsgspecError) as error:
        raise Refusal(f"{events} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    finally:
        gc.enable()
    if told.problems and not told.count:
        number, why = told.problems[0]
        raise Refusal(f"No event of {events} can be read; line {number}: {why.rstrip('.')}.", "Write one CloudEvent as JSON a line.")
    _show(evaluation, told, as_json=json)


def _show(evaluation: "Evaluation", told: "Events", *, as_json: bool) -> None:
    import msgspec
    from rich.console import Console

    from infra.evaluation.rules.told import plain, table

    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(plain(evaluation)) + b"\n")
        sys.stdout.buffer.flush()
    else:
        Console(soft_wrap=True).print(table(evaluation))
        print(f"{told.count:,} events")
    for number, why in told.problems[:SHOWN]:
        print(f"line {number} was left out: {why}", file=sys.stderr)
    if len(told.problems) > SHOWN:
        print(f"and {len(told.problems) - SHOWN:,} more", file=sys.stderr)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Refusal(f"{path} is not UTF-8 at byte {error.start}.") from error


def _refuse(path: Path, problems: Sequence[Problem], lang: Literal["en", "fa"]) -> Never:
    raise Refusal("\n".join([f"{path} cannot be used.", *(problem.text(lang) for problem in problems)]))
