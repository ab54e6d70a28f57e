"""Recorded traffic: every form that is read, and what is said of the others."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.load.plan import Stage
from hpatui.load.trace import read_trace

_CLF = '10.0.0.1 - - [10/Oct/2025:13:55:{:02} +0000] "GET /a?t=2020-01-01T00:00:00Z HTTP/1.1" 200 2 "-" "curl [x]"'
_WANTED = (Stage(2, 2, 1.0), Stage(1, 1, 1.0), Stage(0, 0, 2.0), Stage(1, 1, 1.0))


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trace"
    path.write_text(text)
    return path


def test_a_trace_as_csv(tmp_path: Path) -> None:
    path = _write(tmp_path, "seconds,rate\n0,10\n5,20\n# quiet\n7.5,0\n")
    assert read_trace(path) == (Stage(10, 10, 5.0), Stage(20, 20, 2.5), Stage(0, 0, 1.0))


@pytest.mark.parametrize(
    "text", ["\ufeff0,2\n1,4\n2,3\n", "2,3\r\n0,2\r\n\r\n1,4\r\n", "\ufefftime,rate\n0,2\n1,4\n2,3"]
)
def test_a_csv_in_any_order_with_a_mark_or_without(tmp_path: Path, text: str) -> None:
    assert read_trace(_write(tmp_path, text)) == (Stage(2, 2, 1.0), Stage(4, 4, 1.0), Stage(3, 3, 1.0))


@pytest.mark.parametrize(
    "form",
    [
        _CLF,
        '10.0.0.1 - - [10/Oct/2025:15:55:{:02} +0200] "GET / HTTP/1.1" 200 2',
        '10.0.0.1 - - [10/Oct/2025:13:55:{:02}.123 +0000] "GET / HTTP/1.1" 200 2',
        '{{"time_local":"10/Oct/2025:13:55:{:02} +0000","request":"GET / HTTP/1.1","status":200}}',
        '{{"time_iso8601":"2025-10-10T13:55:{:02}+00:00","status":"200"}}',
        '{{"msec":"17601045{:02}.250","status":"200"}}',
        '{{"msec": 17601045{:02}.250}}',
        '{{"start_time":"2025-10-10T13:55:{:02}.123Z","method":"GET","duration":"2024-01-01T00:00:00Z"}}',
        '[2025-10-10T13:55:{:02}.310Z] "POST /api HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http"',
        "http 2026-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 "
        '200 34 366 "GET http://x/ HTTP/1.1" "curl/7.46.0" - - arn:aws:x "Root=1-58" "-" "-" 0 2025-10-10T13:55:{:02}.364Z '
        '"forward" "-" "-"',
        '17601045{:02}123 10.0.0.1 "GET / HTTP/1.1" 200',
        '10.0.0.1 17601045{:02}.123 "GET / HTTP/1.1" 200',
        "2025-10-10\t13:55:{:02}\tFRA2\t1234\t10.0.0.1\tGET",
    ],
)
def test_every_known_form_of_an_access_log(tmp_path: Path, form: str) -> None:
    lines = [form.format(second) for second in (37, 36, 40, 36)]  # written when answered: in any order
    assert read_trace(_write(tmp_path, "\n".join(lines) + "\n")) == _WANTED


def test_a_packed_log(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(_CLF.format(second) + "\n" for second in (36, 36, 37, 40))
    assert read_trace(path) == _WANTED


def test_a_leap_second_and_the_first_second_of_time(tmp_path: Path) -> None:
    line = '10.0.0.1 - - [{} +0000] "GET / HTTP/1.1" 200 2\n'
    text = "".join(line.format(at) for at in ("31/Dec/2016:23:59:59", "31/Dec/2016:23:59:60", "01/Jan/2017:00:00:00"))
    assert read_trace(_write(tmp_path, text)) == (Stage(1, 1, 1.0), Stage(2, 2, 1.0))
    text = "".join(line.format(at) for at in ("01/Jan/1970:00:00:00", "01/Jan/1970:00:00:02"))
    assert read_trace(_write(tmp_path, text)) == (Stage(1, 1, 1.0), Stage(0, 0, 1.0), Stage(1, 1, 1.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,10\nx,20\n", r":2: 'x,20' is no `seconds,rate`"),
        ("O,5\n1,6\n", r":1: 'O,5' is no `seconds,rate`"),
        ("0,10\n0,20\n", ":2: times must grow"),
        ("0,-1\n", ":1: times must grow and rates be 0 or more"),
        ("0,nan\n", r":1: '0,nan' is no"),
        ("", "holds no traffic"),
        ("# nothing\n\n", "holds no traffic"),
        ("time,rate\n", "holds no traffic"),
        ("hello there\n", r":1: 'hello there' says no time of a request"),
        (_CLF.format(36) + "\nrubbish\n", r":2: 'rubbish' says no time"),
        (_CLF.replace("10/Oct", "31/Feb").format(1), r":1: '31/Feb/2025:13:55:01 \+0000' is no time"),
        (_CLF.replace("Oct", "Okt").format(1), r":1: '10/Okt/2025:13:55:01 \+0000' is no time"),
        (_CLF.format(36) + "\n" + _CLF.replace("2025", "2026").format(36), r":2: nothing was recorded for 365 days"),
        ("x" * 70_000, r":1: a line of more than"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        read_trace(_write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_broken_archive_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"0,1\n" * 1000)[:-20])
    with pytest.raises(UsageError, match=r"cannot read .*x.gz"):
        read_trace(path)


def test_what_is_kept_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "big.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        for _ in range(2000):
            file.write((_CLF.format(36) + "\n") * 50)
    assert read_trace(path) == (Stage(100_000, 100_000, 1.0),)
