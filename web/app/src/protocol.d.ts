// The events of the namespace /chat. Made from the server's registries: do not edit.

import type { Socket } from "socket.io-client";

/** What every client event is acked with. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: ErrorBody };

/** The socket of `io("/chat", {auth})`. */
export type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** What a client event carries. */
export type Payload<Name extends keyof ClientToServerEvents> =
  Parameters<ClientToServerEvents[Name]>[0];

/** The `data` of its ack, once it is done. */
export type Done<Name extends keyof ClientToServerEvents> =
  Parameters<Parameters<ClientToServerEvents[Name]>[1]>[0] extends Ack<infer T> ? T : never;

export interface ClientToServerEvents {
  /** a session of one's own; the creator is its owner and in the room */
  create_session: (payload: CreateSession, ack: (answer: Ack<SessionResult>) => void) => void;
  /** become a member (or come back) and enter the room; live events continue at to_seq + 1 */
  join_session: (payload: JoinSession, ack: (answer: Ack<Joined>) => void) => void;
  /** stop being a member */
  leave_session: (payload: LeaveSession, ack: (answer: Ack<Nothing>) => void) => void;
  /** the owner gives another title */
  rename_session: (payload: RenameSession, ack: (answer: Ack<SessionResult>) => void) => void;
  /** the owner changes settings; an operator may change reply_policy and bot */
  update_session: (payload: UpdateSession, ack: (answer: Ack<SessionResult>) => void) => void;
  /** one more bot that can be asked by @name; whoever may change the bot may do this */
  add_bot: (payload: AddBot, ack: (answer: Ack<SessionResult>) => void) => void;
  /** the bot is no longer a member; where it was the session's own, nobody answers unasked */
  remove_bot: (payload: RemoveBot, ack: (answer: Ack<SessionResult>) => void) => void;
  /** the owner removes it with all it holds */
  delete_session: (payload: DeleteSession, ack: (answer: Ack<Nothing>) => void) => void;
  /** one's own sessions, or the public ones; newest activity first */
  list_sessions: (payload: ListSessions, ack: (answer: Ack<SessionPage>) => void) => void;
  /** say something; repeating the same client_message_id stores nothing twice */
  send_message: (payload: SendMessage, ack: (answer: Ack<MessageSent>) => void) => void;
  /** change the text of one's own message, and let the bots answer it again if wanted */
  edit_message: (payload: EditMessage, ack: (answer: Ack<MessageChanged>) => void) => void;
  /** erase the text of one's own message, or of any as the owner */
  delete_message: (payload: DeleteMessage, ack: (answer: Ack<EventResult>) => void) => void;
  /** a page of the log, ascending; the newest page where neither bound is given */
  get_history: (payload: GetHistory, ack: (answer: Ack<History>) => void) => void;
  /** tell the others that one is writing; ends by itself after a few seconds */
  set_typing: (payload: SetTyping, ack: (answer: Ack<Nothing>) => void) => void;
  /** read up to `seq`; never goes back */
  mark_read: (payload: MarkRead, ack: (answer: Ack<ReadMark>) => void) => void;
  /** how a reply stands: the one of that id, or the newest to a message (of that bot) */
  get_reply: (payload: GetReply, ack: (answer: Ack<ReplyFound>) => void) => void;
  /** stop a queued or running reply; what was said so far stays, marked stopped */
  stop_reply: (payload: StopReply, ack: (answer: Ack<ReplyResult>) => void) => void;
  /** ask again after a reply has ended: what is said now replaces what was said then */
  retry_reply: (payload: RetryReply, ack: (answer: Ack<ReplyResult>) => void) => void;
  /** let bots see a stopped or failed answer from now on, as they see whole ones */
  keep_message: (payload: KeepMessage, ack: (answer: Ack<EventResult>) => void) => void;
  /** counts, times, text, topics, sentiment and highlights */
  summarize_session: (payload: SummarizeSession, ack: (answer: Ack<SummaryResult>) => void) => void;
  /** the owner gets a code with which others join a private session */
  create_invite: (payload: CreateInvite, ack: (answer: Ack<InviteCreated>) => void) => void;
  /** the owner makes all codes of the session worthless */
  revoke_invites: (payload: RevokeInvites, ack: (answer: Ack<Nothing>) => void) => void;
}

export interface ServerToClientEvents {
  /**
   * a message; it shows the text as it stands now. `stopped`: somebody cut the bot short; `failed`:
   * a failure did, and `reply_failed` comes next; `kept`: bots may see it all the same; `replaces`:
   * it takes the place of that message
   */
  message_created: (event: MessageCreatedEvent) => void;
  /** the message `seq` has another text; the text is empty once the message was deleted */
  message_edited: (event: MessageEditedEvent) => void;
  /** the text of message `seq` was erased */
  message_deleted: (event: MessageDeletedEvent) => void;
  /** the unfinished message `seq` is shown to bots from now on, as whole ones are */
  message_kept: (event: MessageKeptEvent) => void;
  /** somebody became a member; `read_seq` is where one who comes back had read to */
  participant_joined: (event: ParticipantJoinedEvent) => void;
  /** somebody is no longer a member; `new_owner` where that left the session without an owner */
  participant_left: (event: ParticipantLeftEvent) => void;
  /** the session's settings, in full, as they now are */
  session_updated: (event: SessionUpdatedEvent) => void;
  /** the bot could not answer the message `prompt_seq` */
  reply_failed: (event: ReplyFailedEvent) => void;
  /** once after connecting */
  welcome: (payload: Welcome) => void;
  /** a bot is thinking; a new attempt starts again at offset 0 */
  reply_started: (payload: ReplyStarted) => void;
  /** more text; `offset` counts Unicode code points from the start of the reply */
  reply_delta: (payload: ReplyDelta) => void;
  /** the reply is the message `seq`, which came before this */
  reply_finished: (payload: ReplyFinished) => void;
  /** stopped; `seq` is the message with the text so far, null where there was none */
  reply_stopped: (payload: ReplyStopped) => void;
  /** somebody writes, or no longer does */
  typing_changed: (payload: TypingChanged) => void;
  /** a member's first connection came or the last one went */
  presence_changed: (payload: PresenceChanged) => void;
  /** a member has read up to `seq` */
  read_changed: (payload: ReadChanged) => void;
  /** to a participant's own connections: a session they created or joined elsewhere */
  session_added: (payload: SessionAdded) => void;
  /** to its members: the session is gone */
  session_deleted: (payload: SessionDeleted) => void;
  /** this server is about to stop; connect again after the delay */
  server_draining: (payload: ServerDraining) => void;
}

export interface AddBot {
  session_id: string;
  bot: string;
}

export interface BotInfo {
  name: string;
  description: string;
}

/** The `auth` that a client connects with. Whatever else it holds is not looked at. */
export interface ConnectAuth {
  token: string;
}

/** A `connect_error`. */
export interface ConnectRefused {
  message: string;
  data: ErrorBody;
}

export interface CreateInvite {
  session_id: string;
  expires_in?: number;
}

export interface CreateSession {
  title?: string;
  /** null: nobody answers */
  bot?: string | null;
  visibility?: Visibility;
  reply_policy?: ReplyPolicy;
  bot_turns?: number;
}

export interface DeleteMessage {
  session_id: string;
  seq: number;
}

export interface DeleteSession {
  session_id: string;
}

export interface EditMessage {
  session_id: string;
  seq: number;
  text: string;
  ask_again?: boolean;
}

/** The `error` of an ack, and the `data` of a `connect_error`. `message` is for people. */
export interface ErrorBody {
  code: ErrorCode;
  retryable: boolean;
  field?: string;
  retry_after_ms?: number;
  correlation_id?: string;
  waiting?: number;
  message: string;
}

/**
 * Stable, for programs:
 *
 * - `unauthorized`: no token, or one that nobody issued
 * - `token_expired`: renew it in time, or get another
 * - `token_revoked`: get another
 * - `invalid_payload`: wrong shape or value; `field` says where
 * - `blank_text`: a message needs some text
 * - `text_too_long`: longer than a message may be
 * - `unknown_bot`: this server has no bot of that name
 * - `unknown_event`: there is no such client event
 * - `payload_too_deep`: more nested than anything here is
 * - `payload_too_large`: more bytes than a request may have
 * - `not_found`: no such thing, or not for you to know
 * - `not_member`: the session may be joined, but was not
 * - `forbidden`: a member, but not with this right
 * - `conflict`: contradicts what is already stored
 * - `rate_limited`: come back after `retry_after_ms`
 * - `too_many_in_flight`: wait for some answers first
 * - `too_many_sessions`: leave or delete one first
 * - `session_full`: it has as many members as it may have
 * - `too_many_bots`: remove one of the session's bots first
 * - `too_many_invites`: revoke the session's invites first
 * - `too_many_connections`: from one address, or in all
 * - `slow_consumer`: too much waited unread; come back, and recover by seq
 * - `quota_exceeded`: no more replies today (UTC); see `retry_after_ms`
 * - `busy`: too many replies wait; `waiting` would come before
 * - `unavailable`: the store did not answer; nothing was changed
 * - `draining`: this instance is about to stop; connect again
 * - `internal`: a defect; `correlation_id` finds it in the log
 */
export type ErrorCode =
  | "unauthorized"
  | "token_expired"
  | "token_revoked"
  | "invalid_payload"
  | "blank_text"
  | "text_too_long"
  | "unknown_bot"
  | "unknown_event"
  | "payload_too_deep"
  | "payload_too_large"
  | "not_found"
  | "not_member"
  | "forbidden"
  | "conflict"
  | "rate_limited"
  | "too_many_in_flight"
  | "too_many_sessions"
  | "session_full"
  | "too_many_bots"
  | "too_many_invites"
  | "too_many_connections"
  | "slow_consumer"
  | "quota_exceeded"
  | "busy"
  | "unavailable"
  | "draining"
  | "internal";

/** One entry of a session's log, in the one shape it has everywhere. */
export type Event =
  | MessageCreatedEvent
  | MessageEditedEvent
  | MessageDeletedEvent
  | MessageKeptEvent
  | ParticipantJoinedEvent
  | ParticipantLeftEvent
  | SessionUpdatedEvent
  | ReplyFailedEvent;

export interface EventResult {
  event: Event;
}

export interface GetHistory {
  session_id: string;
  before_seq?: number | null;
  after_seq?: number | null;
  limit?: number;
}

export interface GetReply {
  session_id: string;
  reply_id?: string | null;
  prompt_seq?: number | null;
  bot?: string | null;
}

/** A sentence of the conversation, word for word. */
export interface Highlight {
  seq: number;
  sender: Participant;
  text: string;
}

export interface History {
  events: Event[];
  /** nothing further in this direction */
  complete: boolean;
}

export interface InviteCreated {
  invite: string;
  expires_at: string;
}

export interface JoinSession {
  session_id: string;
  after_seq?: number | null;
  invite?: string | null;
}

export interface Joined {
  session: Session;
  members: Member[];
  events: Event[];
  from_seq: number;
  to_seq: number;
  /** false: older events are missing; page with get_history {before_seq: from_seq} */
  complete: boolean;
  replies: Reply[];
}

export interface KeepMessage {
  session_id: string;
  seq: number;
}

export interface LeaveSession {
  session_id: string;
}

export interface ListSessions {
  before?: string | null;
  limit?: number;
  scope?: "mine" | "public";
}

export interface MarkRead {
  session_id: string;
  seq: number;
}

export interface Member {
  participant: Participant;
  role: Role;
  joined_at: string;
  read_seq: number;
  online: boolean;
}

export interface MessageChanged {
  event: Event;
  /** those that wait, where bots were asked again */
  replies: Reply[];
}

export interface MessageCreated {
  text: string;
  client_message_id?: string;
  reply_to?: number;
  reply_id?: string;
  replaces?: number;
  stopped?: boolean;
  failed?: boolean;
  kept?: boolean;
  edited_at?: string;
  deleted_at?: string;
}

/**
 * a message; it shows the text as it stands now. `stopped`: somebody cut the bot short; `failed`: a
 * failure did, and `reply_failed` comes next; `kept`: bots may see it all the same; `replaces`: it
 * takes the place of that message
 */
export interface MessageCreatedEvent {
  session_id: string;
  seq: number;
  type: "message_created";
  sender: Participant;
  created_at: string;
  data: MessageCreated;
}

export interface MessageDeleted {
  seq: number;
  deleted_at: string;
}

/** the text of message `seq` was erased */
export interface MessageDeletedEvent {
  session_id: string;
  seq: number;
  type: "message_deleted";
  sender: Participant;
  created_at: string;
  data: MessageDeleted;
}

export interface MessageEdited {
  seq: number;
  text: string;
  edited_at: string;
}

/** the message `seq` has another text; the text is empty once the message was deleted */
export interface MessageEditedEvent {
  session_id: string;
  seq: number;
  type: "message_edited";
  sender: Participant;
  created_at: string;
  data: MessageEdited;
}

export interface MessageKept {
  seq: number;
}

/** the unfinished message `seq` is shown to bots from now on, as whole ones are */
export interface MessageKeptEvent {
  session_id: string;
  seq: number;
  type: "message_kept";
  sender: Participant;
  created_at: string;
  data: MessageKept;
}

export interface MessageSent {
  message: MessageCreatedEvent;
  duplicate: boolean;
}

/** An ack that says only that it was done. */
export interface Nothing {
}

export interface Participant {
  id: string;
  name: string;
  kind: ParticipantKind;
}

export interface ParticipantJoined {
  participant: Participant;
  role: Role;
  read_seq?: number;
}

/** somebody became a member; `read_seq` is where one who comes back had read to */
export interface ParticipantJoinedEvent {
  session_id: string;
  seq: number;
  type: "participant_joined";
  sender: Participant;
  created_at: string;
  data: ParticipantJoined;
}

export type ParticipantKind = "user" | "bot" | "operator";

export interface ParticipantLeft {
  participant: Participant;
  new_owner?: string;
}

/** somebody is no longer a member; `new_owner` where that left the session without an owner */
export interface ParticipantLeftEvent {
  session_id: string;
  seq: number;
  type: "participant_left";
  sender: Participant;
  created_at: string;
  data: ParticipantLeft;
}

export interface ParticipantMessages {
  participant: Participant;
  messages: number;
}

export interface PresenceChanged {
  session_id: string;
  participant: Participant;
  online: boolean;
}

export interface ReadChanged {
  session_id: string;
  participant_id: string;
  seq: number;
}

export interface ReadMark {
  seq: number;
}

export interface RemoveBot {
  session_id: string;
  bot: string;
}

export interface RenameSession {
  session_id: string;
  title: string;
}

/** A bot's answer to one prompt. Reaches exactly one terminal state. */
export interface Reply {
  reply_id: string;
  session_id: string;
  prompt_seq: number;
  bot: string;
  state: ReplyState;
  attempt: number;
  text: string;
  error: ReplyError | null;
  result_seq: number | null;
}

export interface ReplyDelta {
  session_id: string;
  reply_id: string;
  attempt: number;
  offset: number;
  text: string;
}

/** Why a reply failed, in words a person understands; details are in the log only. */
export interface ReplyError {
  code: string;
  message: string;
  retryable: boolean;
}

export interface ReplyFailed {
  reply_id: string;
  prompt_seq: number;
  code: string;
  message: string;
  retryable: boolean;
}

/** the bot could not answer the message `prompt_seq` */
export interface ReplyFailedEvent {
  session_id: string;
  seq: number;
  type: "reply_failed";
  sender: Participant;
  created_at: string;
  data: ReplyFailed;
}

export interface ReplyFinished {
  session_id: string;
  reply_id: string;
  seq: number;
}

export interface ReplyFound {
  /** null: the message asked for none */
  reply: ReplyOutcome | null;
}

/** A reply with the message it ended in; null while it waits or runs, or if there is none. */
export interface ReplyOutcome {
  reply_id: string;
  session_id: string;
  prompt_seq: number;
  bot: string;
  state: ReplyState;
  attempt: number;
  text: string;
  error: ReplyError | null;
  result_seq: number | null;
  message: MessageCreatedEvent | null;
}

/** When the session's bot answers a person's message. */
export type ReplyPolicy = "always" | "mention" | "off";

export interface ReplyResult {
  reply: Reply;
}

export interface ReplyStarted {
  session_id: string;
  reply_id: string;
  attempt: number;
  prompt_seq: number;
  bot: Participant;
}

export type ReplyState = "queued" | "running" | "done" | "failed" | "stopped";

export interface ReplyStopped {
  session_id: string;
  reply_id: string;
  seq: number | null;
}

export interface RetryReply {
  session_id: string;
  reply_id: string;
}

export interface RevokeInvites {
  session_id: string;
}

export type Role = "owner" | "member" | "operator";

export interface SendMessage {
  session_id: string;
  text: string;
  client_message_id: string;
  reply_to?: number | null;
}

/** The mood of a conversation; `mixed` where people say both. */
export type Sentiment = "positive" | "neutral" | "negative" | "mixed";

export interface ServerDraining {
  reconnect_after_ms: number;
}

export interface Session {
  /** 128 random bits, url-safe; for a link session, the secret itself */
  id: string;
  title: string;
  visibility: Visibility;
  reply_policy: ReplyPolicy;
  /** the name of the bot that answers here, if any */
  bot: string | null;
  /** how often bots may answer bots before a person says something again */
  bot_turns: number;
  created_by: string;
  created_at: string;
  last_seq: number;
}

export interface SessionAdded {
  session: Session;
}

export interface SessionDeleted {
  session_id: string;
}

/** A session as its member sees it in a list. */
export interface SessionOverview {
  /** 128 random bits, url-safe; for a link session, the secret itself */
  id: string;
  title: string;
  visibility: Visibility;
  reply_policy: ReplyPolicy;
  /** the name of the bot that answers here, if any */
  bot: string | null;
  /** how often bots may answer bots before a person says something again */
  bot_turns: number;
  created_by: string;
  created_at: string;
  last_seq: number;
  role: Role | null;
  read_seq: number;
  /** messages of others after read_seq, counted up to 100 */
  unread: number;
  last_message: MessageCreatedEvent | null;
  active_at: string;
}

export interface SessionPage {
  sessions: SessionOverview[];
  /** pass as `before` for the next page; null: the end */
  next: string | null;
}

export interface SessionResult {
  session: Session;
}

export interface SessionUpdated {
  title: string;
  visibility: Visibility;
  reply_policy: ReplyPolicy;
  bot: string | null;
  bot_turns?: number;
}

/** the session's settings, in full, as they now are */
export interface SessionUpdatedEvent {
  session_id: string;
  seq: number;
  type: "session_updated";
  sender: Participant;
  created_at: string;
  data: SessionUpdated;
}

export interface SetTyping {
  session_id: string;
  typing: boolean;
}

export interface StopReply {
  session_id: string;
  reply_id: string;
}

export interface SummarizeSession {
  session_id: string;
}

export interface Summary {
  session_id: string;
  total_messages: number;
  messages_by_participant: ParticipantMessages[];
  messages_by_kind: Record<string, number>;
  first_message_at: string | null;
  last_message_at: string | null;
  /** whether a language model or the offline method spoke */
  method: SummaryMethod;
  /** a few sentences; null from the offline method */
  text: string | null;
  topics: string[];
  /** null where it is not known, as in a language that the offline method has no words of */
  sentiment: Sentiment | null;
  highlights: Highlight[];
  /** text, topics, sentiment and highlights look at messages from here on; null: there are none */
  covers_from_seq: number | null;
}

/** Who found it: a language model, or counting and weighing words. */
export type SummaryMethod = "model" | "extractive";

export interface SummaryResult {
  summary: Summary;
}

/** A bearer token in the one moment its text is known; only its hash is stored. */
export interface Token {
  token: string;
  participant: Participant;
  expires_at: string;
}

export interface TypingChanged {
  session_id: string;
  participant: Participant;
  typing: boolean;
}

export interface UpdateSession {
  session_id: string;
  title?: string | null;
  visibility?: Visibility | null;
  reply_policy?: ReplyPolicy | null;
  /** null: nobody answers */
  bot?: string | null;
  bot_turns?: number | null;
}

/** Who may join: with an invite code; whoever knows the id; anyone, and it is listed. */
export type Visibility = "private" | "link" | "public";

export interface Welcome {
  participant: Participant;
  limits: Record<string, number>;
  bots: BotInfo[];
  server: Record<string, string>;
}
