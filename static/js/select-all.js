// <a data-select-all="#x">: turns on every switch in x, in place. Without the script, the link leads to the same page with all of them on.
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-select-all]');
  if (!link) return;
  event.preventDefault();
  const switches = [...document.querySelectorAll(`${link.dataset.selectAll} [role="switch"]`)];
  for (const box of switches) {
    if (box.checked) continue;
    box.checked = true;
    box.dispatchEvent(new Event('change', { bubbles: true }));
  }
  switches[0]?.focus();
});
