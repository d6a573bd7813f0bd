/** The protocol counts text in Unicode code points, JavaScript in UTF-16 units. */

/** @param {string} text */
export function codePointLength(text) {
  let length = 0;
  for (let index = 0; index < text.length; index += unitsAt(text, index)) length += 1;
  return length;
}

/**
 * `text` without its first `count` code points.
 * @param {string} text
 * @param {number} count
 */
export function dropCodePoints(text, count) {
  let index = 0;
  for (let dropped = 0; dropped < count && index < text.length; dropped += 1) index += unitsAt(text, index);
  return text.slice(index);
}

/**
 * @param {string} text
 * @param {number} index
 */
function unitsAt(text, index) {
  return /** @type {number} */ (text.codePointAt(index)) > 0xffff ? 2 : 1;
}
