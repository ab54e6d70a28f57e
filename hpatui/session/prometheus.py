"""Asks a Prometheus for the time in which nothing was recorded, and opens what it tells like a recording.

What it tells goes into a file that is gone once it is open, so that jumps and indexes work as with any recording, and
memory does not grow with the length of the time.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hpatui.autoscaler.rules import rules_of
from hpatui.clock import Clock, SystemClock
from hpatui.errors import HpatuiError, PrometheusError, UsageError
from hpatui.model import ControllerFlags
from hpatui.prometheus.api import Api
from hpatui.prometheus.door import Door, HttpDoor
from hpatui.prometheus.past import Look, NoSamplesError, facts, last_samples, look, source_text
from hpatui.prometheus.queries import Scope
from hpatui.prometheus.translate import Decoders
from hpatui.prometheus.where import Where, where_of
from hpatui.record.meta import Meta
from hpatui.record.reader import Recording, open_recording
from hpatui.record.writer import Recorder
from hpatui.session.flags import controller_flags
from hpatui.session.joined import Joined, Span, uncovered
from hpatui.session.moments import parse_moment, parse_span
from hpatui.session.recording import OpenRecording
from hpatui.settings import Settings

SINCE = "24h"  # how far back it is asked, where nothing else is said
FURTHER = 31 * 86400.0  # seconds back in which the last samples are looked for, where there are none of late
LONGEST = 92 * 86400.0  # seconds that may be asked for
LEAST, MANY = 120.0, 50  # seconds of a gap that is worth filling, and how many gaps are
Say = Callable[[str], None]


def _silent(_text: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Wish:
    """Which time is asked for: `since` and `until` as people write them, `file`: the recording is one that somebody named."""

    since: str | None = None
    until: str | None = None
    file: bool = False


def filled(
    settings: Settings, recording: OpenRecording | None, wish: Wish, *, clock: Clock | None = None, say: Say = _silent
) -> OpenRecording:
    """The recording, with what a Prometheus tells of the time without it; without a recording that alone. Not for an event
    loop. HpatuiError where it cannot be asked.
    """
    now = (clock or SystemClock()).time()
    end = recording.meta.last if recording is not None and wish.file else now
    low, high = span_of(wish, end)
    high = min(end, high + settings.prometheus_step)  # the last moment is one of those that are asked for
    spans = [(low, high)] if recording is None else _gaps(recording, low, high)
    if not spans:
        assert recording is not None
        return recording
    try:
        other = asyncio.run(_asked(settings, recording, spans, wish, say))
    except NoSamplesError:
        if recording is None:
            raise
        return recording
    return other if recording is None else Joined(recording, other, spans)


def span_of(wish: Wish, end: float) -> Span:
    """The time that is meant, in epoch seconds. UsageError where there is none."""
    high = parse_moment(wish.until, end - LONGEST, end) if wish.until else end
    text = wish.since or SINCE
    try:
        low = high - parse_span(text)
    except UsageError:
        low = parse_moment(text, end - LONGEST, end)
    if low >= high:
        raise UsageError("nothing lies between --since and --until", hint="let --since be earlier than --until")
    if high - low > LONGEST:
        raise UsageError(
            "that is more than a Prometheus is asked for", hint=f"at most {LONGEST / 86400:.0f} days: --since 7d"
        )
    return low, high


def _gaps(recording: OpenRecording, low: float, high: float) -> list[Span]:
    """The longest times without a recording, in order."""
    spans = uncovered(recording, low, high, LEAST)
    return sorted(sorted(spans, key=lambda span: span[0] - span[1])[:MANY])


async def _asked(
    settings: Settings, recording: OpenRecording | None, spans: Sequence[Span], wish: Wish, say: Say
) -> Recording:
    where = where_of(settings, os.environ)
    door = await open_door(settings, where)
    try:
        api = Api(door, named=where.who.named)
        scope = Scope(_namespace(settings), where.match)
        known = settings.context or (recording.meta.context if recording is not None else "")
        try:
            looks = await _looks(api, scope, spans, where.step)
        except NoSamplesError:
            if recording is not None or wish.until is not None:
                raise
            looks = [await _last(api, scope, spans[0], where.step)]
        return await _written(settings, api, looks, where, known or f"Prometheus {door.host}", say)
    finally:
        await door.close()


async def open_door(settings: Settings, where: Where) -> Door:
    """The way to it: by its URL. UsageError for a Service."""
    if where.service is not None:
        raise UsageError(
            "a Prometheus is reached by its URL only, not yet through the API server",
            hint="forward its port: kubectl port-forward svc/NAME 9090, and --prometheus http://127.0.0.1:9090",
        )
    return HttpDoor(where)


def _namespace(settings: Settings) -> str | None:
    """The namespace whose series are asked for; None: all."""
    named = (settings.hpa or "").rpartition("/")[0]
    return None if settings.all_namespaces else settings.namespace or named or None


async def _looks(api: Api, scope: Scope, spans: Sequence[Span], step: float) -> list[Look]:
    """What there is of each time; at least of one, or NoSamplesError."""
    found: list[Look] = []
    nothing: NoSamplesError | None = None
    for since, until in spans:
        try:
            found.append(await look(api, scope, since, until, step))
        except NoSamplesError as error:
            nothing = error
    if not found and nothing is not None:
        raise nothing
    return found


async def _last(api: Api, scope: Scope, span: Span, step: float) -> Look:
    """As long a time before the last samples there are: `24h` of a recording ends with it as well."""
    last = await last_samples(api, scope, span[1] - FURTHER, span[1])
    return await look(api, scope, last - (span[1] - span[0]), last, step)


async def _written(
    settings: Settings, api: Api, looks: Sequence[Look], where: Where, context: str, say: Say
) -> Recording:
    """Write the facts of all times into a file, open it, and let its name go."""
    version = looks[-1].server_version
    flags = controller_flags(ControllerFlags(), settings, {"gitVersion": version})
    missing = tuple(dict.fromkeys(words for one in looks for words in one.missing))
    meta = Meta(context=context, server_version=version, flags=flags, source=source_text(where.step, looks[-1].every))
    draft = _draft()
    try:
        recorder = Recorder(draft, replace(meta, missing=missing), single=True, days=1e6, size=1 << 40)
        try:
            decoders = decoders_of(flags)
            for number, one in enumerate(looks):

                def told(share: float, number: int = number) -> None:
                    say(f"reading Prometheus: {(number + share) / len(looks):.0%}")

                async for seen in facts(api, one, decoders, where.step, told):
                    recorder.take(seen)
                    if recorder.problem:
                        break
        finally:
            say("")
            recorder.close()
        if recorder.problem:
            raise HpatuiError(f"what Prometheus told cannot be kept: {recorder.problem}", hint="free some space")
        for warning in api.warnings:
            say(f"Prometheus warns: {warning}\n")
        found = open_recording(draft)
        if not found.hpas():
            found.close()
            raise PrometheusError("Prometheus told of no HPA", hint="see the time (--since) and the namespace (-n)")
        return found
    finally:
        shutil.rmtree(draft.parent, ignore_errors=True)


def _draft() -> Path:
    """A file in a folder of its own, which nobody else may read."""
    try:
        return Path(tempfile.mkdtemp(prefix="hpatui-prometheus-")) / "prometheus.db"
    except OSError as error:
        raise HpatuiError(
            f"there is no place for what Prometheus tells: {error.strerror}", hint="set TMPDIR"
        ) from error


def decoders_of(flags: ControllerFlags) -> Decoders:
    """Objects are read as those of the API server are."""
    from hpatui.cluster.decode import decode_hpa, decode_workload
    from hpatui.cluster.decode_pods import decode_pod

    rules = rules_of(flags.rules)
    return Decoders(lambda raw: decode_hpa(raw, rules), decode_pod, decode_workload)
