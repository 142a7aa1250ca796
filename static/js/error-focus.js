// Moves focus to the box "There is a problem" when the page arrives with one.
const summary = document.querySelector('.error-summary');
if (summary && !summary.closest('dialog')) {
  summary.tabIndex = -1;
  summary.focus();
}
