"""Makes the table's rows of what was sampled: medians of the rounds, and ratios of what was measured in the same round.

Reading order: Samples, rows, then one function a group.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from statistics import median

from msgspec.structs import replace

from infra.bench import desks, ruling
from infra.bench.bursts import RULES, Burst
from infra.bench.desks import Desks
from infra.bench.doors import SIZES, Taken
from infra.bench.growth import Step
from infra.bench.reading import Latency, Reads
from infra.bench.report import Ratio, Row
from infra.bench.scoring import Learning
from infra.bench.throughput import Pass
from infra.bench.usage import KAFKA, POSTGRES, Cost
from infra.bench.visible import Seen

PASSES = {
    "floor": "bare floor: consume, decode, timeline with dedupe, view, position",
    "resolve": "resolve: whose is it, receipt, publish",
    "customer": "customer: timeline, fold, view, position",
    "end-to-end": "end to end: both hops, two workers",
    "quix": "Quix Streams twin: its state, its PostgreSQL sink",
}


@dataclass(slots=True)
class Samples:
    """What the rounds gave, in their order."""

    passes: dict[str, list[Pass]] = field(default_factory=dict)
    taken: dict[str, list[Taken]] = field(default_factory=dict)
    learning: list[Learning] = field(default_factory=list)
    reads: list[Reads] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    merging: list[Seen] = field(default_factory=list)  # the same while people are joined and merged
    pending: int = 0  # timers that waited
    received: list[Seen] = field(default_factory=list)
    burst: Burst | None = None
    desks: list[Desks] = field(default_factory=list)
    capacity: float = 0.0  # events a second that the whole installation keeps up with, door included
    steps: list[Step] = field(default_factory=list)
    split: tuple[int, float] | None = None  # events, seconds
    memory: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, one: Pass) -> None:
        """One more pass over a backlog."""
        self.passes.setdefault(name, []).append(one)

    def take(self, name: str, one: Taken) -> None:
        """One more load on a door."""
        self.taken.setdefault(name, []).append(one)


def rows(samples: Samples) -> list[Row]:
    """All rows, in the order of the table."""
    return [
        *_throughput(samples),
        *_ruled(samples),
        *_scored(samples),
        *_pending(samples),
        *_doors(samples),
        *_reads(samples.reads),
        *_seen("visible", "POST until in the view, at half load", samples.seen, samples.capacity, 500.0),
        *_seen("merging", "POST until in the view, 5 % join and 0.5 % merge beside it", samples.merging, samples.capacity, 500.0),
        *_seen("webhook", "POST until a webhook has its signal, at half load", samples.received, samples.capacity, 1000.0, 150.0),
        *_burst(samples.burst),
        *_desks(samples.desks),
        *_identity(samples),
        *_growth(samples.steps),
        *starmap(_memory, samples.memory.items()),
    ]


def _throughput(samples: Samples) -> Iterable[Row]:
    floor = samples.passes.get("floor", [])
    for name, what in PASSES.items():
        if name in samples.skipped:
            yield Row(name, what, "throughput", skipped=samples.skipped[name])
        elif passes := samples.passes.get(name):
            against = [] if name == "floor" or not floor else _against("floor", passes, floor, 0.5 if name == "end-to-end" else None)
            yield _pass(name, what, "throughput", passes, against)


def _ruled(samples: Samples) -> Iterable[Row]:
    none = samples.passes.get("rules-0")
    if none:
        yield _pass("rules-0", "customer, no rules in force", "rules", none, [])
        for count, at_least in ruling.LIMITS.items():
            passes = samples.passes[f"rules-{count}"]
            yield _pass(f"rules-{count}", f"customer, {count} rules in force", "rules", passes, _against("rules-0", passes, none, at_least))


def _scored(samples: Samples) -> Iterable[Row]:
    none, scored, again = (samples.passes.get(name) for name in ("churn-none", "churn", "churn-again"))
    if not none or not scored or not again:
        return
    yield _pass("churn-none", "customer, nobody is scored", "churn", none, [])
    against = _against("churn-none", scored, none, 0.87)
    yield _pass("churn", "customer, every fact is scored, given and remembered", "churn", scored, against)
    known, after = samples.passes["churn-none-known"], samples.passes["churn-known"]
    yield _pass("churn-none-known", "the next events of the same, nobody is scored", "churn", known, [])
    yield _pass(
        "churn-known",
        "the next events, every fact is scored; scores come back",
        "churn",
        after,
        _against("churn-none-known", after, known, 0.87),
    )
    learnt = [one.load for one in samples.learning]
    enough = Ratio("10,000 examples/s", "rate", median(one.rate for one in learnt) / 10_000, at_least=1.0)
    features = samples.learning[-1].features
    yield _pass("learner", f"the learner, seven experts on {features} features, examples", "churn", learnt, [enough])
    # What two cores have in three minutes, whoever works in them: 360 seconds, or 360 µs for each of a million.
    cost = _median([one.cost for one in again]).total
    spared = [Ratio("10⁶ in 3 minutes on 2 cores", "cpu", 360.0 / cost, at_least=1.0)] if cost else []
    yield _pass("churn-again", "a new champion scores everybody anew, customers", "churn", again, spared)
    yield _held("churn-again-memory", "memory: who scores everybody anew, customers", samples, "churn-again")
    yield _held("churn-examples", "memory: the learner, examples that all wait for their labels", samples, "churn-examples")


def _held(name: str, what: str, samples: Samples, of: str) -> Row:
    """The memory that is needed for so many, against that for a quarter of them."""
    most, few = samples.passes[of][0], samples.passes[f"{of}-few"][0]
    flat = Ratio("a quarter of them", "memory", most.peak / few.peak, at_most=1.25)
    return Row(name, what, "churn", events=most.events, rate=most.rate, rss_mb=most.peak, ratios=[flat])


def _pending(samples: Samples) -> Iterable[Row]:
    if some := samples.passes.get("timers-pending"):
        what = f"customer, {RULES} rules in force, {samples.pending:,} timers wait"
        against = _against(f"rules-{RULES}", some, samples.passes[f"rules-{RULES}"], 0.95)
        yield _pass("timers-pending", what, "rules", some, against)


def _doors(samples: Samples) -> Iterable[Row]:
    for size in SIZES:
        ours, bare = samples.taken.get(f"door-{size}"), samples.taken.get(f"bare-door-{size}")
        if not ours or not bare:
            continue
        loads, bare_loads = [one.load for one in ours], [one.load for one in bare]
        against = _against(f"bare-door-{size}", loads, bare_loads, 0.5 if size == max(SIZES) else None)
        for name, what, taken, ratios in (
            (f"bare-door-{size}", f"bare door, batch {size}", bare, []),
            (f"door-{size}", f"door, batch {size}: check, seal, append", ours, against),
        ):
            p50, p99 = median(one.p50 for one in taken), median(one.p99 for one in taken)
            yield _pass(name, what, "door", [one.load for one in taken], ratios, p50, p99)
        if segment := samples.taken.get(f"segment-door-{size}"):
            beside = _against(f"door-{size}", [one.load for one in segment], loads, 0.85 if size == max(SIZES) else None)
            p50, p99 = median(one.p50 for one in segment), median(one.p99 for one in segment)
            what = f"door for the Segment dialect, batch {size}"
            yield _pass(f"segment-door-{size}", what, "door", [one.load for one in segment], beside, p50, p99)


def _reads(reads: Sequence[Reads]) -> Iterable[Row]:
    if not reads:
        return
    yield _latency("select", "bare SELECT of a view's row", "view", [one.select for one in reads])
    yield _latency("nothing", "HTTP request for nothing", "view", [one.nothing for one in reads])
    ratio = median(one.view.p50 / (one.select.p50 + one.nothing.p50) for one in reads)
    against = [Ratio("select + nothing", "latency", ratio, at_most=2.0)]
    yield _latency("view", "GET /v1/customers/{id}", "view", [one.view for one in reads], against)


def _seen(name: str, what: str, seen: Sequence[Seen], capacity: float, p99: float, p50: float | None = None) -> Iterable[Row]:
    if seen:
        loads = [one.load for one in seen]
        yield Row(
            name,
            what,
            name,
            events=seen[0].latency.count,
            rate=median(loads),
            rates=loads,
            p50_ms=median(one.latency.p50 for one in seen),
            p99_ms=median(one.latency.p99 for one in seen),
            at_most_ms=p99,
            p50_at_most_ms=p50,
            note=f"events are probes, the rate is the load beside them; {capacity:,.0f} events/s is the full load, door included",
        )


def _burst(burst: Burst | None) -> Iterable[Row]:
    if burst is None:
        return
    least, most = (f"{pick(burst.tenths):.0%}" for pick in (min, max))
    note = f"in each tenth of {burst.seconds:.1f} s between {least} and {most} of them went"
    what = f"{burst.timers:,} timers due at once, until their signals are given"
    yield Row("burst", what, "burst", events=burst.timers, rate=burst.timers / burst.seconds, note=note)
    live = burst.live
    yield Row(
        "burst-live",
        "POST until in the view meanwhile, at a quarter of the load",
        "burst",
        events=live.latency.count,
        rate=live.load,
        p50_ms=live.latency.p50,
        p99_ms=live.latency.p99,
        at_most_ms=1000.0,
    )


def _desks(samples: Sequence[Desks]) -> Iterable[Row]:
    if not samples:
        return
    open_, loads = samples[0].open, [one.load for one in samples]
    p50, p99 = (median(getattr(one.ring, name) for one in samples) for name in ("p50", "p99"))
    note = f"p95 {median(one.ring_p95 for one in samples):.0f} ms"
    what = f"a ring until the caller's page is here, {open_} desks open, half load"
    events = samples[0].ring.count
    yield Row("ring", what, "desk", events=events, rate=median(loads), rates=loads, p50_ms=p50, p99_ms=p99, at_most_ms=2000.0, note=note)
    page = _latency("page", f"a customer's page on the desk, {open_} desks open, half load", "desk", [one.page for one in samples])
    yield replace(page, note=desks.summary(samples))
    each = max(one.kilobytes for one in samples)  # later rounds find what the first has left
    yield Row("desk-memory", "memory: the API for one open desk", "desk", memory_mb=each / 1024, note=f"{each:.0f} kB")


def _identity(samples: Samples) -> Iterable[Row]:
    plain, joining = samples.passes.get("identity-plain"), samples.passes.get("identity")
    if plain and joining:
        yield _pass("identity-plain", "resolve, nobody is joined", "identity", plain, [])
        against = _against("identity-plain", joining, plain, 0.7)
        yield _pass("identity", "resolve, 5 % join and 0.5 % merge", "identity", joining, against)
    if samples.split is not None:
        events, seconds = samples.split
        what = f"a split of a customer with {events:,} events, until in the views"
        yield Row("split", what, "identity", events=events, p50_ms=seconds * 1000, p99_ms=seconds * 1000, at_most_ms=2000.0)


def _growth(steps: Sequence[Step]) -> Iterable[Row]:
    for before, step in zip([None, *steps], steps, strict=False):
        ratios = [] if before is None else [Ratio(_size(before), "cpu", before.load.cost.total / step.load.cost.total, at_least=0.8)]
        yield _pass(_size(step), f"end to end, {step.size:,} events in the store", "growth", [step.load], ratios)


def _size(step: Step) -> str:
    return f"store-{step.size}"


def _memory(name: str, sizes: tuple[float, float]) -> Row:
    rss, shared_once = sizes
    what = {KAFKA: "Kafka", POSTGRES: "PostgreSQL, all its processes"}.get(name, name)
    return Row(f"memory-{name}", f"memory: {what}", "memory", rss_mb=rss, memory_mb=shared_once)


def _pass(
    name: str,
    what: str,
    group: str,
    passes: Sequence[Pass],
    ratios: list[Ratio],
    p50: float | None = None,
    p99: float | None = None,
) -> Row:
    rates = [one.rate for one in passes]
    return Row(
        name,
        what,
        group,
        events=passes[0].events,
        rate=median(rates),
        rates=rates,
        p50_ms=p50,
        p99_ms=p99,
        cpu_us=_median([one.cost for one in passes]),
        ratios=ratios,
    )


def _latency(name: str, what: str, group: str, latencies: Sequence[Latency], ratios: Sequence[Ratio] = ()) -> Row:
    p50, p99 = median(one.p50 for one in latencies), median(one.p99 for one in latencies)
    return Row(name, what, group, events=latencies[0].count, p50_ms=p50, p99_ms=p99, ratios=list(ratios))


def _against(name: str, ours: Sequence[Pass], others: Sequence[Pass], target: float | None) -> list[Ratio]:
    """How many events we take while the other takes one; and how many for the same CPU time, which is what a shared machine cannot blur."""
    pairs = list(zip(ours, others, strict=True))
    ratios = [Ratio(name, "rate", median(one.rate / other.rate for one, other in pairs), at_least=target)]
    # The kernel counts CPU time in hundredths of a second: what took less of it has no ratio.
    if costs := [other.cost.total / one.cost.total for one, other in pairs if one.cost.total]:
        ratios.append(Ratio(name, "cpu", median(costs)))
    return ratios


def _median(costs: Sequence[Cost]) -> Cost:
    def of(part: Callable[[Cost], float | None]) -> float | None:
        known = [value for cost in costs if (value := part(cost)) is not None]
        return median(known) if known else None

    return Cost(of(lambda cost: cost.processes), of(lambda cost: cost.postgres), of(lambda cost: cost.kafka))
