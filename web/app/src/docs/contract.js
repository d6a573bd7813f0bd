/**
 * What a page shows of an AsyncAPI document: sections of events, each with what it carries. Pure.
 *
 * @typedef {{[key: string]: any}} Schema
 * @typedef {{text: string, to?: string}} Part of a type in words; `to` names the shape that it is
 * @typedef {{name: string, optional: boolean, type: Part[], rules: string, doc: string}} Field
 * @typedef {{label: string, type: Part[], fields: Field[]}} Payload
 * @typedef {{name: string, doc: string, payloads: Payload[]}} Entry
 * @typedef {{id: string, title: string, doc: string, entries: Entry[]}} Section
 * @typedef {{name: string, doc: string, type: Part[], fields: Field[]}} Shape
 */

const SECTIONS = [
  ["connection", "Connecting", "With a token in `auth`; a refusal says why."],
  ["client events", "Client events", "What clients ask for. Each is acked."],
  ["log", "Events of the log", "Durable: each has a `seq`, stays in the session's log and comes to every member in order."],
  ["signals", "Signals", "Ephemeral: told to who is connected now, never stored and never repeated."],
];

/**
 * @param {Schema} contract
 * @returns {Section[]}
 */
export function sectionsOf(contract) {
  return SECTIONS.map(([tag, title, doc]) => ({
    id: tag.replace(" ", "-"),
    title,
    doc,
    entries: Object.values(contract.operations).filter(({ tags }) => tags[0].name === tag).map((operation) => entryOf(contract, operation)),
  }));
}

/**
 * @param {Schema} contract
 * @returns {Shape[]} everything that payloads refer to, by name
 */
export function shapesOf(contract) {
  return Object.entries(contract.components.schemas).map(([name, schema]) => ({
    name,
    doc: schema.description ?? "",
    type: schema.properties ? [] : typeOf(schema),
    fields: fieldsOf(contract, schema),
  }));
}

/**
 * @param {Schema} contract
 * @param {Schema} operation
 * @returns {Entry}
 */
function entryOf(contract, operation) {
  const message = resolved(contract, operation.messages[0]);
  const answers = (operation.reply?.messages ?? []).map((/** @type {Schema} */ each) => resolved(contract, each));
  return {
    name: message.name,
    doc: message.summary,
    payloads: [
      payloadOf(contract, message["x-socketio-packet"] === "CONNECT" ? "auth" : "payload", message.payload),
      ...answers.map((/** @type {Schema} */ answer) =>
        answer.payload.properties ? payloadOf(contract, ...ackOf(answer.payload)) : payloadOf(contract, answer.name, answer.payload)),
    ],
  };
}

/**
 * @param {Schema} schema of an ack
 * @returns {[string, Schema]}
 */
function ackOf({ properties }) {
  return properties.ok.const ? ["ack, {ok: true, data}", properties.data] : ["or {ok: false, error}", properties.error];
}

/**
 * @param {Schema} contract
 * @param {string} label
 * @param {Schema} schema
 * @returns {Payload}
 */
function payloadOf(contract, label, schema) {
  return { label, type: typeOf(schema), fields: fieldsOf(contract, resolved(contract, schema)) };
}

/**
 * @param {Schema} contract
 * @param {Schema} schema
 * @returns {Field[]}
 */
function fieldsOf(contract, schema) {
  return Object.entries(/** @type {Record<string, Schema>} */ (schema.properties ?? {})).map(([name, field]) => ({
    name,
    optional: !(schema.required ?? []).includes(name),
    type: typeOf(field),
    rules: rulesOf(field, !(schema.required ?? []).includes(name)),
    doc: field.description ?? "",
  }));
}

/**
 * @param {Schema} schema
 * @returns {Part[]}
 */
export function typeOf(schema) {
  if (schema.$ref) {
    const name = nameOf(schema);
    return [{ text: name, to: name }];
  }
  if ("const" in schema) return [{ text: JSON.stringify(schema.const) }];
  if (schema.enum) return joined(schema.enum.map((/** @type {unknown} */ each) => [{ text: JSON.stringify(each) }]));
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) return joined(variants.map(typeOf));
  if (schema.type === "array") return [{ text: "list of " }, ...typeOf(schema.items)];
  if (schema.type === "object" && schema.additionalProperties) return [{ text: "map of " }, ...typeOf(schema.additionalProperties)];
  return [{ text: schema.type ?? "anything" }];
}

/** @param {Part[][]} types */
function joined(types) {
  return types.flatMap((type, index) => (index ? [{ text: " or " }, ...type] : type));
}

/**
 * What is said of values beyond their type.
 *
 * @param {Schema} field
 * @param {boolean} optional
 */
function rulesOf(field, optional) {
  /** @type {Schema} */
  const rules = Object.assign({}, ...(field.anyOf ?? []), field);
  return [
    range(rules.minimum, rules.maximum),
    range(rules.minLength, rules.maxLength, " characters"),
    rules.format && `as ${rules.format}`,
    rules.pattern && `matches ${rules.pattern}`,
    optional && rules.default !== undefined && `${JSON.stringify(rules.default)} unless given`,
  ].filter(Boolean).join("; ");
}

/**
 * @param {number | undefined} least
 * @param {number | undefined} most
 */
function range(least, most, of = "") {
  if (least !== undefined && most !== undefined) return `${least} to ${most}${of}`;
  if (least !== undefined) return `at least ${least}${of}`;
  return most === undefined ? "" : `at most ${most}${of}`;
}

/**
 * @param {Schema} contract
 * @param {Schema} schema
 * @returns {Schema}
 */
function resolved(contract, schema) {
  if (!schema.$ref) return schema;
  const path = schema.$ref.slice(2).split("/");
  return resolved(contract, path.reduce((/** @type {Schema} */ at, /** @type {string} */ key) => at[key], contract));
}

/** @param {Schema} schema */
const nameOf = (schema) => schema.$ref.split("/").at(-1);
