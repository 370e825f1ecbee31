// Draws Block Kit as elements of a page. Text is only ever put in as text: nothing in it can become markup.
// https://docs.slack.dev/reference/block-kit/blocks and .../messaging/formatting-message-text

const LIGHTS = new Map([["red_circle", "red"], ["large_orange_circle", "orange"], ["large_yellow_circle", "yellow"], ["white_circle", "white"]]);
const UNESCAPED = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const PIECE = /<([^<>\n]*)>|:([a-z_]+):|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])|(?<![\w~])~([^~\n]+)~(?![\w~])|`([^`\n]+)`/g;

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((one) => one !== undefined && one !== null));
  return made;
}

const unescaped = (text) => text.replace(/&(?:lt|gt|amp);/g, (one) => UNESCAPED[one]);

/** Return what mrkdwn means, as nodes. */
export function mrkdwn(text, users) {
  const nodes = [];
  text.split("\n").forEach((line, number) => {
    if (number) nodes.push(element("br"));
    nodes.push(...formatted(line, users));
  });
  return nodes;
}

function formatted(line, users) {
  const nodes = [];
  let from = 0;
  for (const found of line.matchAll(PIECE)) {
    if (found.index > from) nodes.push(unescaped(line.slice(from, found.index)));
    const [all, link, emoji, bold, italic, struck, code] = found;
    if (link !== undefined) nodes.push(linked(link, users));
    else if (emoji !== undefined) nodes.push(pictured(emoji, all));
    else if (bold !== undefined) nodes.push(element("strong", {}, ...formatted(bold, users)));
    else if (italic !== undefined) nodes.push(element("em", {}, ...formatted(italic, users)));
    else if (struck !== undefined) nodes.push(element("s", {}, ...formatted(struck, users)));
    else nodes.push(element("code", {}, unescaped(code)));
    from = found.index + all.length;
  }
  if (from < line.length) nodes.push(unescaped(line.slice(from)));
  return nodes;
}

function linked(content, users) {
  const [target, ...rest] = content.split("|");
  const said = unescaped(rest.join("|"));
  if (target.startsWith("@")) return mentioned(target.slice(1), said, users);
  if (/^[#!]/.test(target)) return element("span", { class: "mention" }, said || (target[0] === "!" ? "@" : "") + target.replace(/^!|\^.*/g, ""));
  return leading(unescaped(target), said || unescaped(target));
}

function mentioned(user, said, users) {
  return element("span", { class: "mention" }, `@${Object.hasOwn(users, user) ? users[user] : said || user}`);
}

function leading(address, label) {
  if (!/^(?:https?:|mailto:)/i.test(address)) return element("bdi", {}, label);
  return element("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, label);
}

function pictured(name, all) {
  if (name === "white_check_mark") return element("span", { class: "tick-mark", role: "img", "aria-label": "Done" }, "\u2713");
  const colour = LIGHTS.get(name);
  return colour ? element("span", { class: `light ${colour}`, role: "img", "aria-label": colour[0].toUpperCase() + colour.slice(1) }) : all;
}

export const text = (given, users) => (given.type === "mrkdwn" ? mrkdwn(given.text, users) : [given.text]);

/** Return blocks as elements; `press` is called with the action that Slack would send. */
export function blocks(given, users, press) {
  return given.map((block) => drawn(block, users, press)).filter(Boolean);
}

function drawn(block, users, press) {
  switch (block.type) {
    case "header":
      return element("p", { class: "block" }, element("strong", {}, ...text(block.text, users)));
    case "divider":
      return element("div", { class: "block" }, element("hr"));
    case "section": {
      const parts = [];
      if (block.text) parts.push(element("div", {}, ...text(block.text, users)));
      if (block.fields) parts.push(element("div", { class: "fields" }, ...block.fields.map((one) => element("div", {}, ...text(one, users)))));
      const accessory = block.accessory && control(block.accessory, block, press);
      if (!accessory) return element("div", { class: "block" }, ...parts);
      return element("div", { class: "block with-accessory" }, element("div", {}, ...parts), accessory);
    }
    case "context":
      return element("div", { class: "block context" }, ...block.elements.flatMap((one) => (one.text ? text(one, users) : [])));
    case "actions":
      return element("div", { class: "block block-actions" }, ...block.elements.map((one) => control(one, block, press)).filter(Boolean));
    case "rich_text":
      return element("div", { class: "block" }, ...block.elements.map((one) => rich(one, users)));
    case "input":
      return field(block, users);
    default:
      return null;
  }
}

function rich(part, users) {
  if (part.type === "rich_text_list") {
    return element(part.style === "ordered" ? "ol" : "ul", {}, ...part.elements.map((one) => element("li", {}, rich(one, users))));
  }
  const name = { rich_text_quote: "blockquote", rich_text_preformatted: "pre" }[part.type] ?? "div";
  return element(name, {}, ...part.elements.map((one) => richly(one, users)));
}

function richly(piece, users) {
  if (piece.type === "link") return leading(piece.url, piece.text ?? piece.url);
  if (piece.type === "user") return mentioned(piece.user_id, "", users);
  if (piece.type === "broadcast") return mentioned(piece.range, "", users);
  if (piece.type === "emoji") return pictured(piece.name, `:${piece.name}:`);
  const names = { bold: "strong", italic: "em", strike: "s", code: "code" };
  return Object.keys(names).reduce((node, style) => (piece.style?.[style] ? element(names[style], {}, node) : node), piece.text ?? "");
}

function control(one, block, press) {
  const action = { action_id: one.action_id, block_id: block.block_id };
  if (one.type === "button") {
    const send = () => press({ ...action, value: one.value });
    return element("button", { type: "button", class: one.style, onclick: send, "data-action": one.action_id }, one.text.text);
  }
  if (one.type === "overflow") {
    const choices = one.options.map((option) => element("button", { type: "button", onclick: () => press({ ...action, selected_option: { value: option.value } }) }, option.text.text));
    return element("details", { class: "menu" }, element("summary", { "aria-label": "More", "data-action": one.action_id }, "\u22ef"), element("div", {}, ...choices));
  }
  if (one.type === "static_select") {
    const chosen = one.initial_option?.value;
    const options = one.options.map((option) => element("option", { value: option.value, selected: option.value === chosen }, option.text.text));
    return element("select", { "aria-label": "Choose", "data-action": one.action_id, onchange: (event) => press({ ...action, selected_option: { value: event.target.value } }) }, ...options);
  }
  return null;
}

function field(block, users) {
  const id = `field-${block.block_id}`;
  const { element: input } = block;
  const hint = block.hint ? element("p", { class: "soft" }, block.hint.text) : undefined;
  const data = { "data-block": block.block_id, "data-action": input.action_id, "data-kind": input.type };
  if (input.type === "radio_buttons") {
    const options = input.options.map((option) =>
      element("label", { class: "radio" },
        element("input", { type: "radio", name: id, value: option.value, checked: option.value === input.initial_option?.value }),
        element("span", {}, ...text(option.text, users), ...(option.description ? [element("span", { class: "soft" }, element("br"), option.description.text)] : []))));
    return element("fieldset", data, element("legend", {}, block.label.text), ...options, hint);
  }
  const made = {
    datepicker: () => element("input", { id, type: "date", value: input.initial_date }),
    plain_text_input: () => element(input.multiline ? "textarea" : "input", { id, rows: "8", type: "text" }, input.initial_value ?? ""),
    users_select: () => element("select", { id }, ...Object.entries(users).map(([user, name]) => element("option", { value: user, selected: user === input.initial_user }, name))),
  }[input.type]?.();
  return made && element("fieldset", data, element("label", { class: "label", for: id }, block.label.text), made, hint);
}

/** Return what was entered in a modal, as Slack sends it. */
export function entered(form) {
  const values = {};
  for (const set of form.querySelectorAll("[data-block]")) {
    const { block, action, kind } = set.dataset;
    const value = (kind === "radio_buttons" ? set.querySelector("input:checked") : set.querySelector("input, select, textarea"))?.value;
    const entry = !value ? {} : { radio_buttons: { selected_option: { value } }, datepicker: { selected_date: value }, users_select: { selected_user: value } }[kind] ?? { value };
    values[block] = { [action]: entry };
  }
  return values;
}
