// [data-chosen-picker]: a long list of boxes or switches in [data-chosen-item]s.
// [data-chosen-view="all|chosen"] shows all or the chosen ones, [data-chosen-count] counts them.
// [data-chosen-list] holds a <ul> with a chip for each ticked box, kept up to date; a chip takes its box away.
// data-remove-label="Remove {name}", data-count-label="{n} chosen"; [data-chosen-clear] takes all away.
const announce = (text) => document.dispatchEvent(new CustomEvent('latchkey:announce', { detail: { text } }));

const attach = (picker) => {
  const items = [...picker.querySelectorAll('[data-chosen-item]')];
  const list = picker.querySelector('[data-chosen-list]');
  const none = picker.querySelector('[data-chosen-none]');
  // A role is one choice, whatever its divisions are; a scope is one for each box.
  const boxesOf = (item) => {
    const switches = [...item.querySelectorAll('[role="switch"]')];
    return switches.length ? switches : [...item.querySelectorAll('input[type="checkbox"]')];
  };
  const ticked = () => items.flatMap(boxesOf).filter((box) => box.checked);

  const untick = (boxes) => {
    for (const box of boxes) box.checked = false;
    boxes.at(-1)?.dispatchEvent(new Event('change', { bubbles: true }));
    announce(list.dataset.countLabel.replace('{n}', ticked().length));
  };

  const chip = (box) => {
    const line = document.createElement('li');
    const button = document.createElement('button');
    line.className = 'chip chip-accent mono';
    line.append(box.value, button);
    button.type = 'button';
    button.className = 'remove';
    button.textContent = '×';
    button.setAttribute('aria-label', list.dataset.removeLabel.replace('{name}', box.value));
    button.addEventListener('click', () => {
      const at = [...list.querySelectorAll('.remove')].indexOf(button);
      untick([box]);
      const left = list.querySelectorAll('.remove');
      (left[Math.min(at, left.length - 1)] ?? picker.querySelector('[type="search"]'))?.focus();
    });
    return line;
  };

  const update = () => {
    const boxes = ticked();
    for (const count of picker.querySelectorAll('[data-chosen-count]')) count.textContent = boxes.length;
    if (!list) return;
    list.hidden = !boxes.length;
    list.querySelector('ul').replaceChildren(...boxes.map(chip));
  };

  // An item stays in sight when its box is taken away: the next press of the button sorts it out.
  const view = (wanted) => {
    picker.dataset.view = wanted;
    for (const button of picker.querySelectorAll('[data-chosen-view]')) {
      button.setAttribute('aria-pressed', String(button.dataset.chosenView === wanted));
    }
    for (const item of items) item.toggleAttribute('data-out', wanted === 'chosen' && !boxesOf(item).some((box) => box.checked));
    if (none) none.hidden = wanted === 'all' || ticked().length > 0;
  };

  picker.addEventListener('change', update);
  picker.addEventListener('click', (event) => {
    const button = event.target.closest('[data-chosen-view]');
    if (button) view(button.dataset.chosenView);
    if (!event.target.closest('[data-chosen-clear]')) return;
    untick(ticked());
    picker.querySelector('[type="search"]')?.focus();
  });
  window.addEventListener('pageshow', update); // the browser may have restored boxes
  update();
};

for (const picker of document.querySelectorAll('[data-chosen-picker]')) attach(picker);
