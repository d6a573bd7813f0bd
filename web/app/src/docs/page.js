/**
 * The reference of the events, from the server's AsyncAPI document.
 *
 * @import {Entry, Field, Part, Payload, Schema, Section, Shape} from "./contract.js"
 */
import { html } from "htm/preact";
import { render } from "preact";
import { sectionsOf, shapesOf } from "./contract.js";

const SOURCE = "/api/v1/asyncapi.json";

/** @param {{contract: Schema}} props */
function Reference({ contract }) {
  const sections = sectionsOf(contract);
  return html`
    <header class="docs-head">
      <h1>${contract.info.title} <span class="docs-version">${contract.info.version}</span></h1>
      <${Prose} text=${contract.info.description} />
    </header>
    <div class="docs-columns">
      <nav class="docs-index" aria-label="Events">
        ${sections.map((section) => html`<${Index} id=${section.id} title=${section.title} names=${section.entries.map(({ name }) => name)} />`)}
        <a class="docs-index-head" href="#shapes">Shapes</a>
      </nav>
      <div class="docs-body">
        ${sections.map((section) => html`<${SectionView} section=${section} />`)}
        <section aria-labelledby="shapes">
          <h2 id="shapes">Shapes</h2>
          <p>What payloads are made of.</p>
          ${shapesOf(contract).map((shape) => html`<${ShapeView} shape=${shape} />`)}
        </section>
      </div>
    </div>
  `;
}

/** @param {{id: string, title: string, names: string[]}} props */
function Index({ id, title, names }) {
  return html`
    <a class="docs-index-head" href=${`#${id}`}>${title}</a>
    <ul>${names.map((name) => html`<li><a href=${`#event-${name}`}>${name}</a></li>`)}</ul>
  `;
}

/** @param {{section: Section}} props */
function SectionView({ section }) {
  return html`
    <section aria-labelledby=${section.id}>
      <h2 id=${section.id}>${section.title}</h2>
      <p><${Words} text=${section.doc} /></p>
      ${section.entries.map((entry) => html`<${EntryView} entry=${entry} />`)}
    </section>
  `;
}

/** @param {{entry: Entry}} props */
function EntryView({ entry }) {
  return html`
    <article class="docs-card" data-testid="event" aria-labelledby=${`event-${entry.name}`}>
      <h3 id=${`event-${entry.name}`}><a href=${`#event-${entry.name}`}>${entry.name}</a></h3>
      <p><${Words} text=${entry.doc} /></p>
      ${entry.payloads.map((payload) => html`<${PayloadView} payload=${payload} />`)}
    </article>
  `;
}

/** @param {{payload: Payload}} props */
function PayloadView({ payload }) {
  // An error is the same everywhere: its shape says it once.
  const brief = payload.type[0]?.to === "ErrorBody";
  return html`
    <div class="docs-payload">
      <p class="docs-label">${payload.label}: <${Type} type=${payload.type} /></p>
      ${!brief && html`<${Fields} fields=${payload.fields} />`}
    </div>
  `;
}

/** @param {{shape: Shape}} props */
function ShapeView({ shape }) {
  return html`
    <article class="docs-card" data-testid="shape" aria-labelledby=${`shape-${shape.name}`}>
      <h3 id=${`shape-${shape.name}`}><a href=${`#shape-${shape.name}`}>${shape.name}</a></h3>
      <${Prose} text=${shape.doc} />
      ${shape.type.length > 0 && html`<p><${Type} type=${shape.type} /></p>`}
      <${Fields} fields=${shape.fields} />
    </article>
  `;
}

/** @param {{fields: Field[]}} props */
function Fields({ fields }) {
  if (!fields.length) return null;
  return html`
    <dl class="docs-fields">
      ${fields.map((field) => html`
        <div>
          <dt><code>${field.name}</code>${field.optional && html` <span class="docs-optional">optional</span>`}</dt>
          <dd><${Type} type=${field.type} /> ${field.rules && html`<span class="docs-rules">${field.rules}</span>`}
            ${field.doc && html`<span class="docs-doc"><${Words} text=${field.doc} /></span>`}</dd>
        </div>
      `)}
    </dl>
  `;
}

/** @param {{type: Part[]}} props */
function Type({ type }) {
  return html`<span class="docs-type">${type.map(({ text, to }) => (to ? html`<a href=${`#shape-${to}`}>${text}</a>` : text))}</span>`;
}

/**
 * Paragraphs and lists, as far as the contract uses Markdown.
 *
 * @param {{text: string}} props
 */
function Prose({ text }) {
  const blocks = text.split(/\n{2,}/).filter(Boolean);
  return blocks.map((block) =>
    block.startsWith("- ")
      ? html`<ul class="docs-list">${block.slice(2).split(/\n- /).map((line) => html`<li><${Words} text=${line} /></li>`)}</ul>`
      : html`<p><${Words} text=${block} /></p>`);
}

/**
 * Text whose backticks mean code.
 *
 * @param {{text: string}} props
 */
function Words({ text }) {
  return text.split("`").map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));
}

async function show() {
  const root = /** @type {HTMLElement} */ (document.getElementById("reference"));
  try {
    const answer = await fetch(SOURCE);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const contract = await answer.json();
    root.replaceChildren();
    render(html`<${Reference} contract=${contract} />`, root);
  } catch (error) {
    root.textContent = `The contract could not be loaded (${error instanceof Error ? error.message : error}). Please reload this page.`;
  }
  // What the address points to was not there when the page was opened.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

show();
