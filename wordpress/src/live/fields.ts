/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody has typed. */

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** Whether a field holds what the page did not put there. */
function isDirty(field: Field): boolean {
  if (field instanceof HTMLSelectElement) {
    return (
      field.selectedIndex > 0 &&
      [...field.options].some((option) => option.selected !== option.defaultSelected)
    );
  }
  if (field.type === 'hidden') {
    return false;
  }
  if (field instanceof HTMLInputElement && ['checkbox', 'radio'].includes(field.type)) {
    return field.checked !== field.defaultChecked;
  }
  return field.value !== field.defaultValue;
}

/** Whether somebody writes in a tree. */
export function isWrittenIn(root: ParentNode): boolean {
  return [...root.querySelectorAll<Field>('input, textarea, select')].some(
    (field) => field === document.activeElement || isDirty(field),
  );
}
