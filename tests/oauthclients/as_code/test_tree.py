"""What is no such YAML, each with the place that an editor would show."""

from __future__ import annotations

import pytest

from oauthclients.as_code import document, tree
from oauthclients.as_code.places import Refused

HEAD = "version: 1\nclients:\n"


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(Refused) as raised:
        document.read(text if isinstance(text, bytes) else text.encode())
    return [trouble.told("f") for trouble in raised.value.troubles]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f:1:1: The file is empty."),
        ("# only words\n", "f:1:1: The file is empty."),
        ("- a\n", "f:1:1: The file is written as “key: value”: version, organization, clients, authorizations."),
        ("clients: []\n", "f:1:1: Say which form of file this is: “version: 1”."),
        ("version: 2\n", "f:1:10: Say which form of file this is: “version: 1”."),
        (HEAD + "\t- name: A\n", "f:3:1: There is a tab here. Indent with spaces."),
        (HEAD + "  - name: A: B\n", "f:3:12: A second “: ” in one line: put the value in quotes."),
        (HEAD + "  - name: 'A\n", "f:4:1: This is not YAML: while scanning a quoted scalar, found unexpected end of stream."),
        (HEAD + "  - name: no\n", "f:3:11: ‘no’ without quotes is not a text to every reader of YAML. Write \"no\"."),
        (HEAD + "  - name: y\n", "f:3:11: ‘y’ without quotes is not a text to every reader of YAML. Write \"y\"."),
        (HEAD + "  - name: 0o17\n", "f:3:11: ‘0o17’ without quotes is not a text to every reader of YAML. Write \"0o17\"."),
        (HEAD + "  - name: 12:30\n", "f:3:11: ‘12:30’ without quotes is not a text to every reader of YAML. Write \"12:30\"."),
        (HEAD + "  - name: 2026-01-01\n", "f:3:11: ‘2026-01-01’ without quotes is not a text to every reader of YAML. Write \"2026-01-01\"."),
        (HEAD + "  - name: ~\n", "f:3:11: ‘~’ without quotes is not a text to every reader of YAML. Write \"~\"."),
        (HEAD + "  - name:\n", "f:3:10: ‘name’ has no value. Write \"\" for an empty text, or leave the line out."),
        (HEAD + "  - name: [A]\n", "f:3:11: ‘name’ is a text."),
        (HEAD + "  - grant_type: CODE\n", "f:3:5: A client needs a name."),
        (HEAD + "  - A\n", "f:3:5: A client is written as “key: value”: " + ", ".join(document.CLIENT_KEYS) + "."),
        (HEAD + "  - name: A\n    name: B\n", "f:4:5: ‘name’ is given twice, first on line 3."),
        (HEAD + "  - name: A\n    desription: B\n", "f:4:5: There is no ‘desription’ here. Did you mean ‘description’?"),
        (HEAD + "  - name: A\n    client_secret: x\n", "f:4:5: Secrets are not kept in this file. New ones go where --secrets-file says."),
        (HEAD + "  - name: &a A\n", "f:3:11: Anchors (&) and aliases (*) are not read. Write the value out."),
        (HEAD + "  - name: *a\n", "f:3:11: Anchors (&) and aliases (*) are not read. Write the value out."),
        (HEAD + "  - name: *\n", "f:3:12: A value that begins with * needs quotes."),
        (HEAD + "  - name: A\n    <<: {state: active}\n", "f:4:5: Merging (<<) is not read. Write the values out."),
        (HEAD + "  - name: !!python/object:os.system A\n", "f:3:11: Tags (!) are not read. Leave it out."),
        (HEAD + "  - name: !!str A\n", "f:3:11: Tags (!) are not read. Leave it out."),
        (HEAD + "  - ? [a]\n    : b\n", "f:3:7: A key must be a word."),
        (HEAD + "  - name: A\n---\nversion: 1\n", "f:4:1: A second document begins here. One file holds one."),
        (HEAD + "  - name: A\n    state: on\n", "f:4:12: ‘on’ without quotes is not a text to every reader of YAML. Write \"on\"."),
        (HEAD + "  - name: A\n    state: open\n", "f:4:12: ‘open’ is no state. It must be one of: active, inactive, disabled."),
        (HEAD + "  - name: A\n    id: 12345\n", "f:4:9: ‘12345’ without quotes is not a text to every reader of YAML. Write \"12345\"."),
        (HEAD + "  - name: A\n    id: abc\n", "f:4:9: ‘abc’ is not the ID of a client."),
        (HEAD + "  - name: A\n    roles: Supervisor\n", "f:4:12: ‘roles’ is a list: each on a line that begins with “- ”."),
        (HEAD + "  - name: A\n    roles:\n      - Supervisor\n", "f:5:9: A role is given with its divisions: “role:” and “divisions:”."),
        (HEAD + "  - name: A\n    roles:\n      - role: Supervisor\n", "f:5:9: Give “divisions:”, or else “all_divisions: true”."),
        (HEAD + "  - name: A\n    roles:\n      - role: S\n        all_divisions: yes\n", "f:6:24: “all_divisions” can only be true. Else give “divisions:”."),
        (HEAD + "  - name: A\n    roles:\n      - role: S\n        divisions: []\n", "f:6:9: A role needs at least one division."),
        (HEAD + "  - name: A\n    authorization:\n      scopes: [users]\n", "f:5:7: Give “state: authorized” or “state: refused”."),
        (HEAD + "  - name: A\n    authorization:\n      state: refused\n      roles: [S]\n", "f:6:7: An app that is refused has no roles."),
        (HEAD + "  - name: A\n  - name: a\n", "f:4:11: ‘a’ is on line 3 as well."),
        ("version: 1\nauthorizations:\n  - state: refused\n", "f:3:5: Say which app: “client_id: ”."),
        (HEAD + "  - name: \"a\u2028b\"\n", "f:3:13: There is an invisible character (U+2028) here. Remove it, or write it as \\u2028 in double quotes."),
        (HEAD + "  - name: a\x1bb\n", "f:3:12: There is an invisible character (U+001B) here. Remove it, or write it as \\u001B in double quotes."),
        (HEAD + "  - name: a\0b\n", "f:3:12: There is an invisible character (U+0000) here. Remove it, or write it as \\u0000 in double quotes."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_and_column(text, said):
    assert refused(text) == [said]


@pytest.mark.parametrize(
    "value", ["86_400", "1:30", "0o17", "0777", "0x10", "1e3", "-1", "1.0", '"86400"', "[1]", "on"]
)
def test_a_duration_is_a_whole_number_and_nothing_that_looks_like_one(value):
    said = "‘token_duration’ is a whole number of seconds, such as 86400."
    assert refused(HEAD + f"  - name: A\n    token_duration: {value}\n") == [f"f:4:21: {said}"]


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file():
    said = refused(HEAD + "  - name: A\n    state: open\n    secret: x\n  - name: 7\n")
    assert [line.split(":")[1] for line in said] == ["4", "5", "6"]


def test_text_that_is_not_utf8_is_pointed_at():
    assert refused(HEAD.encode() + b"  - name: caf\xe9\n") == [
        "f:3:14: The file is not in UTF-8 from here on."
    ]
    assert refused("version: 1".encode("utf-16")) == ["f:1:1: The file is in UTF-16. Save it as UTF-8."]


def test_windows_line_ends_and_a_byte_order_mark_are_read():
    text = "\ufeff" + HEAD + "  - name: A\n    state: active\n"
    read = document.read(text.replace("\n", "\r\n").encode())
    assert read.clients[0].state == document.Written("active", document.Place(4, 12))


def test_neither_size_nor_depth_takes_time():
    assert "larger than 4,000,000 bytes" in refused(b"a" * (tree.LARGEST + 1))[0]
    assert refused("[" * 1_000_000) == ["f:1:10: This is nested too deeply."]
    assert len(refused(HEAD + "  - A\n" * 100_000)) == 101
    laughs = "version: 1\na: &a [x]\n" + "".join(f"b{n}: &b{n} [*a,*a]\n" for n in range(50))
    assert refused(laughs) == ["f:2:4: Anchors (&) and aliases (*) are not read. Write the value out."]


def test_a_terminal_is_shown_what_would_move_its_cursor_in_letters():
    assert refused(HEAD + '  - name: A\n    "\\e[2J\\u202e": x\n')[0].startswith(
        "f:4:5: There is no ‘\\x1b[2J\\u202e’ here."
    )
    assert refused(HEAD + '  - name: A\n    state: "\\ud800"\n')[0].startswith(
        "f:4:12: ‘\\ud800’ is no state."
    )
