"""What a real browser finds wrong with a page: axe, what is cut or sticks out, and what jumps while it loads."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.screens.stage import AXE

CUT = """() => {
  const found = [];
  const root = document.documentElement;
  const name = (element) => `<${element.localName} class="${element.className}"> ${element.textContent.trim().slice(0, 60)}`;
  if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} px wide in ${root.clientWidth}`);
  const scrolls = (element) => element && (['auto', 'scroll'].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  const unseen = (element) => element && (getComputedStyle(element).clipPath === 'inset(50%)' || unseen(element.parentElement));
  const skip = '.visually-hidden, .visually-hidden *, dialog:not([open]) *, noscript, script, svg *, option, .skip-link, input';
  for (const element of document.querySelectorAll('body *')) {
    if (element.matches(skip) || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (unseen(element)) continue;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;
    const kept = style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none';
    const hides = ['hidden', 'clip'].includes(style.overflowX) || ['hidden', 'clip'].includes(style.overflowY);
    if (hides && !kept && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)) found.push(`cut: ${name(element)}`);
    if (element.matches('button, .button, .badge, .chip, a') && element.scrollWidth > element.clientWidth + 1 && style.display !== 'inline' && !kept) found.push(`too narrow: ${name(element)}`);
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (text && (box.right > root.clientWidth + 1 || box.left < -1) && !scrolls(element.parentElement)) found.push(`sticks out: ${name(element)}`);
  }
  return found;
}"""

# What moved after it had been seen, where nobody did anything: how far, and what. A tenth of what
# Web Vitals call good: a page that is shown while it is still being read may move a button by a few pixels.
JUMPED = """() => new Promise((done) => {
  const found = [];
  const name = ({ node }) => (node?.nodeType === 1 ? `<${node.localName} class="${node.className}">` : node?.parentElement?.localName ?? '');
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput && entry.value >= 0.01) found.push(`jumped by ${entry.value.toFixed(4)}: ${[...new Set(entry.sources.map(name))].slice(0, 5).join(', ')}`);
    }
  }).observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done(found), 50);
})"""

# What is folded away is there to be read too. Tabs have one part open at a time.
OPEN_ALL = """() => {
  for (const part of document.querySelectorAll('main details:not([open]):not([data-menu])')) part.open = true;
}"""


def axe(page: Page, within: str = "html") -> list[str]:
    """What axe finds in a part of the page, one line for each rule with the first places."""
    if not page.evaluate("typeof axe === 'object'"):
        page.add_script_tag(url=AXE)
    found = page.evaluate("within => axe.run(within, { resultTypes: ['violations'] })", within)
    return [
        f"{rule['id']}: {rule['help']}: " + "; ".join(_place(node) for node in rule["nodes"][:3])
        for rule in found["violations"]
    ]


def _place(node: dict[str, Any]) -> str:
    data = (node["any"] or node["all"] or node["none"] or [{}])[0].get("data") or {}
    measured = {key: data[key] for key in ("fgColor", "bgColor", "contrastRatio") if key in data}
    return f"{node['html'][:160]} {measured or ''}".strip()
