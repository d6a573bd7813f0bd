/**
 * Remembers the results of a pure function of a string, the most recently used ones.
 *
 * @param {(text: string) => string} compute
 * @param {number} limit
 */
export function remembered(compute, limit) {
  /** @type {Map<string, string>} */
  const results = new Map();
  return (/** @type {string} */ text) => {
    const result = results.get(text) ?? compute(text);
    results.delete(text);
    results.set(text, result);
    if (results.size > limit) results.delete(/** @type {string} */ (results.keys().next().value));
    return result;
  };
}
