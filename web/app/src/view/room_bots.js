/**
 * The bots of the room in view: whose mentions are marked, and whom a text would ask.
 *
 * @import {Participant, Session} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 * @typedef {{names: string[], asked: (text: string) => string[]}} RoomBots
 */
import { createContext } from "preact";
import { useContext, useMemo } from "preact/hooks";
import { askedBots, botNames } from "../mentions.js";

const NOBODY = /** @type {RoomBots} */ ({ names: [], asked: () => [] });

export const RoomBotsContext = createContext(NOBODY);

/** @returns {RoomBots} */
export const useRoomBots = () => useContext(RoomBotsContext);

/**
 * The same object as long as nothing changes, so that what is drawn with it stays.
 *
 * @param {Room} room
 * @param {Participant} me
 * @returns {RoomBots}
 */
export function useBotsOf(room, me) {
  const { bot = null, reply_policy = "off" } = /** @type {Partial<Session>} */ (room.session ?? {});
  const names = botNames(room);
  return useMemo(
    () => ({ names, asked: (text) => askedBots({ bot, reply_policy }, me, names, text) }),
    [names.join("\n"), bot, reply_policy, me],
  );
}
