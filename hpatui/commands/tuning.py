"""The commands advise, shadow, undo."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from hpatui.commands import Command, CommandTable
from hpatui.commands.running import settings_of, with_session

if TYPE_CHECKING:
    from hpatui.model import Key
    from hpatui.plain.applying import ApplyOptions
    from hpatui.session.candidates import Candidate
    from hpatui.settings import Settings


def applying(parser: argparse.ArgumentParser) -> None:
    """Flags of every command that may change an HPA."""
    add = parser.add_argument
    add("--read-only", action="store_true", default=None, help="nothing that changes a cluster")
    add("--dry-run", action="store_true", help="show the server's dry run and apply nothing")
    add("--yes", action="store_true", help="do not ask before applying (not where the context looks like production)")
    add("--confirm", default="", metavar="NAME", help="the HPA's name, where the context looks like production")
    add("--force-conflicts", action="store_true", help="take over fields that another manager owns")
    add("--syncs", type=_count, default=2, metavar="N", help="syncs to watch after applying (2)")


def duration(text: str) -> float:
    """Seconds of `30s`, `15m`, `2h`, `7d`."""
    from hpatui.errors import HpatuiError
    from hpatui.load.plan import parse_duration

    try:
        days = text.removesuffix("d")
        seconds = float(days) * 86400 if days != text else parse_duration(text)
        if 0 < seconds < 1e9:
            return seconds
    except (HpatuiError, ValueError):
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 30s, 15m, 24h or 7d")


def _options(args: argparse.Namespace) -> ApplyOptions:
    from hpatui.plain.applying import ApplyOptions

    return ApplyOptions(args.dry_run, args.yes, args.confirm, args.force_conflicts, args.syncs)


def _count(text: str) -> int:
    if text.isdecimal() and int(text) <= 1000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1000")


def _undo(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("name", metavar="[NS/]NAME", nargs="?", help="the HPA (default: the one changed last)")
    add("--list", action="store_true", help="what can be undone, and end")
    add("--json", action="store_true", help="as JSON")
    applying(parser)


def _run_undo(args: argparse.Namespace) -> int:
    from hpatui.plain.undo import find_change, list_changes, undo

    settings = settings_of(args)
    if args.list:
        return list_changes(settings, args.name, as_json=args.json)
    change = find_change(settings, args.name)
    chosen = replace(settings, hpa=str(change.key), namespace=change.namespace, all_namespaces=False)
    return with_session(chosen, lambda session: undo(session, change, _options(args), as_json=args.json))


def _shadow(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="manifests of HPAs: candidates for the live HPA that they name")
    add(
        "--for", dest="seconds", type=duration, metavar="DURATION", help="how long, as 30s, 15m, 2h (until interrupted)"
    )
    add("--json", action="store_true", help="the report as JSON, and nothing else")
    add("--screen", action="store_true", help="on the screen: the candidates are lines on the graph")
    add("--ascii", action="store_true", default=None, help="no characters beyond ASCII")
    add("--apply", default="", metavar="CANDIDATE", help="at the end, ask whether to apply this one (a file's name)")
    applying(parser)


def _run_shadow(args: argparse.Namespace) -> int:
    from hpatui.errors import UsageError
    from hpatui.model import Key
    from hpatui.session.applying import READ_ONLY
    from hpatui.session.candidates import read_candidates

    if args.apply and args.json:
        raise UsageError("--apply asks, and --json is for scripts", hint="leave one of them away")
    candidates = read_candidates(args.files)
    key = candidates[0].key
    space = next((c.key.namespace for c in candidates if c.key.namespace), "")
    settings = settings_of(args)
    if args.apply and settings.read_only:
        raise READ_ONLY
    if settings.hpa is not None:
        raise UsageError("--hpa is not for shadow", hint="the candidates name their HPA")
    space = space or settings.namespace or ""
    if space and settings.namespace and space != settings.namespace:
        raise UsageError(f"the candidates are of namespace {space}, not {settings.namespace}", hint="leave -n away")
    wanted = Key(space, key.name)
    settings = replace(settings, hpa=str(wanted), observe="focus", namespace=space or None)
    if args.screen:
        return _shadow_screen(settings, wanted, candidates)
    from hpatui.plain.shadow import ShadowOptions, shadow

    options = ShadowOptions(args.seconds, args.json, settings.ascii, args.apply, _options(args))
    return with_session(settings, lambda session: shadow(session, wanted, candidates, options))


def _shadow_screen(settings: Settings, key: Key, candidates: list[Candidate]) -> int:
    """The screen with the candidates on its graph; the report when it is closed."""
    import os
    import sys

    from hpatui.errors import UsageError
    from hpatui.plain.shadow import say_at_the_end
    from hpatui.session.live import Session
    from hpatui.session.shadowing import ShadowRun
    from hpatui.ui.app import run
    from hpatui.ui.terminal import prepare, screen_possible, speaks_utf8

    reason = screen_possible(os.environ, sys.stdin, sys.stdout)
    if reason is not None:
        raise UsageError(reason, hint="leave --screen away: then there are lines")
    prepare(os.environ)
    if not speaks_utf8(os.environ):
        settings = replace(settings, ascii=True)
    runs: list[ShadowRun] = []

    def make_session() -> Session:
        session = Session(settings)
        runs.append(ShadowRun(session, key, candidates))
        return session

    code = run(make_session, settings)
    for shadowed in runs:
        say_at_the_end(shadowed, ascii=settings.ascii)
    return code


def _advise(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("name", metavar="[NS/]NAME", nargs="?", help="one HPA: searched for a better spec (default: all, ranked)")
    add("--since", type=duration, default=86400.0, metavar="D", help="how far back, as 24h or 7d (24h)")
    add("--watch", type=duration, default=0.0, metavar="D", help="no recording: watch the cluster that long, as 10m")
    add("--recording", metavar="FILE", help="a recording or an export (default: that of the context)")
    add("--goal", choices=("cost", "latency", "balanced"), default="balanced", help="what matters more (balanced)")
    add("--price-cpu", type=_price, metavar="P", help="of a core for an hour")
    add("--price-memory", type=_price, metavar="P", help="of a GiB for an hour")
    add("--json", action="store_true", help="as JSON")
    add("--html", metavar="FILE", help="write a page for a browser, too")
    add("--sarif", metavar="FILE", help="write SARIF 2.1.0, too")
    add("--top", type=_count, default=20, metavar="N", help="HPAs in the text (20)")
    add("--no-search", action="store_true", help="with a name: by rules only, without simulation")
    add("--apply", action="store_true", help="with a name: ask whether to apply what is recommended")
    applying(parser)


def _price(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if 0 <= value < 1e9:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is no price: write 0.04")


def _run_advise(args: argparse.Namespace) -> int:
    from hpatui.ends import need_output
    from hpatui.plain.advise import AdviseOptions, advise_live, advise_recording, apply_recommended, check
    from hpatui.session.live import Session
    from hpatui.tune.rank import Prices

    settings = settings_of(args)
    options = AdviseOptions(
        args.name or settings.hpa, args.since, args.watch, args.recording, args.goal,
        Prices(args.price_cpu, args.price_memory), args.json, args.html, args.sarif, args.top, args.apply,
        not args.no_search, _options(args),
    )  # fmt: skip
    check(options, settings)
    if options.watch:
        settings = replace(settings, hpa=None, observe="all")

        async def work(session: Session) -> int:
            report = await advise_live(session, options)
            return await apply_recommended(session, report, options) if options.apply else 0

        return with_session(settings, work)
    need_output()
    report = advise_recording(settings, options)
    if not options.apply:
        return 0
    live = replace(settings, hpa=None, observe="focus", all_namespaces=True)
    return with_session(live, lambda session: apply_recommended(session, report, options))


COMMANDS: CommandTable = {
    "advise": Command("all HPAs ranked by waste and risk, and what would be better", _run_advise, "cluster", _advise),
    "shadow": Command("run candidate specs beside a live HPA, applying nothing", _run_shadow, "cluster", _shadow),
    "undo": Command("bring back the spec that an HPA had before hpatui changed it", _run_undo, "cluster", _undo),
}
