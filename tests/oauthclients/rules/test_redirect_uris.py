from __future__ import annotations

import pytest

from oauthclients.rules.redirect_uris import problem_of, problems


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/callback",
        "https://app.example.com/callback?env=1",
        "https://[2001:db8::1]:8443/cb",
        "http://localhost:9000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:5000/cb",
        "com.example.app:/oauth",
    ],
)
def test_addresses_that_can_be_registered(uri):
    assert problem_of(uri) == ""


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("http://app.example.com/cb", "use https"),
        ("http://localhost.example.com/cb", "use https"),
        ("https://app.example.com/cb#top", "after #"),
        ("https://app.example.com/cb#", "after #"),
        ("https://*.example.com/cb", "wildcards"),
        ("https://user:pass@app.example.com/", "name and password"),
        ("https://localhost@evil.example/", "name and password"),
        ("//app.example.com/cb", "whole address"),
        ("/cb", "whole address"),
        ("app.example.com/cb", "whole address"),
        ("https:///cb", "whole address"),
        ("javascript:alert(1)", "use https"),
        ("data:text/html,x", "use https"),
        ("https://app.example.com:99999/", "not an address"),
        ("https://app.example.com/a b", "not an address"),
        ("https://app.example.com;sandbox/cb", "not an address"),
        ("https://app.example.com,x/cb", "not an address"),
        ("https://app.example.com%0d/cb", "not an address"),
        ("https://app.example.com'/cb", "not an address"),
        ("https://app.example.com/\\evil", "not an address"),
        ("https://app.example.com/<script>", "not an address"),
        ("https://app.example.com/" + "a" * 2000, "2,000"),
    ],
)
def test_addresses_that_cannot(uri, says):
    assert says in problem_of(uri)


def test_three_mistakes_are_three_messages_each_at_its_line():
    lines = [f"https://app.example.com/{n}" for n in range(123)]
    lines += ["https://app.example.com/x#frag", "https://app.example.com/0", "https://app.example.com/last"]

    found = {problem.line: problem.message for problem in problems(lines)}

    assert found == {
        124: "Line 124: remove the part after #.",
        125: "Line 125 repeats line 1.",
        None: "126 addresses; the most is 125.",
    }


def test_125_addresses_are_fine_and_empty_lines_do_not_count():
    assert problems([*(f"https://a.example/{n}" for n in range(125)), "", "  "]) == []
