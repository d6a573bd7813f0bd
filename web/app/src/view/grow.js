/**
 * Makes a text field as high as its text; its largest height is the style sheet's.
 *
 * @param {HTMLTextAreaElement} field
 */
export function grow(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
