"""The statements of the append path. Each serves a whole batch, its columns sent as arrays."""

from chatserver.store import usage

FIND = """
SELECT d.n, s.id, s.title, s.visibility, s.reply_policy, s.bot, s.created_by, s.created_at,
  s.last_seq, m.role, e.seq, e.body_digest, e.body, e.created_at AS sent_at, t.type AS target
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
  WITH ORDINALITY AS d (session, sender, client_message_id, reply_to, n)
JOIN LATERAL
  (SELECT * FROM session WHERE id = d.session AND deleted_at IS NULL LIMIT 1) s ON true
LEFT JOIN LATERAL
  (SELECT role FROM member
   WHERE session = d.session AND participant = d.sender AND left_at IS NULL LIMIT 1) m ON true
LEFT JOIN LATERAL
  (SELECT seq, body_digest, body, created_at FROM event WHERE session = d.session
   AND sender = d.sender AND client_message_id = d.client_message_id LIMIT 1) e ON true
LEFT JOIN LATERAL
  (SELECT type FROM event WHERE session = d.session AND seq = d.reply_to LIMIT 1) t ON true
"""
"""The session of each draft, the sender's role in it, the message if it was sent before, and the
type of what it answers. A draft without a session has no row.

`LIMIT 1` makes each a look into its own index: as plain joins, a planner without statistics looked
for the message by its sender alone (130 µs each among 3 000).
"""

BOTS = """
SELECT m.session, p.name FROM member m JOIN participant p ON p.id = m.participant
WHERE m.session = ANY($1::text[]) AND m.left_at IS NULL AND p.kind = 'bot'
"""
QUEUED = """
SELECT 'session' AS counted, session AS of, count(*) AS replies FROM reply
WHERE session = ANY($1::text[]) AND state IN ('queued', 'running') GROUP BY session
UNION ALL
SELECT 'asker', asker, count(*) FROM reply
WHERE asker = ANY($2::text[]) AND state IN ('queued', 'running') GROUP BY asker
UNION ALL
SELECT 'all', NULL, count(*) FROM
  (SELECT 1 FROM reply WHERE state IN ('queued', 'running') LIMIT $3) AS up_to_limit
"""
USED = "SELECT participant, day, replies, tokens FROM usage WHERE participant = ANY($1::text[])"

LOCK = "SELECT id FROM session WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE"

LOCK_USAGE = """
SELECT participant FROM usage WHERE participant = ANY($1::text[])
ORDER BY participant FOR NO KEY UPDATE
"""

WRITE = f"""
WITH counting AS MATERIALIZED (
  SELECT participant FROM usage WHERE participant = ANY($20::text[])
  ORDER BY participant FOR NO KEY UPDATE SKIP LOCKED
), counted_elsewhere AS MATERIALIZED (
  SELECT u.session FROM unnest($19::text[], $20::text[]) AS u (session, asker)
  JOIN usage ON usage.participant = u.asker
  WHERE u.asker NOT IN (SELECT participant FROM counting)
), free AS MATERIALIZED (
  SELECT id FROM session
  WHERE id = ANY($1::text[]) AND id NOT IN (SELECT session FROM counted_elsewhere)
  ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), advanced AS (
  UPDATE session s SET last_seq = s.last_seq + a.added, active_at = a.active_at
  FROM free JOIN unnest($1::text[], $2::bigint[], $3::int[], $4::timestamptz[])
    AS a (id, seen, added, active_at) ON a.id = free.id
  WHERE s.id = free.id AND s.last_seq = a.seen AND s.deleted_at IS NULL
  RETURNING s.id, s.last_seq - a.added AS before
), messages AS (
  INSERT INTO event
    (session, seq, type, sender, client_message_id, body_digest, body, created_at)
  SELECT a.id, a.before + d.place, 'message_created', d.sender, d.client_message_id,
    d.body_digest, d.body, d.created_at
  FROM advanced a JOIN unnest($5::text[], $6::int[], $7::text[], $8::text[], $9::bytea[],
    $10::text[], $11::timestamptz[])
    AS d (session, place, sender, client_message_id, body_digest, body, created_at)
    ON d.session = a.id
), jobs AS (
  INSERT INTO reply
    (id, session, prompt_seq, bot, position, asker, state,
     attempt, takeovers, stop_requested, partial, created_at)
  SELECT j.id, a.id, a.before + j.place, j.bot, j.position, j.asker, 'queued',
    0, 0, false, '', j.created_at
  FROM advanced a JOIN unnest($12::text[], $13::text[], $14::int[], $15::text[], $16::int[],
    $17::text[], $18::timestamptz[])
    AS j (id, session, place, bot, position, asker, created_at) ON j.session = a.id
), used AS (
  INSERT INTO usage (participant, day, replies, tokens)
  -- In the order of their keys: whoever waits for one holds only smaller ones.
  SELECT DISTINCT ON (u.asker) u.asker, u.day, sum(u.replies), 0
  FROM advanced a JOIN unnest($19::text[], $20::text[], $21::int[], $22::int[])
    AS u (session, asker, day, replies) ON u.session = a.id
  GROUP BY u.asker, u.day ORDER BY u.asker, u.day DESC
  {usage.ADDING})
SELECT id FROM advanced
"""
"""Appends to every session that is as it was when its rules were asked, and names those.

A session's `last_seq` is its version: whatever changes who may write in it, and how, is an event.
Sessions that another transaction holds are passed over, and those in which somebody asks whose
usage another is counting: this one waits for neither. (It may have to wait for whoever writes the
first row of somebody's usage at this moment, at most until the lock timeout.)
"""
