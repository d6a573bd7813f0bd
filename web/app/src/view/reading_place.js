/**
 * Where somebody reads in a scroller, and keeping it there: a browser's own scroll anchoring does not
 * see what a page is about to put above.
 *
 * @typedef {{row: Element, y: number}} Place `y`: how far below the scroller's upper edge it begins
 */

/**
 * The rows in view, top down. The first row of all is left out: older ones come in below it.
 *
 * @param {HTMLElement} scroller whose one child holds the rows
 * @returns {Place[]}
 */
export function rowsInView(scroller) {
  const { top, bottom } = scroller.getBoundingClientRect();
  const rows = /** @type {HTMLElement} */ (scroller.firstElementChild).children;
  let first = 1;
  for (let end = rows.length; first < end; ) {
    const middle = (first + end) >> 1;
    if (rows[middle].getBoundingClientRect().bottom > top) end = middle;
    else first = middle + 1;
  }
  /** @type {Place[]} */
  const places = [];
  for (let index = first; index < rows.length; index += 1) {
    const y = rows[index].getBoundingClientRect().top;
    if (y > bottom) break;
    places.push({ row: rows[index], y: y - top });
  }
  return places;
}

/**
 * Scrolls so that the first of these rows that is still there stands where it stood.
 *
 * @param {HTMLElement} scroller
 * @param {Place[]} places
 */
export function holdRows(scroller, places) {
  const kept = places.find(({ row }) => row.isConnected);
  if (!kept) return;
  const moved = kept.row.getBoundingClientRect().top - scroller.getBoundingClientRect().top - kept.y;
  if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
}
