"""Every curated mutant still fits the code: its line stands once in its file, and its tests exist."""

from __future__ import annotations

import pytest

from tests.mutants.__main__ import ROOT, Mutant, broken, load


@pytest.mark.parametrize("mutant", load(), ids=lambda m: f"{m.origin}-{m.name}")
def test_fits_the_code(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert broken(mutant, source) != source
    compile(broken(mutant, source), mutant.file, "exec")
    for test in mutant.tests:
        assert (ROOT / test.split("::")[0]).exists(), test
