// Turns Block Kit messages into a page that looks like Slack: JSON on standard input, HTML on standard output.
// Input: {theme, width, users, messages: [{blocks, time, thread, modal}]}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";

const require = createRequire(import.meta.url);
const { Message } = require("slack-blocks-to-jsx");
const style = readFileSync(require.resolve("slack-blocks-to-jsx").replace(/index\.m?js$/, "style.css"), "utf8");

// The letters that Slack uses, so that lines break where they do there.
const lato = (weight, slant) => require.resolve(`@fontsource/lato/files/lato-latin-${weight}-${slant}.woff2`);
const face = (weight, slant) =>
  `@font-face { font-family: Lato; font-weight: ${weight}; font-style: ${slant}; ` +
  `src: url(data:font/woff2;base64,${readFileSync(lato(weight, slant), "base64")}); }`;
const faces = [400, 700, 900].flatMap((weight) => ["normal", "italic"].map((slant) => face(weight, slant))).join("\n");

const logo =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="6" fill="#243b53"/>' +
      '<circle cx="18" cy="14" r="5.5" fill="none" stroke="#fff" stroke-width="2.4"/>' +
      '<path d="M7.5 29c1.5-5 5.500-7.500 10.500-7.500s9 2.500 10.500 7.500" fill="none" stroke="#fff" stroke-width="2.4" ' +
      'stroke-dasharray="3.200 2.600"/></svg>',
  );

// What the library shows otherwise than Slack: verbatim text unformatted, and menus without what is chosen in them.
const plain = (text) => ({ type: "plain_text", text });
const asShown = (key, value) => {
  if (key === "verbatim") return undefined;
  if (value?.type === "static_select" && value.initial_option) return { ...value, placeholder: value.initial_option.text };
  if (value?.type === "users_select" && value.initial_user) {
    return { ...value, placeholder: plain(users.find((user) => user.id === value.initial_user)?.name ?? "") };
  }
  return value;
};
const formatted = (blocks) => JSON.parse(JSON.stringify(blocks, asShown));

// Drawn by ourselves, because the machine that draws may have no font with emoji.
const circle = (colour) => `<span class="circle" style="background:${colour}"></span>`;
const check = '<span class="check">\u2713</span>';
const marks = { "🔴": circle("#dd2e44"), "🟠": circle("#f4900c"), "🟡": circle("#fdcb58"), "⚪": circle("#ccd6dd"), "✅": check };
const withMarks = (html) => html.replace(/🔴|🟠|🟡|⚪\ufe0f?|✅/gu, (mark) => marks[mark.replace("\ufe0f", "")]);

const { theme, width, users, messages } = JSON.parse(readFileSync(0, "utf8"));
const text = (words) => words.replace(/[&<>]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[one]);
const frame = ({ title, submit, close }, body) =>
  `<div class="modal"><header><b>${text(title)}</b><span>\u2715</span></header><div class="body">${body}</div>` +
  `<footer><button>${text(close)}</button><button class="go">${text(submit)}</button></footer></div>`;
const drawn = messages.map(({ blocks, time, thread, modal }) => {
  const data = { users };
  const props = { blocks: formatted(blocks), logo, name: "Stillthere", time: new Date(time), theme, data, withoutWrapper: Boolean(modal) };
  const body = withMarks(renderToStaticMarkup(createElement(Message, props))).replace(/<p>↵[^<]*<\/p>/g, "");
  return modal ? frame(modal, body) : `<div class="${thread ? "thread" : "message"}">${body}</div>`;
});
const page = theme === "dark" ? "#1a1d21" : "#ffffff";
const line = theme === "dark" ? "#35373b" : "#e8e8e8";
const ink = theme === "dark" ? "#d1d2d3" : "#1d1c1d";
process.stdout.write(`<!doctype html><html data-theme="${theme}"><head><meta charset="utf-8"><style>${style}
${faces}
body :not(code) { font-family: Lato, sans-serif !important; }
body { margin: 0; padding: 16px 20px; width: ${width - 40}px; background: ${page}; }
.circle, .check { display: inline-block; width: 15px; height: 15px; border-radius: 50%; vertical-align: -2px; margin-right: 3px; }
.check { border-radius: 3px; background: #77b255; color: #fff; font: bold 13px/15px sans-serif; text-align: center; }
.thread { margin: 4px 0 0 52px; padding-left: 12px; border-left: 2px solid ${line}; }
.message + .message { margin-top: 12px; }
.modal { border: 1px solid ${line}; border-radius: 10px; font: 15px/1.47 Lato, sans-serif; color: ${ink}; }
.modal + .modal { margin-top: 16px; }
.modal header { display: flex; justify-content: space-between; padding: 16px 20px 8px; font-size: 19px; }
.modal .body { padding: 0 20px 12px; }
.modal footer { display: flex; justify-content: flex-end; gap: 10px; padding: 12px 20px; border-top: 1px solid ${line}; }
.modal footer button { font: bold 14px Lato, sans-serif; padding: 7px 14px; border-radius: 6px; border: 1px solid ${line}; background: transparent; color: ${ink}; }
.modal textarea { height: 190px !important; max-height: none !important; }
.modal input[type="date"]::-webkit-datetime-edit { color: transparent; }
.modal input[type="date"] { color-scheme: ${theme}; }
.modal footer .go { background: #007a5a; border-color: #007a5a; color: #fff; }
</style></head><body>${drawn.join("\n")}
<script>document.fonts.ready.then(() => (document.title = document.documentElement.scrollHeight))</script></body></html>`);
