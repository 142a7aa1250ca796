"""What a screen reader is told of a page: the browser's accessibility tree, a line for each thing that has a name
or a state.

    switch "Assign Supervisor" checked, described by "Choose a division for ‘Supervisor’."
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

# Of no interest to whoever listens, or said by what is inside.
SILENT = {
    "none", "generic", "StaticText", "InlineTextBox", "LineBreak", "paragraph", "ListMarker", "RootWebArea",
    "LabelText", "time", "strong", "emphasis", "code", "DescriptionList", "DescriptionListTerm", "SvgRoot",
    "DescriptionListDetail", "rowgroup", "cell", "gridcell", "row", "listitem", "Section", "image",
}  # fmt: skip
STATES = (
    "checked",
    "expanded",
    "invalid",
    "pressed",
    "selected",
    "disabled",
    "readonly",
    "modal",
    "multiline",
)
# The states that are only worth a word where they hold, and those that are worth one always.
SAID_IF_FALSE = {
    "checked": "not checked",
    "expanded": "collapsed",
    "pressed": "not pressed",
    "selected": "",
}


def heard(page: Page) -> list[str]:
    session = page.context.new_cdp_session(page)
    try:
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    finally:
        session.detach()
    return list(_lines(nodes))


def _lines(nodes: list[dict[str, Any]]) -> Iterator[str]:
    by_id = {node["nodeId"]: node for node in nodes}

    def walk(node: dict[str, Any]) -> Iterator[str]:
        role = node.get("role", {}).get("value", "")
        name = " ".join(node.get("name", {}).get("value", "").split())
        if (
            not node.get("ignored")
            and role not in SILENT
            and (name or role in ("list", "table", "navigation"))
        ):
            yield _line(role, name, node)
        for child in node.get("childIds", ()):
            if child in by_id:
                yield from walk(by_id[child])

    yield from walk(next(node for node in nodes if "parentId" not in node))


def _line(role: str, name: str, node: dict[str, Any]) -> str:
    properties = {one["name"]: one["value"].get("value") for one in node.get("properties", ())}
    said = []
    if role == "heading":
        said.append(f"level {properties.get('level')}")
    for state in STATES:
        value = properties.get(state)
        if value in (True, "true"):
            said.append(state)
        elif state in properties and value in (False, "false") and SAID_IF_FALSE.get(state):
            said.append(SAID_IF_FALSE[state])
    if description := " ".join(node.get("description", {}).get("value", "").split()):
        said.append(f'described by "{description}"')
    return f'{role} "{name}"' + (f" {', '.join(said)}" if said else "")
