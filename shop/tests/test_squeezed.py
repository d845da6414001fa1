"""Scripts that are served in one file: each module keeps its names, and what cannot be joined is refused."""

import pytest

from shop.squeezed import JOINED, joined, squeezed

MODULES = {
    "page": 'import { one as first } from "./a.js";\nimport * as b from "./b.js";\nfirst(b.two);\n',
    "a": "const GAP = 1;\nexport function one(x) { return x + GAP; }\n",
    "b": 'import { one } from "./a.js";\nconst GAP = 2;\nexport const two = one(GAP);\nexport class C {}\n',
}


def test_modules_stand_before_whoever_needs_them_once() -> None:
    text = joined("page", MODULES.__getitem__)
    places = [text.index(f"const ${name} = (() => {{") for name in ("a", "b", "page")]
    assert places == sorted(places)
    assert text.count("function one") == 1


def test_modules_hand_out_what_they_export_under_the_names_asked_for() -> None:
    text = joined("page", MODULES.__getitem__)
    assert "const { one: first } = $a;" in text
    assert "const b = $b;" in text
    assert "return { one };" in text
    assert "return { two, C };" in text


@pytest.mark.parametrize("line", ['import "./a.js";', "export default 1;", "export { GAP };"])
def test_a_form_that_is_not_ours_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"page\.js cannot be joined"):
        joined("page", {**MODULES, "page": line}.__getitem__)


@pytest.mark.parametrize("name", sorted(JOINED))
def test_what_is_served_in_one_file_asks_for_no_other(name: str) -> None:
    text = squeezed(name, "")
    assert "./" not in text
    assert "import" not in text
