/**
 * Holds the state and tells listeners after each change.
 *
 * @import {StateEvent} from "./state.js"
 * @import {State} from "./state/model.js"
 */
import { initialState, reduce } from "./state.js";

export class Store {
  /** @type {State} */
  state = initialState();

  /** @type {Set<(state: State, previous: State) => void>} */
  #listeners = new Set();

  /** @param {StateEvent} event */
  dispatch(event) {
    const previous = this.state;
    this.state = reduce(previous, event);
    if (this.state === previous) return;
    for (const listener of this.#listeners) listener(this.state, previous);
  }

  /** @param {(state: State, previous: State) => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
  }
}
