// Moves focus to the box "There is a problem", to [data-focus-on-load], or to the alert at the top of a form,
// when the page arrives with one.
const box = document.querySelector('.error-summary')
  ?? document.querySelector('[data-focus-on-load], form > .callout[role="alert"]');
if (box && !document.querySelector('dialog:modal')) {
  box.tabIndex = -1;
  box.focus();
}
